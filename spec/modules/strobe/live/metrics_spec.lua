local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"

local UNIT = [[return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
  ctx:sleep(m.data)
end }]]

describe("runtime:metrics", function()
  it("counts reloads by unit and verdict, rollbacks, pauses and events", function()
    local units <close> = UnitFolder.new({ ["mm.lua"] = UNIT }, { inbox = { size = 10 } })
    units:start "mm"
    units:reload("mm", "return {")
    units:reload("mm", UNIT .. " ")
    units:offer("ticks", 0, 0)
    units.runtime:rollback "mm"
    units:offer("ticks", 60, 0, 0)
    local metrics = units.runtime:metrics()
    assert.same({ mm = { committed = 2, ["rejected:syntax"] = 1, ["rolled_back:manual"] = 1 } }, metrics.reloads)
    assert.same({ 1, 2, 0 }, { metrics.rollbacks, metrics.replayed, metrics.old_generations })
    assert.same({
      state = "running", generation = 1, version = 1, on_probation = false, events = 2, skipped = 0, failed_events = 0,
      inbox = { fill = 2, size = 10, peak = 3, dropped = 0 },
    }, metrics.units.mm)
    async.sleep(60)
    assert.equal(5, units.runtime:metrics().units.mm.events)
  end)

  it("sorts the pauses of reloads into classes", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = UNIT }
    units:start "mm"
    for i = 1, 3 do
      units:reload("mm", UNIT .. (" "):rep(i))
    end
    local pause = units.runtime:metrics().pause
    local sum = 0
    for i, class in ipairs(pause.classes) do
      sum = sum + class.count
      assert.equal(i == #pause.classes, class.up_to_us == nil)
    end
    assert.same({ 3, 3 }, { sum, pause.count }) -- the start is no pause
    assert.is_true(pause.max_us <= pause.sum_us and pause.max_us > 0)
  end)

  it("is plain data, for JSON", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = UNIT }
    units:start "mm"
    local json = require "strobe.json"
    assert.same(1, json.decode(json.encode(units.runtime:metrics())).reloads.mm.committed)
  end)
end)
