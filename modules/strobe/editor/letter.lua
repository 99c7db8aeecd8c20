--- The case of letters, in words of all scripts. "ß" and what else has no upper case of one letter stay.

local core = require "strobe.core.letter"

local letter = {}

-- Each character of a text changed. Bytes that are no UTF-8 stay.
local function each(text, change)
  return (text:gsub(utf8.charpattern, function(character)
    return utf8.len(character) and utf8.char(change(utf8.codepoint(character)))
  end))
end

--- The upper case of a text.
---@param text string
---@return string
function letter.upper(text)
  return each(text, core.upper)
end

--- The lower case of a text.
---@param text string
---@return string
function letter.lower(text)
  return each(text, core.lower)
end

--- The lower case of a text, with its first letter in upper case.
---@param text string
---@return string
function letter.capital(text)
  local found = false
  return each(text, function(code)
    local upper, lower = core.upper(code), core.lower(code)
    if found then
      return lower
    end
    found = upper ~= lower
    return upper
  end)
end

return letter
