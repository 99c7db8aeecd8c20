local Alarm = require "strobe.alarm"
local Attached = require("spec.support.attached").Attached
local async = require "strobe.async"
local time = require "strobe.core.time"

describe("the operation", function()
  it("clock tells what time it is", function()
    local attached <close> = Attached.new()
    local told = attached:raw():ask '{"id":1,"op":"clock"}'
    assert.equal("virtual", told.mode)
    assert.near(async.time(), told.time, 1)
    assert.near(1577836800, told.wall, 1000)
  end)

  it("advance moves the time, and lets it stand", function()
    local attached <close> = Attached.new()
    local raw, began = attached:raw "rw", async.time()
    local told = raw:ask '{"id":1,"op":"advance","seconds":5}'
    assert.near(5, told.moved, 1e-9)
    assert.is_true(told.stands)
    assert.near(began + 5, told.time, 1)
    assert.is_false(raw:ask('{"id":2,"op":"advance","stands":false}').stands)
    for _, fields in ipairs { '"seconds":-1', '"seconds":1e300', '"seconds":"x"', '"x":1' } do
      assert.equal("bad_request", raw:ask(('{"id":3,"op":"advance",%s}'):format(fields)).code)
    end
  end)

  it("advance lets the process wait for who will move the time again, when he is not there", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:ask '{"id":1,"op":"advance","stands":true}'
    raw.stream:abort()
    Alarm.pass(0.02) -- else all is blocked for ever, after 5 ms without input
    assert.is_false(attached:raw("rw"):ask('{"id":1,"op":"advance","stands":false}').stands)
  end)

  it("step moves to the next timer", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:ask '{"id":1,"op":"advance","stands":true}'
    local rung = async.create_task(async.sleep, 3)
    for i = 1, 20 do
      local told = raw:ask(('{"id":%d,"op":"step"}'):format(i))
      assert.is_true(told.ok)
      if rung:done() then
        break
      end
    end
    assert.is_true(rung:done())
    time.stands(false)
  end)
end)
