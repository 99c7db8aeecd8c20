-- The stubs are compared with the living modules, both ways, as an editor would see them: they are loaded.

local Folder = require "spec.support.folder"
local fs = require "strobe.async.fs"
local host = require "strobe.core.host"
local living = require "spec.support.living"
local stubs = require "strobe.reference.stubs"
local surface = require "strobe.reference.surface"

local texts

-- What a stub returns. The modules it asks for are other stubs.
local function load_stub(path)
  local env = {}
  function env.require(name)
    return load_stub(name:gsub("%.", "/") .. ".lua")
  end
  return assert(load(assert(texts[path], path), "@" .. path, "t", env))()
end

local function is_namespace(value)
  return type(value) == "table" and not getmetatable(value) and not rawget(value, "__index") and next(value) ~= nil
end

-- Calls visit(name, value, stub) for each public name of a living table, and of the tables in it.
local function each_name(prefix, live, stub, visit)
  for name, value in pairs(live) do
    if type(name) == "string" and not name:find "^__" then
      local path = prefix .. "." .. name
      visit(path, value, stub[name])
      if is_namespace(value) and type(stub[name]) == "table" then
        each_name(path, value, stub[name], visit)
      end
    end
  end
end

-- What is said about a name of a module.
local function entry_of(value, path)
  local module, name = path:match "^strobe%.([%w_]+).-%.([%w_]+)$"
  return surface.entry(value, "modules/strobe/" .. module .. ".lua", name)
end

local function is_hidden(value, path)
  local entry = entry_of(value, path)
  return entry and entry.hidden
end

