--- The reference as stubs: LuaCATS definition files, which lua-language-server and its kin read. One for each module,
--- at the path that `require` of its name leads to; editors complete, check and explain by them.

local folder = require "strobe.reference.folder"
local source = require "strobe.reference.source"
local surface = require "strobe.reference.surface"
local wording = require "strobe.reference.wording"

local stubs = {}

local function add(lines, text, ...)
  lines[#lines + 1] = select("#", ...) > 0 and text:format(...) or text
end

local function add_comment(lines, mark, text)
  for line in ((text ~= "" and text .. "\n") or ""):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = (mark .. line):gsub("%s+$", "")
  end
end

-- The rest of a tag's line: type and text. A text may begin with words that mean something in types: "in", "a, b".
local function typed(kind, text)
  kind = kind ~= "" and kind or "any"
  local mark = text:find "^%.%.%." and " " or " # " -- any ...
  return text ~= "" and kind .. mark .. text:gsub("\n%s*", " ") or kind
end

-- A key that is no name stands in brackets: 1, integer.
local function field_name(field)
  local is_key = tonumber(field.name) or field.name == "integer" or field.name == "string" or field.name == "number"
  return is_key and "[" .. field.name .. "]" or field.name .. (field.optional and "?" or "")
end

local function add_fields(lines, class)
  for _, field in ipairs(class.fields) do
    add(lines, "---@field %s %s", field_name(field), typed(field.type, field.text))
  end
end

-- What is said above a definition, but for its tags.
local function add_text(lines, item)
  add_comment(lines, "--- ", wording.text(item))
  local origin = wording.origin(item)
  if origin then
    add(lines, "---\n--- In Python: %s", origin)
  end
end

local flags = { "async", "nodiscard" }

local function add_tags(lines, entry, parameters)
  if entry.generic then
    add(lines, "---@generic %s", entry.generic)
  end
  for _, flag in ipairs(flags) do
    if entry[flag] then
      add(lines, "---@%s", flag)
    end
  end
  for _, parameter in ipairs(parameters) do
    local mark = parameter.optional and "?" or ""
    add(lines, "---@param %s%s %s", parameter.name, mark, typed(parameter.type, parameter.text))
  end
  for _, result in ipairs(entry.returns) do
    add(lines, "---@return %s", typed(result.type, result.text))
  end
end

-- The parameters of a method whose annotation names its self.
local function without_self(parameters)
  local first = parameters[1]
  return table.move(parameters, first and first.name == "self" and 2 or 1, #parameters, 1, {})
end

local function names_of(parameters)
  local names = {}
  for i, parameter in ipairs(parameters) do
    names[i] = parameter.name
  end
  return names
end

local function add_function(lines, item, name)
  local entry = item.entry
  local parameters = entry and without_self(entry.parameters) or {}
  lines[#lines + 1] = ""
  add_text(lines, item)
  if entry then
    add_tags(lines, entry, parameters)
  end
  local arguments = entry and (entry.arguments or names_of(parameters)) or { "..." }
  local before, last = name:match "^(local )(.*)$"
  add(lines, "%sfunction %s(%s) end", before or "", last or name, table.concat(arguments, ", "))
end

-- An error's class is called to make one.
local ERROR_CLASS = "strobe.Error|fun(message?: string): strobe.Error"

local function add_value(lines, item, name)
  local kind, literal = type(item.live), "nil"
  if kind == "string" then
    kind, literal = nil, ("%q"):format(item.live)
  elseif kind == "boolean" or kind == "number" and item.live == item.live // 1 and item.live < math.huge then
    kind, literal = nil, tostring(item.live)
  elseif kind == "table" then
    local metatable = getmetatable(item.live)
    kind, literal = metatable and metatable.__call and ERROR_CLASS or kind, "{}"
  end
  lines[#lines + 1] = ""
  add_text(lines, item)
  kind = item.entry and item.entry.type or kind
  if kind then
    add(lines, "---@type %s", kind)
  end
  add(lines, "%s = %s", name, literal)
end

local function is_function(item)
  return item.kind == "function" or item.entry and item.entry.type and item.entry.type:find "^fun%(" ~= nil
end

local function add_item(lines, item, name)
  if is_function(item) then
    add_function(lines, item, name)
  else
    add_value(lines, item, (name:gsub(":", ".")))
  end
end

local function add_class(lines, class)
  lines[#lines + 1] = ""
  add_comment(lines, "--- ", wording.text(class))
  if class.alias then
    add(lines, "---@alias %s %s", class.class, class.alias)
    return
  end
  add(lines, "---@class %s%s", class.class, #class.parents > 0 and " : " .. table.concat(class.parents, ", ") or "")
  add_fields(lines, class)
  if #class.methods > 0 then
    add(lines, "local %s = {}", class.short)
  end
  for _, method in ipairs(class.methods) do
    add_item(lines, method, method.short)
  end
end

local function add_head(lines, module)
  add(lines, "---@meta %s\n", module.name)
  add_comment(lines, "-- ", wording.text(module))
  add(lines, "\n-- Made by `strobe init` or `strobe help --stubs` of the annotations in the sources: changes are lost.")
end

-- The module's own table may have a class, with fields.
local function add_table(lines, module, name)
  add(lines, "\n---@class %s", module.name)
  for _, class in ipairs(module.classes) do
    if class.class == module.name then
      add_fields(lines, class)
    end
  end
  add(lines, "local %s = {}", name)
  for i = #module.namespaces, 1, -1 do -- those inside others come first there
    local namespace = module.namespaces[i]
    add(lines, "\n---@class %s\n%s.%s = {}", namespace.name, name, namespace.name:sub(#module.name + 2))
  end
end

local function finish(lines, result)
  add(lines, "\nreturn %s", result)
  return table.concat(lines, "\n") .. "\n"
end

-- A module that is a function, as strobe.print.
local function function_stub(module, live, name)
  local lines, entry = {}, surface.entry(live, module.path, name)
  add_head(lines, module)
  add_function(lines, { kind = "function", name = name, entry = entry }, "local " .. name)
  return finish(lines, name)
end

local function module_stub(module)
  local live, name = require(module.name), module.short:match "[%w_]+$"
  if type(live) == "function" then
    return function_stub(module, live, name)
  end
  local lines = {}
  add_head(lines, module)
  for _, class in ipairs(module.classes) do
    source.pause()
    if class.class ~= module.name then
      add_class(lines, class)
    end
  end
  add_table(lines, module, name)
  for _, item in ipairs(module.items) do
    source.pause()
    add_item(lines, item, name .. "." .. item.short)
  end
  return finish(lines, name)
end

-- The stub of a table in a module that is a module itself, as async.fs.
local function namespace_stub(namespace)
  local lines, outer = {}, namespace.outer
  add_head(lines, namespace)
  return finish(lines, ('require("%s").%s'):format(outer.name, namespace.name:sub(#outer.name + 2)))
end

local function file_of(name)
  return name:gsub("%.", "/") .. ".lua"
end

--- All stubs.
---@async
---@return table<string, string> texts by "strobe/async.lua"
function stubs.texts()
  local texts = {}
  for _, module in ipairs(surface.model().modules) do
    texts[file_of(module.name)] = module_stub(module)
    for _, namespace in ipairs(module.namespaces) do
      if namespace.path ~= module.path then
        texts[file_of(namespace.name)] = namespace_stub(namespace)
      end
    end
  end
  return texts
end

--- Writes all stubs into a folder: what the setting `workspace.library` names.
---@async
---@param path string
---@return integer? count of files
---@return string? message
---@return string? code
function stubs.write(path)
  return folder.write(path, stubs.texts())
end

return stubs
