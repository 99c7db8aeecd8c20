local UnitFolder = require "spec.support.unit_folder"
local admission = require "strobe.live.admission"
local async = require "strobe.async"

local files = {
  ["a.lua"] = "require 'shared' return { version = 1, on_event = function() end }",
  ["b.lua"] = "require 'shared' return { version = 1, on_event = function() end }",
  ["c.lua"] = "return { version = 1, on_event = function() end }",
  ["shared.lua"] = "return 1",
}

local function started()
  local units = UnitFolder.new(files)
  for _, name in ipairs { "a", "b", "c" } do
    assert.equal("committed", units:start(name).verdict)
  end
  return units
end

local function names_of(units)
  local names = {}
  for i, unit in ipairs(units) do
    names[i] = unit.name
  end
  return table.concat(names, " ")
end

describe("a reload is about", function()
  it("the units that are named, or whose files are others by now", function()
    local units <close> = started()
    local runtime = units.runtime
    assert.equal("c", names_of(admission.all(runtime, "c")))
    assert.equal("a c", names_of(admission.all(runtime, { "c", "a" })))
    assert.equal("", names_of(admission.all(runtime)))
    units:write("c.lua", files["c.lua"] .. " -- again")
    assert.equal("c", names_of(admission.all(runtime)))
    os.remove(units.folder.path .. "/c.lua")
    assert.equal("c", names_of(admission.all(runtime)))
  end)

  it("all that share a changed file with one of these", function()
    local units <close> = started()
    local runtime = units.runtime
    units:write("shared.lua", "return 2")
    for names, expected in pairs { a = "a b", b = "a b", c = "c" } do
      assert.equal(expected, names_of(admission.all(runtime, names)))
    end
    assert.equal("a b", names_of(admission.all(runtime)))
  end)
end)

describe("a reload may begin", function()
  it("unless the runtime is closed, or another is under way and it does not want to wait", function()
    local units <close> = started()
    local runtime = units.runtime
    local function code(...)
      local refusal = admission.objection(runtime, ...)
      return refusal and refusal.code
    end
    assert.is_nil(code "a")
    assert.is_nil(code("a", { nowait = true }))
    local held = runtime.lock:acquire()
    assert.is_nil(code "a")
    assert.equal("barrier", code("a", { nowait = true }))
    held:release()
    runtime:close()
    assert.equal("shutdown", code "a")
    runtime.lock:release()
  end)

  it("in a task of another unit", function()
    local units <close> = started()
    local run = units.runtime.units.a.run
    local codes = run:create_task(function()
      local function code(names)
        local refusal = admission.objection(units.runtime, names)
        return refusal and refusal.code or "none"
      end
      return { code "b", code "a", code { "c", "a" }, code(nil) }
    end):await()
    assert.same({ "none", "deadlock", "deadlock", "none" }, codes)
    async.sleep(0)
  end)
end)
