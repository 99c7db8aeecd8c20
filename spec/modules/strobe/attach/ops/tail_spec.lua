local Attached = require("spec.support.attached").Attached

local UNIT = 'return { version = 1, subscribe = { "ticks" }, on_event = function() end }'

local function attached_with()
  return Attached.new { units = { ["mm.lua"] = UNIT } }
end

describe("the operation tail", function()
  it("tells the events of a stream until it is ended", function()
    local attached <close> = attached_with()
    local raw = attached:raw()
    assert.same({ id = 1, ok = true, sub = 1 }, (raw:ask '{"id":1,"op":"tail","stream":"ticks"}'))
    attached.units.runtime:offer("ticks", { price = 5 }, nil, 77)
    attached.units.runtime:offer("other", 6)
    attached.units.runtime:offer("ticks", "a\27b")
    assert.same({ ev = "tail", sub = 1, seq = 77, text = "{price=5}" }, (raw:receive()))
    assert.same({ ev = "tail", sub = 1, text = [["a\x1bb"]] }, (raw:receive()))
    assert.same({ id = 2, ok = true }, (raw:ask '{"id":2,"op":"untail","sub":1}'))
    attached.units.runtime:offer("ticks", 7)
    assert.same({ id = 3, ok = true }, (raw:ask '{"id":3,"op":"ping"}'))
    assert.equal("not_found", raw:ask('{"id":4,"op":"untail","sub":1}').code)
    assert.equal("not_found", raw:ask('{"id":4,"op":"untail","sub":2}').code)
  end)

  it("tells twenty a second, and how many there were more", function()
    local attached <close> = attached_with()
    local raw = attached:raw()
    raw:ask '{"id":1,"op":"tail","stream":"ticks"}'
    for i = 1, 1000 do
      attached.units.runtime:offer("ticks", i)
    end
    raw:send '{"id":2,"op":"ping"}'
    local lines, message = 0, raw:receive()
    while message.ev do
      lines = lines + (message.ev == "tail" and 1 or 0)
      message = raw:receive()
    end
    -- The thousand may have come in two seconds.
    assert.is_true(lines == 20 or lines == 40, lines)
  end)

  it("ends with the connection", function()
    local attached <close> = attached_with()
    local raw = attached:raw()
    raw:ask '{"id":1,"op":"tail","stream":"ticks"}'
    local observers = #attached.units.runtime.delivery.observers
    raw.stream:close()
    attached.wait_until(function()
      return attached.server.count == 0
    end)
    assert.equal(observers - 1, #attached.units.runtime.delivery.observers)
  end)

  it("watches sixteen streams at most, and those that there are", function()
    local attached <close> = Attached.new {
      units = { ["mm.lua"] = UNIT }, runtime = { streams = { "ticks" } },
    }
    local raw = attached:raw()
    local unknown = raw:ask '{"id":1,"op":"tail","stream":"x"}'
    assert.equal("not_found", unknown.code)
    assert.matches("no feed has a stream 'x'", unknown.error)
    for i = 1, 16 do
      assert.equal(i, raw:ask('{"id":2,"op":"tail","stream":"ticks"}').sub)
    end
    assert.equal("too_many", raw:ask('{"id":3,"op":"tail","stream":"ticks"}').code)
    assert.equal("rights", raw:ask('{"id":4,"op":"tail","stream":"ticks","expr":"m"}').code)
    assert.equal("bad_request", raw:ask('{"id":5,"op":"tail"}').code)
  end)

  it("chooses events by an expression, which ends it when it fails", function()
    local attached <close> = attached_with()
    local raw = attached:raw "rw"
    assert.equal(1, raw:ask('{"id":1,"op":"tail","stream":"ticks","expr":"m.price > 5"}').sub)
    for _, data in ipairs { { price = 5 }, { price = 6 }, { price = 7 }, {}, { price = 8 } } do
      attached.units.runtime:offer("ticks", data)
    end
    assert.equal("{price=6}", raw:receive().text)
    assert.equal("{price=7}", raw:receive().text)
    local last = raw:receive()
    assert.is_true(last.ended)
    assert.equal("attempt to compare number with nil", last.error)
    assert.same({ id = 2, ok = true }, (raw:ask '{"id":2,"op":"ping"}'))
    assert.equal("not_found", raw:ask('{"id":3,"op":"untail","sub":1}').code)
    assert.equal("syntax", raw:ask('{"id":4,"op":"tail","stream":"ticks","expr":"m ="}').code)
  end)

  it("has no expressions where nobody may run code", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT }, eval = false }
    local raw = attached:raw "rw"
    assert.equal("no_op", raw:ask('{"id":1,"op":"tail","stream":"ticks","expr":"true"}').code)
    assert.equal(1, raw:ask('{"id":1,"op":"tail","stream":"ticks"}').sub)
    for _, op in ipairs { "time", "timeit" } do
      assert.equal("no_op", raw:ask(('{"id":1,"op":"%s","code":"1"}'):format(op)).code)
    end
    assert.equal("no_op", raw:ask('{"id":1,"op":"watch","expr":"1"}').code)
  end)
end)