local function assert_none(wrong, what)
  table.sort(wrong)
  assert.message(what .. ":\n  " .. table.concat(wrong, "\n  ")).equal(0, #wrong)
end

-- The annotation above a definition in a stub.
local function block_above(text, definition)
  local at = assert(text:find(definition, 1, true), definition)
  return text:sub(1, at - 1):match ".*\n\n(.-)$"
end

describe("the stubs", function()
  setup(function()
    texts = stubs.texts()
  end)

  it("are one for each public module, and no more", function()
    local wrong, expected = {}, {}
    for _, module in ipairs(surface.model().modules) do
      local path = module.name:gsub("%.", "/") .. ".lua"
      expected[path] = true
      wrong[#wrong + 1] = not texts[path] and path or nil
    end
    for path, text in pairs(texts) do
      local name = path:gsub("%.lua$", ""):gsub("/", ".")
      assert.equal("---@meta " .. name, text:match "^[^\n]*")
      wrong[#wrong + 1] = not expected[path] and not pcall(require, name) and path or nil
    end
    assert_none(wrong, "no stub, or no module")
  end)

  it("have every name that the living modules export", function()
    local wrong = {}
    for _, module in ipairs(surface.model().modules) do
      local live = require(module.name)
      if type(live) == "table" then
        each_name(module.name, live, load_stub(module.name:gsub("%.", "/") .. ".lua"), function(path, value, stub)
          -- A value that a stub can only give a type is nil in it.
          if stub == nil and (type(value) == "function" or type(value) == "table") and not is_hidden(value, path) then
            wrong[#wrong + 1] = path
          end
        end)
      end
    end
    assert_none(wrong, "exported, but no stub")
  end)

  it("have no name that the living modules do not export", function()
    local wrong = {}
    for path in pairs(texts) do
      local name = path:gsub("%.lua$", ""):gsub("/", ".")
      local live, stub = require(name), load_stub(path)
      assert.equal(type(live), type(stub), name)
      each_name(name, type(stub) == "table" and stub or {}, live, function(full, _, value)
        wrong[#wrong + 1] = value == nil and full or nil
      end)
    end
    assert_none(wrong, "a stub, but not exported")
  end)

  it("have the parameters of the living functions, by name", function()
    local wrong = {}
    for _, module in ipairs(surface.model().modules) do
      local live = require(module.name)
      if type(live) == "table" then
        each_name(module.name, live, load_stub(module.name:gsub("%.", "/") .. ".lua"), function(path, value, stub)
          if type(value) == "function" and type(stub) == "function" and surface.place(value) then
            local item = entry_of(value, path)
            local is_told_there = item and item.line == debug.getinfo(value, "S").linedefined
            local real, told = living.parameters(value), living.parameters(stub)
            if is_told_there and table.concat(real, ", ") ~= table.concat(told, ", ") then
              wrong[#wrong + 1] = ("%s(%s) is (%s) in the stub"):format(path, table.concat(real, ", "),
                table.concat(told, ", "))
            end
          end
        end)
      end
    end
    assert_none(wrong, "parameters differ")
  end)

  it("have every class that a type names, once, and its methods", function()
    local count, all = {}, {}
    for _, text in pairs(texts) do
      for name in text:gmatch "%-%-%-@class ([%w_.]+)" do
        count[name] = (count[name] or 0) + 1
      end
      for name in text:gmatch "%-%-%-@alias ([%w_.]+)" do
        count[name] = (count[name] or 0) + 1
      end
      all[#all + 1] = text
    end
    local wrong = {}
    for line in table.concat(all, "\n"):gmatch "%-%-%-(@[pcrfta][^\n]*)" do
      for name in (line:match "^@%l+ (.*)$" or ""):gmatch "strobe%.%u[%w_]*" do
        wrong[#wrong + 1] = not count[name] and name or nil
      end
    end
    for name, number in pairs(count) do
      wrong[#wrong + 1] = number > 1 and ("%s, %d times"):format(name, number) or nil
    end
    assert_none(wrong, "classes")
    assert.is_truthy(texts["strobe/async.lua"]:find("\nfunction Queue:put(item) end\n", 1, true))
  end)

  it("say what may wait, and whose result must not be dropped", function()
    local async = texts["strobe/async.lua"]
    assert.matches("\n%-%-%-@async\n", block_above(async, "function async.sleep("))
    assert.matches("\n%-%-%-@async\n", block_above(async, "function Queue:get("))
    assert.not_matches("@async", block_above(async, "function Queue:qsize("))
    for _, name in ipairs { "create_task", "ensure_future", "shield", "TaskGroup", "timeout", "timeout_at" } do
      assert.matches("\n%-%-%-@nodiscard\n", block_above(async, ("function async.%s("):format(name)))
    end
    assert.matches("\n%-%-%-@nodiscard\n", block_above(texts["strobe/live.lua"], "function Ctx:forbid_reload("))
  end)

  it("know what a unit's file returns, and what its functions get", function()
    local live = texts["strobe/live.lua"]
    for _, name in ipairs { "Unit", "Ctx", "Event", "Hold" } do
      assert.is_truthy(live:find("---@class strobe." .. name .. "\n", 1, true), name)
    end
    assert.is_truthy(live:find("\n---@field on_event? fun(ctx: strobe.Ctx, st: table, m: strobe.Event) # ", 1, true))
    assert.is_truthy(live:find("\n---@field seq integer # ", 1, true))
  end)

  it("have the text of the annotations, and what it is in Python", function()
    local block = block_above(texts["strobe/async.lua"], "function async.wait_for(")
    assert.matches("^%-%-%- Waits for an awaitable at most `seconds`", block)
    assert.matches("\n%-%-%- In Python: asyncio%.wait_for\n", block)
    assert.matches("\n%-%-%-@param seconds%? number\n", block)
    assert.matches("\n%-%-%-@return any %.%.%.\n", block)
  end)

  it("are written into a folder, at the paths of the modules' names", function()
    local folder <close> = Folder.new {}
    local path = folder.path .. "/share/library"
    local count = assert(stubs.write(path))
    assert.equal(texts["strobe/async.lua"], fs.read_file(path .. "/strobe/async.lua"))
    assert.is_true(count > 10)
    assert.is_true(fs.exists(path .. "/strobe/gpio/i2c.lua"))
    local nothing, message, code = stubs.write(host.program .. "/library")
    assert.is_nil(nothing)
    assert.matches("library", message)
    assert.equal("ENOTDIR", code)
  end)
end)
