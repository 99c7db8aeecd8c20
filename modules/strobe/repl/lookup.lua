--- Values by what is written for them, `a.b[1]:c`, without running anything: tables are read raw, and by `__index`
--- where that is a table. Only strobe's own modules, some of which load their parts when they are asked for, are asked.

local lexer = require "strobe.repl.lexer"
local names = require "strobe.repl.names"

-- Tables behind tables by __index; keys of a table that are looked at.
local MOST_BEHIND, MOST_KEYS = 100, 10000

local lookup = {}

local word_of = lexer.word

-- A module of strobe's own that is loaded.
local function is_module(value)
  for name, loaded in pairs(package.loaded) do
    if rawequal(loaded, value) and type(name) == "string" and name:find "^strobe%." then
      return true
    end
  end
  return false
end

-- The table where a value's fields are, and the one behind that.
local function behind(value)
  local metatable = debug.getmetatable(value)
  local index = type(metatable) == "table" and rawget(metatable, "__index")
  return type(index) == "table" and index or nil
end

-- Calls visit(table) for each table in which fields of a value are, until it returns something.
local function each_table(value, visit)
  local t = type(value) == "table" and value or behind(value)
  for _ = 1, MOST_BEHIND do
    if t == nil then
      return nil
    end
    local found = visit(t)
    if found ~= nil then
      return found
    end
    t = behind(t)
  end
end

--- A field of a value.
---@param value any
---@param key any
---@return any
function lookup.field(value, key)
  if value == nil then
    return nil
  end
  local found = each_table(value, function(t)
    return rawget(t, key)
  end)
  if found == nil and type(value) == "table" and is_module(value) then
    return value[key]
  end
  return found
end

--- Calls visit(name, value) for each field of a value that has a name; a name may come more than once.
---@param value any
---@param visit fun(name: string, value: any)
function lookup.each_field(value, visit)
  local count = 0
  local function visit_all(iterate, t, first)
    for key, field in iterate, t, first do
      count = count + 1
      if count > MOST_KEYS then
        return true
      elseif type(key) == "string" and key:find "^[%a_][%w_]*$" and not lexer.keywords[key] then
        visit(key, field)
      end
    end
  end
  if type(value) == "table" and is_module(value) then
    visit_all(pairs(value))
    return
  end
  each_table(value, function(t)
    return visit_all(next, t)
  end)
end

--- A variable of the console, else a global, else a module.
---@param name string
---@param variables table of the console
---@return any
function lookup.variable(name, variables)
  local value = lookup.field(variables, name)
  if value == nil then
    value = lookup.field(_G, name)
  end
  if value == nil then
    return names.module(name)
  end
  return value
end

-- --- Expressions --------------------------------------------------------------------------------

-- The value of a token that stands for itself.
local function constant(text, token)
  if token.kind == "number" then
    return tonumber(word_of(text, token))
  elseif token.kind == "string" and not token.open then
    local chunk = load("return " .. word_of(text, token), "=constant", "t", {})
    return chunk and chunk()
  end
end

local evaluate

-- Whether a string behind a token is the argument of a call.
local function is_called(text, token)
  local word = word_of(text, token)
  return token ~= nil and (token.kind == "name" or token.kind == "string" or word == ")" or word == "]")
end

-- A string, in brackets or without; or what require gave for it.
local function string_value(text, tokens, last)
  local argument, callee = tokens[last], tokens[last - 1]
  if word_of(text, argument) == ")" then
    if word_of(text, tokens[last - 2]) ~= "(" then
      return nil
    end
    argument, callee = tokens[last - 1], tokens[last - 3]
  end
  if argument.kind ~= "string" then
    return nil
  elseif word_of(text, callee) == "require" then
    return package.loaded[constant(text, argument)]
  end
  return not is_called(text, callee) and constant(text, argument) or nil
end

--- The value of the expression whose last token is `tokens[last]`; nil when that cannot be known without running it.
---@param text string
---@param tokens strobe.repl.Token[] without comments
---@param last integer
---@param variables table of the console
---@return any
function lookup.value(text, tokens, last, variables)
  return evaluate(text, tokens, last, variables, 0)
end

function evaluate(text, tokens, last, variables, depth)
  local token, before = tokens[last], word_of(text, tokens[last - 1])
  if not token or depth > MOST_BEHIND then
    return nil
  elseif token.kind == "name" and (before == "." or before == ":") then
    return lookup.field(evaluate(text, tokens, last - 2, variables, depth + 1), word_of(text, token))
  elseif token.kind == "name" then
    return lookup.variable(word_of(text, token), variables)
  elseif word_of(text, token) == "]" and word_of(text, tokens[last - 2]) == "[" then
    local key = constant(text, tokens[last - 1])
    return key ~= nil and lookup.field(evaluate(text, tokens, last - 3, variables, depth + 1), key) or nil
  elseif token.kind == "string" or word_of(text, token) == ")" then
    return string_value(text, tokens, last)
  end
end

return lookup
