local Attached = require("spec.support.attached").Attached

local UNIT = [[
return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
  ctx:log(m.data, "a line of level %s", m.data)
end }]]

describe("the operation", function()
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

  it("loglevel says from which level on lines are kept", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    local raw = attached:raw "rw"
    assert.same({ id = 1, ok = true, level = "error", was = "debug" },
      (raw:ask '{"id":1,"op":"loglevel","level":"error"}'))
    attached.server.journal.count = 0
    attached.units:offer("ticks", "info", "warning", "error")
    local lines = raw:ask('{"id":1,"op":"log"}').lines
    assert.same({ 1, "a line of level error" }, { #lines, lines[1].text })
    assert.equal("bad_request", raw:ask('{"id":1,"op":"loglevel","level":"loud"}').code)
    assert.equal("bad_request", raw:ask('{"id":1,"op":"loglevel"}').code)
  end)
end)
