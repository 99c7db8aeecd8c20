local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"

local function text_of(body)
  return ('local leaf = require "leaf" return { version = 1, subscribe = { "ticks" }, %s }'):format(body)
end

local QUIET = 'on_event = function(ctx, st, m) ctx:emit("out", leaf .. m.data) end'

-- Two units which share a file, and have been exchanged together.
local function exchanged(body_of_a, body_of_b, limits)
  local files = { ["leaf.lua"] = 'return "old "', ["a.lua"] = text_of(QUIET), ["b.lua"] = text_of(QUIET) }
  local units = UnitFolder.new(files, { probation = limits })
  units:start "a"
  units:start "b"
  units:write("a.lua", text_of(body_of_a or QUIET))
  units:write("b.lua", text_of(body_of_b or QUIET))
  units:write("leaf.lua", 'return "new "')
  for _, report in ipairs(units.runtime:reload { "a", "b" }) do
    assert.equal("committed", report.verdict)
  end
  return units, units.runtime.units.a, units.runtime.units.b
end

describe("units that were exchanged together", function()
  it("prove themselves together", function()
    local units <close>, a, b = exchanged(nil, nil, { events = 2, seconds = 0 })
    local proven = {}
    units.runtime:watch { proven = function(unit)
      table.insert(proven, unit.name)
    end }
    units:offer("ticks", 1)
    assert.same({ {}, true, true }, { proven, a.probation ~= false, b.probation ~= false })
    units:offer("ticks", 2)
    table.sort(proven)
    assert.same({ { "a", "b" }, false, false }, { proven, a.probation, b.probation })
  end)

  it("are undone together, by whoever asks for one, and once", function()
    local units <close>, a, b = exchanged()
    units:offer("ticks", 1)
    local report = units.runtime:rollback "b"
    assert.same({ "b", "rolled_back:manual" }, { report.unit, report.verdict })
    assert.same({ 1, 1 }, { a.run.generation.number, b.run.generation.number })
    assert.is_nil(units.runtime:rollback "a")
    units:offer("ticks", 2)
    assert.same({ "new 1", "new 1", "old 2", "old 2" }, units:values())
  end)

  it("are undone when one fails, also when the longest time is over before all stand still", function()
    local units <close>, a, b = exchanged([[on_event = function(ctx, st, m)
      ctx:sleep(1) error "broken" end]], [[on_event = function(ctx, st, m)
      ctx:sleep(2.5) ctx:emit("out", "b is through") end]], { events = 1000, longest = 60 })
    async.sleep(58)
    units.runtime:offer("ticks", 1)
    async.sleep(10)
    assert.same({ 1, 1 }, { a.run.generation.number, b.run.generation.number })
    assert.same({ "b is through", "old 1" }, units:values())
  end)
end)

describe("a probation", function()
  it("is looked after by one task, which ends with it", function()
    local units <close> = exchanged()
    local function watches()
      local count = 0
      for _, task in ipairs(async.all_tasks()) do
        count = count + (task:get_name():find "^probation of" and 1 or 0)
      end
      return count
    end
    async.sleep(0)
    assert.equal(2, watches())
    units.runtime:reload "a"
    async.sleep(0)
    assert.equal(1, watches())
    units.runtime:rollback "a"
    async.sleep(0)
    assert.equal(0, watches())
  end)

  it("is over when its journal is full of effects, though no event comes", function()
    local beating = [[init = function(ctx) ctx:timer("beat", 0.1, function() ctx:emit("order", 1) end) end,
      on_event = function() end]]
    local units <close>, a = exchanged(beating, nil, { journal = 50 }) -- luacheck: ignore
    async.sleep(4.5)
    assert.equal(44, #a.probation.effects)
    async.sleep(1)
    assert.is_false(a.probation)
  end)
end)
