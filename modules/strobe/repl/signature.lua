--- What the call around the cursor takes: "ws.connect(uri: string, options?: Options)".

local host = require "strobe.core.host"
local lexer = require "strobe.repl.lexer"
local lookup = require "strobe.repl.lookup"
local standard = require "strobe.repl.standard"

local signature = {}

---@class strobe.repl.Signature
---@field text string
---@field parameter integer the one at which the cursor is, from 1 on
---@field waits? boolean

local closing = { [")"] = true, ["]"] = true, ["}"] = true }

-- The brackets that are open at the text's end, the outermost first, with the commas in each.
local function open_brackets(text, tokens)
  local open = {}
  for i, token in ipairs(tokens) do
    local word = token.kind == "symbol" and text:sub(token.first, token.last)
    if word == "(" or word == "[" or word == "{" then
      open[#open + 1] = { place = i, word = word, commas = 0 }
    elseif closing[word] then
      open[#open] = nil
    elseif word == "," and open[1] then
      open[#open].commas = open[#open].commas + 1
    end
  end
  return open
end

-- The first token of the expression that ends at a place: "a.b:c" from its a on.
local function begin_of(text, tokens, last)
  local first = last
  while first > 2 do
    local word = text:sub(tokens[first - 1].first, tokens[first - 1].last)
    if word ~= "." and word ~= ":" then
      break
    end
    first = first - 2
  end
  return first
end

-- --- What is known of a function ----------------------------------------------------------------

local files = {}

local function file_of(path)
  if files[path] == nil then
    local source = require "strobe.reference.source"
    local text = source.text(path)
    files[path] = text and source.parse(path, text) or false
  end
  return files[path] or { entries = {} }
end

-- What the source says of one of strobe's own functions in Lua.
local function entry_of(f)
  local path, line = require("strobe.reference.surface").place(f)
  for _, entry in ipairs(path and file_of(path).entries or {}) do
    if entry.line == line then
      return entry
    end
  end
end

-- The folder, or file, of a module: "modules/strobe/async".
local function place_of(module)
  for name, loaded in pairs(package.loaded) do
    if rawequal(loaded, module) and type(name) == "string" and name:find "^strobe%.[%w_]+$" then
      return "modules/" .. name:gsub("%.", "/")
    end
  end
end

-- What the source of a module says of its field of that name, which is in C.
local function entry_in(module, name)
  local place = place_of(module)
  for _, path in ipairs(place and host.embedded() or {}) do
    local is_in_module = path == place .. ".lua" or path:sub(1, #place + 1) == place .. "/" and path:find "%.lua$"
    if is_in_module and host.embedded(path):find("." .. name .. " =", 1, true) then
      for _, entry in ipairs(file_of(path).entries) do
        if entry.name == name and entry.owner and not entry.of then
          return entry
        end
      end
    end
  end
end

-- The names of a Lua function's parameters.
local function names_of(f)
  local info, names = debug.getinfo(f, "u"), {}
  for i = 1, info.nparams do
    names[i] = debug.getlocal(f, i)
  end
  names[#names + 1] = info.isvararg and "..." or nil
  return names
end

local function short_type(kind)
  return (kind:gsub("strobe%.[%w_.]*%.", ""):gsub("strobe%.", ""))
end

local function word_of(name, parameter)
  if not parameter or parameter.type == "" then
    return name
  end
  return ("%s%s: %s"):format(name, parameter.optional and "?" or "", short_type(parameter.type))
end

local function words_of(names, entry)
  local known, words = {}, {}
  for i, parameter in ipairs(entry and entry.parameters or {}) do
    known[parameter.name] = parameter
    words[i] = not names and word_of(parameter.name, parameter) or nil
  end
  for i, name in ipairs(names or {}) do
    words[i] = word_of(name, known[name])
  end
  return words
end

local function results_of(entry)
  local types = {}
  for i, result in ipairs(entry and entry.returns or {}) do
    types[i] = short_type(result.type)
  end
  return types[1] and " → " .. table.concat(types, ", ") or ""
end

-- Of a method the first parameter stands before the colon.
local function without_first(words, method)
  if method then
    table.remove(words, 1)
  end
  return words
end

local function of_lua(f, name, method)
  local entry = entry_of(f)
  local words = without_first(words_of(names_of(f), entry), method)
  return ("%s(%s)%s"):format(name, table.concat(words, ", "), results_of(entry)), entry and entry.async or nil
end

local function of_c(f, name, method, owner)
  local known = standard.signature(f)
  if known then
    local parameters = method and known.parameters:gsub("^[^,]*,?%s*", "") or known.parameters
    return ("%s(%s)%s"):format(name, parameters, known.results)
  end
  local entry = entry_in(owner, name:match "[%w_]+$")
  if not entry then
    return nil
  end
  local words = without_first(words_of(nil, entry), method)
  return ("%s(%s)%s"):format(name, table.concat(words, ", "), results_of(entry)), entry.async
end

--- How a function is called.
---@param f function
---@param name string as it was written
---@param method boolean its first parameter stands before the colon
---@param owner any where it is a field
---@return string? text nil for a C function of which nothing is known
---@return boolean? waits
function signature.of(f, name, method, owner)
  local of_kind = debug.getinfo(f, "S").what == "C" and of_c or of_lua
  return of_kind(f, name, method, owner)
end

-- --- The call around the cursor -----------------------------------------------------------------

local function of_bracket(text, tokens, bracket, variables)
  local last = bracket.place - 1
  if not tokens[last] or tokens[last].kind ~= "name" then
    return nil
  end
  local first = begin_of(text, tokens, last)
  local before = tokens[first - 1]
  local value = lookup.value(text, tokens, last, variables)
  if type(value) ~= "function" or before and text:sub(before.first, before.last) == "function" then
    return nil
  elseif tokens[first].kind ~= "name" then
    first = last
  end
  local name = text:sub(tokens[first].first, tokens[last].last):gsub("%s", "")
  local method = last > 1 and text:sub(tokens[last - 1].first, tokens[last - 1].last) == ":"
  local owner = last > 2 and lookup.value(text, tokens, last - 2, variables)
  local told, waits = signature.of(value, name, method, owner)
  return told and { text = told, parameter = bracket.commas + 1, waits = waits }
end

--- The signature of the innermost call that is open at the cursor.
---@param text string
---@param cursor integer bytes before it
---@param variables table of the console
---@return strobe.repl.Signature?
function signature.at(text, cursor, variables)
  text = text:sub(1, cursor)
  local tokens = lexer.code(text)
  local open = open_brackets(text, tokens)
  for i = #open, 1, -1 do
    local found = open[i].word == "(" and of_bracket(text, tokens, open[i], variables)
    if found then
      return found
    end
  end
end

return signature
