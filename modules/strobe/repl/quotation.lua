--- Text that may hold anything, made fit for a terminal: what could drive it, or is no UTF-8, is escaped.

local quotation = {}

local escapes = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ["\\"] = "\\\\", ["\""] = "\\\"" }

local function escape_byte(c)
  return escapes[c] or ("\\x%02x"):format(c:byte())
end

local function escape_character(c)
  return ("\\u{%x}"):format(utf8.codepoint(c))
end

-- C1 controls, and what turns the direction of writing.
local function escape_characters(text)
  return (text:gsub("\xc2[\x80-\x9f]", escape_character):gsub("\xe2\x80[\xaa-\xae]", escape_character)
    :gsub("\xe2\x81[\xa6-\xa9]", escape_character))
end

--- A text in which bytes that are no UTF-8 are told by their numbers.
---@param text string
---@param form? string "\\x%02x"
---@return string
function quotation.valid(text, form)
  local parts, from = {}, 1
  while true do
    local length, bad = utf8.len(text, from)
    if length then
      parts[#parts + 1] = text:sub(from)
      return table.concat(parts)
    end
    parts[#parts + 1] = text:sub(from, bad - 1)
    parts[#parts + 1] = (form or "\\x%02x"):format(text:byte(bad))
    from = bad + 1
  end
end

-- Escapes bytes of a pattern, and those that are no UTF-8.
local function escaped(text, bytes)
  return quotation.valid(escape_characters((text:gsub(bytes, escape_byte))))
end

--- A string as Lua would read it, in quotes.
---@param text string
---@return string
function quotation.quoted(text)
  return ('"%s"'):format(escaped(text, "[%c\\\"]"))
end

--- A text without control characters, as it is otherwise.
---@param text string
---@param lines? boolean newlines and tabs stay
---@return string
function quotation.plain(text, lines)
  return escaped(text, lines and "[\0-\8\11-\31\127]" or "%c")
end

--- At most so many bytes of a text, and whole characters.
---@param text string
---@param most integer
---@return string
function quotation.cut(text, most)
  if #text <= most then
    return text
  end
  local last = most
  while last > most - 3 and last > 0 and text:find("^[\x80-\xbf]", last + 1) do
    last = last - 1
  end
  return text:sub(1, text:find("^[\x80-\xbf]", last + 1) and most or last)
end

return quotation
