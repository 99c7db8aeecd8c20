local Attached = require("spec.support.attached").Attached
local async = require "strobe.async"

local UNIT = [[
return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
  ctx:log(m.data, "a line of level %s", m.data)
end }]]

describe("the operation", function()
  it("metrics tells of the process, its units and its counters; a word chooses among these", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    local raw = attached:raw()
    local told = raw:ask '{"id":1,"op":"metrics"}'
    assert.same({ { unit = "mm", gen = 1, state = "running" } }, told.units)
    assert.equal(raw.hello.pid, told.pid)
    assert.is_true(told.rss > 1e6 and told.uptime >= 0 and told.tasks > 2)
    assert.matches("strobe", told.command)
    assert.equal(1, told.metrics.connections)
    local names = {}
    for name in pairs(raw:ask('{"id":1,"op":"metrics","word":"lua_"}').metrics) do
      names[#names + 1] = name
    end
    assert.same({ "lua_bytes" }, names)
  end)

  it("log tells the last 200 lines, or those of a level and worse", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    local raw = attached:raw()
    for _ = 1, 100 do
      attached.units:offer("ticks", "info", "warning", "error")
    end
    local lines = raw:ask('{"id":1,"op":"log"}').lines
    assert.equal(200, #lines)
    assert.same({ "a line of level error", "error", "mm", 1, 300 },
      { lines[200].text, lines[200].level, lines[200].unit, lines[200].gen, lines[200].seq })
    assert.equal(67, #raw:ask('{"id":1,"op":"log","level":"error"}').lines)
    assert.equal("bad_request", raw:ask('{"id":1,"op":"log","level":"loud"}').code)
  end)

  it("clock tells what time it is", function()
    local attached <close> = Attached.new()
    local told = attached:raw():ask '{"id":1,"op":"clock"}'
    assert.equal("virtual", told.mode)
    assert.near(async.time(), told.time, 1)
    assert.near(1577836800, told.wall, 1000)
  end)
end)
