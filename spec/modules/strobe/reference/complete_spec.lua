-- Every public function is annotated, and every annotation is about what exists: the living tables of all public
-- modules, and of the classes they name, are compared with what the parser of annotations has found.

local body = require "spec.support.lua_body"
local living = require "spec.support.living"
local source = require "strobe.reference.source"
local surface = require "strobe.reference.surface"

-- Classes that are written in C: their metatables in the registry.
local in_c = {
  ["strobe.Stream"] = "strobe.stream", ["strobe.Handle"] = "Handle",
  ["strobe.Task"] = "Task", ["strobe.Future"] = "Future",
}

-- Methods of classes in C that are for our own modules.
local internal = {
  Task = { awaited = true, failure = true, get_detail = true, set_detail = true, state = true, threads = true },
  Future = { failure = true },
}

local model, tables, variables

-- Names of what is wrong, sorted; none is right.
local function assert_none(wrong, what)
  table.sort(wrong)
  assert.message(what .. ":\n  " .. table.concat(wrong, "\n  ")).equal(0, #wrong)
end

local function place(f)
  local path, line = surface.place(f)
  return path and ("%s:%d"):format(path, line) or "in C"
end

-- The class to which a method belongs by its annotation, if it has one.
local function class_of(f)
  local path, line = surface.place(f)
  for _, entry in ipairs(path and source.files()[path] and source.files()[path].entries or {}) do
    if entry.line == line and entry.of then
      return entry.of.name
    end
  end
end

-- The class to which most of a table's methods belong: some may be another class's.
local function class_of_table(t)
  local counts, most = {}, nil
  for name, f in next, rawget(t, "__index") and t or {} do
    local class = type(f) == "function" and not tostring(name):find "^__" and class_of(f)
    if class then
      counts[class] = (counts[class] or 0) + 1
      most = (not most or counts[class] > counts[most]) and class or most
    end
  end
  return most
end

-- The tables of classes by the classes' names: those that hold their methods, or are held in the variables below their
-- annotations.
local function class_tables()
  local found = {}
  for t in pairs(tables) do
    found[class_of_table(t) or false] = t
  end
  for path, file in pairs(source.files()) do
    for variable, class in pairs(file.owners) do
      found[class.name] = variables[path .. ":" .. variable] or found[class.name]
    end
  end
  for class, name in pairs(in_c) do
    found[class] = debug.getregistry()[name]
  end
  return found
end

-- Calls visit(item, f) for each public function; a method is looked up in its class.
local function each_function(visit)
  local classes = class_tables()
  for _, module in ipairs(model.modules) do
    for _, item in ipairs(module.items) do
      if type(item.live) == "function" then
        visit(item, item.live)
      end
    end
    for _, class in ipairs(module.classes) do
      for _, method in ipairs(class.methods) do
        local f = classes[class.class] and rawget(classes[class.class], method.last)
        if type(f) == "function" then
          visit(method, f, classes[class.class])
        end
      end
    end
  end
end

local function entry_of_method(class, name)
  for _, method in ipairs(class.methods) do
    if method.last == name then
      return method.entry
    end
  end
  for _, field in ipairs(class.fields) do
    if field.name == name then
      return field
    end
  end
  for _, parent in ipairs(class.parents) do
    local found = model.classes[parent] and entry_of_method(model.classes[parent], name)
    if found then
      return found
    end
  end
end

-- Whether the function has an annotation that says it is not for users.
local function is_hidden(f, class, name)
  local path, line = surface.place(f)
  for _, entry in ipairs(path and source.files()[path].entries or {}) do
    if entry.line == line then
      return entry.hidden
    end
  end
  local ours = internal[class.short]
  return ours and ours[name]
end

describe("every public function", function()
  setup(function()
    model = surface.model()
    for _, name in pairs(in_c) do
      require("strobe.core." .. (name == "strobe.stream" and "pipe" or name:lower()))
    end
    require("strobe.net").pipe()
    for _, class in pairs(model.classes) do
      local name = class.path:match "^modules/(.*)%.lua$":gsub("/init$", ""):gsub("/", ".")
      require(name)
    end
    tables, variables = living.tables()
  end)

  it("of a module has an annotation with a text", function()
    local wrong = {}
    for _, module in ipairs(model.modules) do
      for _, item in ipairs(module.items) do
        if not item.entry or item.entry.text == "" then
          local where = type(item.live) == "function" and place(item.live) or "value"
          wrong[#wrong + 1] = ("%s (%s)"):format(item.name, where)
        end
      end
    end
    assert_none(wrong, "without annotation")
  end)

  it("of a class has one, too, in Lua or in C", function()
    local wrong, classes = {}, class_tables()
    for name, class in pairs(model.classes) do
      for key, f in pairs(classes[name] or {}) do
        local is_method = type(f) == "function" and type(key) == "string" and not key:find "^__"
        if is_method and not is_hidden(f, class, key) then
          local entry = entry_of_method(class, key)
          if not entry or entry.text == "" then
            wrong[#wrong + 1] = ("%s:%s (%s)"):format(class.name, key, place(f))
          end
        end
      end
    end
    assert_none(wrong, "without annotation")
  end)

  it("of a kind of part, too", function()
    local wrong, reserved = {}, { start = true, finish = true, pins = true }
    for _, part in ipairs(model.by_short.gpio.parts) do
      local kind = assert(require("strobe.gpio.part").find(part.name:match "[%w_]+$"))
      for name, f in pairs(kind) do
        local entry = part.class_item and entry_of_method(part.class_item, name)
        if type(f) == "function" and not reserved[name] and not (entry and entry.text ~= "") then
          wrong[#wrong + 1] = ("%s: %s (%s)"):format(part.name, name, place(f))
        end
      end
    end
    assert_none(wrong, "without annotation")
  end)

  it("has a ---@param for each parameter, by its name", function()
    local wrong = {}
    each_function(function(item, f)
      -- Told above another function than f: a closure, or written in C.
      if not item.entry or place(f) ~= ("%s:%d"):format(item.entry.path, item.entry.line) then
        return
      end
      local real, told = living.parameters(f), {}
      if real[1] == "self" or real[1] == "_" then
        table.remove(real, 1)
      end
      for i, parameter in ipairs(item.entry.parameters) do
        told[i] = parameter.name
      end
      if table.concat(real, ", ") ~= table.concat(told, ", ") then
        local text = "%s(%s) is told as (%s) (%s)"
        wrong[#wrong + 1] = text:format(item.name, table.concat(real, ", "), table.concat(told, ", "), place(f))
      end
    end)
    assert_none(wrong, "parameters differ")
  end)

  it("has a type for each parameter and result", function()
    local wrong = {}
    each_function(function(item)
      for _, list in ipairs { item.entry and item.entry.parameters or {}, item.entry and item.entry.returns or {} } do
        for _, each in ipairs(list) do
          if each.type == "" then
            wrong[#wrong + 1] = ("%s: %s"):format(item.name, each.name or "result")
          end
        end
      end
    end)
    assert_none(wrong, "without type")
  end)

  it("has a ---@return if it returns values", function()
    local wrong = {}
    each_function(function(item, f)
      if surface.place(f) and item.entry and #item.entry.returns == 0 and body.returns(living.text(f)) then
        wrong[#wrong + 1] = ("%s (%s)"):format(item.name, place(f))
      end
    end)
    assert_none(wrong, "without ---@return")
  end)
end)

-- --- Who waits --------------------------------------------------------------------------------

local waits

-- The function that a name means inside f: a local one, a field of a local table, a method of f's own class.
local function resolve(f, name, class)
  local first, rest = name:match "^([%w_]+)(.*)$"
  if first == "self" then
    local method = rest:match "^:([%w_]+)$"
    return method and class and rawget(class, method)
  end
  for i = 1, 255 do
    local variable, value = debug.getupvalue(f, i)
    if not variable then
      return nil
    elseif variable == first then
      local field = rest:match "^%.([%w_]+)$"
      return rest == "" and value or field and type(value) == "table" and rawget(value, field) or nil
    end
  end
end

local entries_by_place

local function is_told_to_wait(f)
  if not entries_by_place then
    entries_by_place = {}
    for path, file in pairs(source.files()) do
      for _, entry in ipairs(file.entries) do
        entries_by_place[path .. ":" .. entry.line] = entry
      end
    end
  end
  local entry = entries_by_place[place(f)]
  return entry and entry.async
end

-- Why a function waits: the name of what it calls that does, or nil as far as can be told.
local function why_it_waits(f, class, seen)
  if seen[f] or not surface.place(f) then
    return nil
  end
  seen[f] = true
  for _, name in ipairs(body.calls(living.text(f))) do
    local called = resolve(f, name, class)
    local is_known = name:find ":park$" or name:find ":await$" or waits[called or false]
    if is_known or type(called) == "function" and (is_told_to_wait(called) or why_it_waits(called, class, seen)) then
      return name
    end
  end
end

describe("a public function that waits, as far as its text shows it,", function()
  setup(function()
    waits = {
      [require("strobe.core.time").sleep] = true,
      [require("strobe.core.join").wait] = true,
      [require("strobe.core.resolve").resolve] = true,
      [require("strobe.core.socket").connect] = true,
    }
  end)

  it("says so by ---@async", function()
    local wrong = {}
    each_function(function(item, f, class)
      local why = item.entry and not item.entry.async and why_it_waits(f, class, {})
      if why then
        wrong[#wrong + 1] = ("%s calls %s (%s)"):format(item.name, why, place(f))
      end
    end)
    assert_none(wrong, "without ---@async")
  end)
end)

describe("every documented name", function()
  it("exists: each public class that has methods is found living, with them", function()
    local wrong, classes = {}, class_tables()
    for name, class in pairs(model.classes) do
      for _, method in ipairs(class.methods) do
        local living_class = classes[name]
        local is_part = class.path:find("/gpio/parts/", 1, true)
        if not is_part and not (living_class and living_class[method.last] ~= nil) then
          wrong[#wrong + 1] = method.name
        end
      end
    end
    assert_none(wrong, "told, but not there")
  end)

  it("is the name of one thing", function()
    local wrong, seen = {}, {}
    for _, module in ipairs(model.modules) do
      for _, list in ipairs { module.items, module.classes, module.parts } do
        for _, item in ipairs(list) do
          -- A class and the function that makes its objects share a name.
          local key = (item.kind == "class" and "class " or "") .. item.name
          wrong[#wrong + 1] = seen[key] and key or nil
          seen[key] = true
        end
      end
    end
    assert_none(wrong, "the name of several")
  end)

  it("is a type that is defined, where an annotation names one", function()
    local wrong = {}
    for name, where in pairs(model.unknown) do
      wrong[#wrong + 1] = ("%s, named in %s"):format(name, where)
    end
    assert_none(wrong, "named, but nowhere defined")
  end)

  it("is reached: the walk has seen the classes that everybody uses", function()
    local count = 0
    for _ in pairs(tables) do
      count = count + 1
    end
    assert.is_true(count > 200)
    local classes = class_tables()
    for _, name in ipairs { "strobe.Queue", "strobe.Stream", "strobe.http.Session", "strobe.gpio.Board" } do
      assert.is_table(classes[name], name)
    end
  end)
end)
