--- What strobe offers: the public modules with their functions and values, and the classes these name.
--
-- The names are those of the living modules, so that none is missing and none is made up; what they mean is said by the
-- annotation above each definition. A Lua function is found by its file and line, anything else by its name.

local source = require "strobe.reference.source"

local surface = {}

---@class strobe.reference.Item
---@field kind "function"|"value"|"class"|"module"|"part"
---@field name string as a program says it, without strobe: "async.gather", "async.Queue:put"
---@field short string "gather", "Queue:put"
---@field module strobe.reference.Module
---@field entry? strobe.reference.Entry none where it is not annotated
---@field live? any the function or value itself

---@class strobe.reference.ClassItem : strobe.reference.Item
---@field class string "strobe.Queue"
---@field text string
---@field parents string[]
---@field fields strobe.reference.Parameter[]
---@field methods strobe.reference.Item[]

---@class strobe.reference.Module
---@field name string "strobe.net"
---@field short string "net"
---@field path string
---@field head string
---@field items strobe.reference.Item[] functions and values, by name
---@field classes strobe.reference.ClassItem[]
---@field parts strobe.reference.Item[] kinds of parts for circuit boards
---@field namespaces strobe.reference.Module[] tables of functions in it, as async.fs; their items are among its items
---@field outer? strobe.reference.Module that of a namespace

-- What the command line is made of, and what other modules offer as their own.
local internal = {
  alarm = true, arguments = true, command = true, compiler = true, console = true, debug = true, editor = true,
  grid = true, help = true, project = true, proxy = true, quantity = true, reference = true, report = true,
  script = true, spelling = true, test = true, throttle = true, tls = true, trace = true,
}

-- Modules inside others that are required by their own name, and are no field of the other one.
local inner = { "gpio/i2c", "gpio/arduino", "tectonic/source", "tectonic/tick" }

-- The public modules' short names and files, sorted.
local function module_paths()
  local paths, names = {}, {}
  for path in pairs(source.files()) do
    local name, rest = path:match "^modules/strobe/([%w_]+)(.*)$"
    if not internal[name] and (rest == ".lua" or rest == "/init.lua") then
      paths[name] = path
    end
  end
  for _, name in ipairs(inner) do
    paths[name:gsub("/", ".")] = "modules/strobe/" .. name .. ".lua"
  end
  for name in pairs(paths) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names, paths
end

--- The file and line in which a Lua function was defined; nothing for one in C.
---@param f function
---@return string? path "modules/strobe/net.lua"
---@return integer? line
function surface.place(f)
  local info = debug.getinfo(f, "S")
  local path = info.source:match ".*(modules/strobe/.*)$"
  return path, path and info.linedefined
end

local by_place, by_name

local function note(entry, folder)
  by_place[entry.path .. ":" .. entry.line] = entry
  -- A module may be a class itself, as strobe.async is.
  local is_of_class = entry.of and entry.of.name:gsub("%.", "/") ~= folder:match "strobe/.*"
  if entry.name and not is_of_class then
    by_name[entry.path .. ":" .. entry.name] = by_name[entry.path .. ":" .. entry.name] or entry
    by_name[folder .. ":" .. entry.name] = by_name[folder .. ":" .. entry.name] or entry
  end
end

local function index()
  if by_place then
    return
  end
  by_place, by_name = {}, {}
  for path, file in pairs(source.files()) do
    for _, entry in ipairs(file.entries) do
      note(entry, path:match "^modules/strobe/[%w_]+")
    end
  end
end

--- The annotation of a value: of the function where it is defined, or of the name it has in the module.
---@param value any
---@param path string the module's file
---@param name string
---@return strobe.reference.Entry?
function surface.entry(value, path, name)
  index()
  if type(value) == "function" then
    local where, line = surface.place(value)
    local entry = where and by_place[where .. ":" .. line]
    if entry and entry.text ~= "" then
      return entry
    end
  end
  return by_name[path .. ":" .. name] or by_name[path:match "^modules/strobe/[%w_]+" .. ":" .. name]
