--- The colours of Lua text: ranges of bytes with a style.

local input = require "strobe.repl.input"
local lexer = require "strobe.repl.lexer"
local names = require "strobe.repl.names"

local highlight = {}

---@alias strobe.console.Style "keyword"|"string"|"number"|"comment"|"global"|"error"

---@class strobe.console.Range
---@field first integer byte
---@field last integer byte
---@field style strobe.console.Style

-- Bytes of the longest text that has colours: this is done at every keystroke.
local MOST = 8192

local styles = { keyword = "keyword", string = "string", number = "number", comment = "comment", error = "error" }

local opening = { [")"] = "(", ["]"] = "[", ["}"] = "{" }

-- The style of a bracket: an error when it closes what is not open.
local function bracket_style(word, open)
  if word == "(" or word == "[" or word == "{" then
    open[#open + 1] = word
  elseif opening[word] and open[#open] == opening[word] then
    open[#open] = nil
  elseif opening[word] then
    return "error"
  end
end

-- A name that stands for itself, and is no field or method.
local function name_style(word, before)
  return before ~= "." and before ~= ":" and names.is_known(word) and "global" or nil
end

local function add_lua(ranges, text, offset)
  local open, before = {}, nil
  for _, token in ipairs(lexer.tokens(text)) do
    local word = token.kind ~= "comment" and token.kind ~= "string" and text:sub(token.first, token.last)
    local style = styles[token.kind] or token.kind == "name" and name_style(word, before) or bracket_style(word, open)
    if style then
      ranges[#ranges + 1] = { first = offset + token.first, last = offset + token.last, style = style }
    end
    before = token.kind ~= "comment" and word or before
  end
end

-- Commands whose argument is Lua.
local take_code = { time = true, timeit = true, bg = true, watch = true }

--- The ranges of a text that have a style, in order. Very long texts have none.
---@param text string
---@return strobe.console.Range[]
function highlight.ranges(text)
  local ranges = {}
  if #text > MOST then
    return ranges
  elseif not input.is_command(text) then
    add_lua(ranges, text, 0)
    return ranges
  end
  local first, name, last = text:match "():(%a+)!?()"
  ranges[1] = { first = first, last = last - 1, style = "keyword" }
  if take_code[name] then
    add_lua(ranges, text:sub(last), last - 1)
  end
  return ranges
end

return highlight
