--- Lua text as tokens, for who looks at text that is still being typed: whatever it is, there are tokens.
--
-- A string or comment that the text's end cuts off is `open`. What is no token of Lua is an "error": a malformed
-- number, a short string that its line's end cuts off, a character that means nothing.

local lexer = {}

---@alias strobe.repl.TokenKind "keyword"|"name"|"number"|"string"|"comment"|"symbol"|"error"

---@class strobe.repl.Token
---@field kind strobe.repl.TokenKind
---@field first integer byte
---@field last integer byte
---@field open? boolean the text ends inside it
---@field long? boolean a string or comment in long brackets

--- The words that are no names.
---@type table<string, true>
lexer.keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true
  until while]]):gmatch "%a+" do
  lexer.keywords[word] = true
end

-- Of three bytes, of two, of one.
local symbols = {}
for symbol in ("... .. == ~= <= >= // :: << >> + - * / % ^ # & ~ | < > = ( ) { } [ ] ; : , ."):gmatch "%S+" do
  symbols[symbol] = true
end

-- The end of a long bracket which begins at a place; nothing when none begins there.
local function long_bracket(text, at)
  local level = text:match("^%[(=*)%[", at)
  if not level then
    return nil
  end
  local _, last = text:find("]" .. level .. "]", at + #level + 2, true)
  return last or #text, last == nil
end

local take = {}

function take.word(text, at)
  local _, last = text:find("^[%w_]*", at)
  return lexer.keywords[text:sub(at, last)] and "keyword" or "name", last
end

-- As Lua reads it: all that could belong to a number does.
function take.number(text, at)
  local exponent = text:find("^0[xX]", at) and "^[pP][+-]?" or "^[eE][+-]?"
  local last = at
  while true do
    local _, to = text:find(exponent, last + 1)
    to = to or select(2, text:find("^[%w_.]", last + 1))
    if not to then
      break
    end
    last = to
  end
  return tonumber(text:sub(at, last)) and "number" or "error", last
end

-- The place behind a backslash and what it stands before.
local function skip_escape(text, at)
  if text:find("^z", at + 1) then
    return text:match("^%s*()", at + 2)
  end
  local _, newline = text:find("^\r\n", at + 1)
  newline = newline or select(2, text:find("^\n\r", at + 1))
  return (newline or at + 1) + 1
end

function take.string(text, at)
  local quote, from = text:sub(at, at), at + 1
  while true do
    local place = text:find("[\\\n\r\"']", from)
    if not place then
      return "string", #text, true
    end
    local c = text:sub(place, place)
    if c == quote then
      return "string", place
    elseif c == "\n" or c == "\r" then
      return "error", place - 1
    end
    from = c == "\\" and skip_escape(text, place) or place + 1
  end
end

function take.comment(text, at)
  local last, open = long_bracket(text, at + 2)
  if last then
    return "comment", last, open, true
  end
  return "comment", (text:find("[\n\r]", at) or #text + 1) - 1
end

function take.symbol(text, at)
  for size = 3, 1, -1 do
    if symbols[text:sub(at, at + size - 1)] then
      return "symbol", math.min(at + size - 1, #text)
    end
  end
  return "error", select(2, text:find("^[\xc2-\xf4][\x80-\xbf]*", at)) or at
end

function take.bracket(text, at)
  local last, open = long_bracket(text, at)
  if last then
    return "string", last, open, true
  end
  return "symbol", at
end

function take.minus(text, at)
  return (text:byte(at + 1) == 45 and take.comment or take.symbol)(text, at)
end

function take.dot(text, at)
  return (text:find("^%d", at + 1) and take.number or take.symbol)(text, at)
end

-- What to take by its first byte.
local begins = { [34] = take.string, [39] = take.string, [45] = take.minus, [46] = take.dot, [91] = take.bracket }
for byte = 0, 255 do
  local c = string.char(byte)
  begins[byte] = begins[byte] or c:find "[%a_]" and take.word or c:find "%d" and take.number or take.symbol
end

--- The tokens of a text, comments among them.
---@param text string
---@return strobe.repl.Token[]
function lexer.tokens(text)
  local tokens, at = {}, text:find "%S"
  while at do
    local kind, last, open, long = begins[text:byte(at)](text, at)
    tokens[#tokens + 1] = { kind = kind, first = at, last = last, open = open or nil, long = long }
    at = text:find("%S", last + 1)
  end
  return tokens
end

--- The tokens that mean something to Lua: all but comments.
---@param text string
---@return strobe.repl.Token[]
function lexer.code(text)
  local code = {}
  for _, token in ipairs(lexer.tokens(text)) do
    code[#code + 1] = token.kind ~= "comment" and token or nil
  end
  return code
end

--- The text of a token; nil for none.
---@param text string
---@param token? strobe.repl.Token
---@return string?
function lexer.word(text, token)
  return token and text:sub(token.first, token.last)
end

return lexer
