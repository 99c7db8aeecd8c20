local Attached = require("spec.support.attached").Attached

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
end)
