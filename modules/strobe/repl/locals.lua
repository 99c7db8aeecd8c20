--- Local variables at the top of an input outlive it: they become variables of the console.
--
--   local a, b <const> = 1, 2     ;     a, b         = 1, 2
--   local a                       ;     a = nil;
--   local function f() end        ;     function f() end
--
-- Only at the top, outside of every block; lines stay where they are. What a function or a block declares is its own.

local lexer = require "strobe.repl.lexer"

local locals = {}

---@class strobe.repl.LocalsProblem
---@field message string
---@field first integer byte
---@field last integer byte

local opens = { ["function"] = true, ["do"] = true, ["if"] = true, ["repeat"] = true }
local closes = { ["end"] = true, ["until"] = true }

-- Puts as many blanks in the place of a token, or `instead` and blanks.
local function blank(edits, token, instead)
  local size = token.last - token.first + 1
  instead = instead or ""
  edits[#edits + 1] = { first = token.first, last = token.last, text = instead .. (" "):rep(size - #instead) }
end

local Reader = {}
Reader.__index = Reader

function Reader:word(i)
  return lexer.word(self.text, self.tokens[i])
end

-- An attribute that begins at token i; the place behind it.
function Reader:attribute(i, name)
  if self:word(i) ~= "<" then
    return i
  end
  local attribute = self:word(i + 1)
  if attribute == "close" then
    local token = self.tokens[i + 1]
    self.problem = {
      first = token.first, last = token.last,
      message = "nothing would close it at the top of an input: use do … end around it",
    }
  elseif name then
    self.notes[#self.notes + 1] = ("<%s> of %s is dropped: at the top of an input it is a variable of the console")
      :format(attribute, name)
  end
  for place = i, i + 2 do
    blank(self.edits, self.tokens[place])
  end
  return i + 3
end

-- The names of a local statement, the first of which is token i; the place behind them.
function Reader:names(i)
  i = self:attribute(i)
  while true do
    i = self:attribute(i + 1, self:word(i))
    if self:word(i) ~= "," then
      return i
    end
    i = i + 1
  end
end

-- The statement whose `local` is token i; the place from which to read on.
function Reader:statement(i)
  blank(self.edits, self.tokens[i], ";") -- that ends what is before it, as local does
  if self:word(i + 1) == "function" then
    return i + 1
  end
  local behind = self:names(i + 1)
  if self:word(behind) ~= "=" then
    local last = self.tokens[behind - 1].last
    self.edits[#self.edits + 1] = { first = last + 1, last = last, text = " = nil;" }
  end
  return behind
end

function Reader:read()
  local depth, i = 0, 1
  while self.tokens[i] and not self.problem do
    local word = self.tokens[i].kind == "keyword" and self:word(i)
    if word == "local" and depth == 0 then
      i = self:statement(i)
    else
      depth = depth + (opens[word] and 1 or closes[word] and -1 or 0)
      i = i + 1
    end
  end
end

local function apply(text, edits)
  local parts, from = {}, 1
  for _, edit in ipairs(edits) do
    parts[#parts + 1] = text:sub(from, edit.first - 1)
    parts[#parts + 1] = edit.text
    from = edit.last + 1
  end
  parts[#parts + 1] = text:sub(from)
  return table.concat(parts)
end

--- Rewrites a text, which must compile as it is.
---@param text string
---@return string? rewritten nil when it must not run so
---@return string[]|strobe.repl.LocalsProblem notes for people, or why it must not run
function locals.rewrite(text)
  if not text:find("local", 1, true) then
    return text, {}
  end
  local reader = setmetatable({ text = text, tokens = lexer.code(text), edits = {}, notes = {} }, Reader)
  reader:read()
  if reader.problem then
    return nil, reader.problem
  end
  return apply(text, reader.edits), reader.notes
end

return locals