end

local function sorted_names(t)
  local names = {}
  for name in pairs(t) do
    if type(name) == "string" and not name:find "^__" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

-- A file's head comment, without the name of the module, which is told anyway.
local function head_of(path)
  return (source.files()[path].head:gsub("^strobe%.[%w_.]+:%s*", ""))
end

-- A table that groups functions, as async.fs or testing.mock does; a class is none.
local function is_namespace(value)
  if type(value) ~= "table" or getmetatable(value) ~= nil or rawget(value, "__index") ~= nil then
    return false
  end
  for name in pairs(value) do
    if type(name) ~= "string" then
      return false
    end
  end
  return next(value) ~= nil
end

-- The file of a namespace: of the module that it is, or else that in which it stands.
local function path_of_namespace(value, default)
  for name, loaded in pairs(package.loaded) do
    if rawequal(loaded, value) and type(name) == "string" and name:find "^strobe%." then
      local path = "modules/" .. name:gsub("%.", "/")
      return source.files()[path .. ".lua"] and path .. ".lua" or path .. "/init.lua"
    end
  end
  return default
end

local add_items

-- A table of functions: a module inside the module.
local function add_namespace(module, name, t, path)
  local first, short = #module.items + 1, module.short .. "." .. name
  add_items(module, name .. ".", t, path)
  table.insert(module.namespaces, {
    kind = "module", name = "strobe." .. short, short = short, outer = module, path = path, classes = {}, parts = {},
    namespaces = {},
    head = path ~= module.path and head_of(path) or "",
    items = table.move(module.items, first, #module.items, 1, {}),
  })
end

function add_items(module, prefix, t, path)
  for _, name in ipairs(sorted_names(t)) do
    local value = t[name]
    local entry = surface.entry(value, path, name)
    if is_namespace(value) then
      add_namespace(module, prefix .. name, value, path_of_namespace(value, path))
    elseif not (entry and entry.hidden) then
      table.insert(module.items, {
        kind = type(value) == "function" and "function" or "value",
        name = module.short .. "." .. prefix .. name,
        short = prefix .. name,
        module = module,
        entry = entry,
        live = value,
      })
    end
  end
end

local function add_parts(module)
  for _, path in ipairs(require("strobe.core.host").embedded()) do
    local name = path:match "^modules/strobe/gpio/parts/([%w_]+)%.lua$"
    if name then
      local full = "gpio.parts." .. name
      table.insert(module.parts, { kind = "part", name = full, short = "parts." .. name, module = module,
        path = path, text = source.files()[path].head })
    end
  end
end

local function open_module(short, path)
  local name = "strobe." .. short
  local module = { kind = "module", name = name, short = short, path = path, head = head_of(path),
    items = {}, classes = {}, parts = {}, namespaces = {} }
  local live = require(name)
  if type(live) == "table" then
    add_items(module, "", live, path)
  end
  if short == "gpio" then
    add_parts(module)
  end
  return module
end

-- --- Classes --------------------------------------------------------------------------------

local function class_item(found, name, path)
  local item = found[name]
  if not item then
    item = { kind = "class", class = name, text = "", parents = {}, fields = {}, methods = {}, path = path }
    found[name] = item
  end
  return item
end

local function merge_class(item, class)
  item.text = item.text == "" and class.text or item.text
  table.move(class.parents, 1, #class.parents, #item.parents + 1, item.parents)
  table.move(class.fields, 1, #class.fields, #item.fields + 1, item.fields)
end

local function add_method(item, entry)
  if not entry.name or entry.hidden or entry.name:find "^__" or entry.is_class then
    return
  end
  table.insert(item.methods, {
    kind = entry.arguments and "function" or "value", entry = entry,
    separator = (entry.method or not entry.arguments) and ":" or ".", last = entry.name,
  })
end

-- All classes by name, with what is said of them in whatever file.
local function all_classes()
  local found = {}
  for path, file in pairs(source.files()) do
    for _, entry in ipairs(file.entries) do
      for i, class in ipairs(entry.classes) do
        local item = class_item(found, class.name, path)
        merge_class(item, class)
        if i == #entry.classes and item.text == "" then
          item.text = entry.text
        end
      end
      for _, alias in ipairs(entry.aliases) do
        local item = class_item(found, alias.name, path)
        item.text, item.alias = alias.text ~= "" and alias.text or entry.text, alias.type
      end
      if entry.of then
        add_method(class_item(found, entry.of.name, path), entry)
      end
    end
  end
  return found
end

local function types_of_entry(entry, visit)
  for _, list in ipairs { entry.parameters, entry.returns } do
    for _, each in ipairs(list) do
      visit(each.type)
    end
  end
  visit(entry.type or "")
end

local function types_of_class(item, visit)
  for _, parent in ipairs(item.parents) do
    visit(parent)
  end
  for _, field in ipairs(item.fields) do
    visit(field.type)
  end
  for _, method in ipairs(item.methods) do
    types_of_entry(method.entry, visit)
  end
  visit(item.alias or "")
end

-- Who speaks for the classes of a module that is not public.
local speakers = { proxy = "net", tls = "net" }

-- The public module in whose file or folder a class is; else the one that names it.
local function home_of(model, item, default)
  for _, module in ipairs(model.modules) do
    if module.path == item.path then
      return module
    end
  end
  local folder = item.path:match "^modules/strobe/([%w_]+)"
  return model.by_short[speakers[folder] or folder] or default
end

local function place_class(model, item, default)
  local module = home_of(model, item, default)
  local last = item.class:match "[%w_]+$"
  item.module, item.short, item.name = module, last, module.short .. "." .. last
  for _, method in ipairs(item.methods) do
    method.module, method.class = module, item
    method.short = last .. method.separator .. method.last
    method.name = module.short .. "." .. method.short
  end
  table.sort(item.methods, function(a, b)
    return a.short < b.short
  end)
  table.insert(module.classes, item)
end

-- Takes up the classes that public items name, and those that these name.
local function add_classes(model)
  local all = all_classes()
  local function visit_from(default)
    local function visit(kind)
      for name in kind:gmatch "strobe%.[%w_.]+" do
        local item = all[name]
        if not item then
          model.unknown[name] = default.name
        elseif not model.classes[name] then
          model.classes[name] = item
          place_class(model, item, default)
          types_of_class(item, visit_from(item.module))
        end
      end
    end
    return visit
  end
  for _, module in ipairs(model.modules) do
    for _, item in ipairs(module.items) do
      if item.entry then
        types_of_entry(item.entry, visit_from(module))
      end
    end
  end
  for name, item in pairs(all) do
    local parent = item.parents[1]
    if parent == "strobe.gpio.Part" and not model.classes[name] then
      model.classes[name] = item
      place_class(model, item, model.by_short.gpio)
    end
  end
end

-- A kind of part and the class of its parts stand in one file.
local function join_parts(model)
  for _, part in ipairs(model.by_short.gpio.parts) do
    for _, class in pairs(model.classes) do
      if class.path == part.path then
        part.class_item = class
      end
    end
  end
end

---@class strobe.reference.Model
---@field modules strobe.reference.Module[]
---@field by_short table<string, strobe.reference.Module>
---@field classes table<string, strobe.reference.ClassItem> by "strobe.Queue"
---@field unknown table<string, string> names of types that are nowhere defined, and the module that names them

local model

--- All that is public. The first time it reads all files, and lets others run meanwhile.
---@async
---@return strobe.reference.Model
function surface.model()
  if model then
    return model
  end
  local names, paths = module_paths()
  local new = { modules = {}, by_short = {}, classes = {}, unknown = {} }
  for _, short in ipairs(names) do
    source.pause()
    local module = open_module(short, paths[short])
    table.insert(new.modules, module)
    new.by_short[short] = module
  end
  add_classes(new)
  join_parts(new)
  for _, module in ipairs(new.modules) do
    table.sort(module.classes, function(a, b)
      return a.short < b.short
    end)
  end
  model = new
  return model
end

return surface
