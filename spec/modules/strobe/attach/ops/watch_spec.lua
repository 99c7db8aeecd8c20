local Attached = require("spec.support.attached").Attached
local async = require "strobe.async"
local Pace = require "spec.support.pace"
local time = require "strobe.core.time"

-- An expression: when it was evaluated, in real seconds. What is received may have been held up by a busy machine.
local WHEN = "require 'strobe.core.time'.real()"

-- What lies between two values of each watch that were both evaluated from now on, in real seconds.
local function gaps_from_now(raw, watches)
  local now, last, gaps = time.real(), {}, {}
  while #gaps < watches do
    local event = raw:receive()
    if event.ev == "watch" and event.number >= now then
      gaps[#gaps + 1] = last[event.sub] and event.number - last[event.sub]
      last[event.sub] = event.number
    end
  end
  return gaps
end

describe("the operation watch", function()
  it("tells the value of an expression again and again", function()
    local kept <close> = Pace.keep() -- luacheck: ignore kept
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    assert.equal(1, raw:ask('{"id":1,"op":"watch","expr":"2 * 21, 7","every":0.01}').sub)
    assert.same({ ev = "watch", sub = 1, text = "42", number = 42 }, (raw:receive()))
    assert.equal("42", raw:receive().text)
    assert.same({ id = 2, ok = true }, (raw:ask '{"id":2,"op":"unwatch","sub":1}'))
    assert.equal("not_found", raw:ask('{"id":3,"op":"unwatch","sub":1}').code)
  end)

  it("lets pass as much real time between two values as is asked for", function()
    local kept <close> = Pace.keep() -- luacheck: ignore kept
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:ask(('{"id":1,"op":"watch","expr":"%s","every":0.2}'):format(WHEN))
    local gap = gaps_from_now(raw, 1)[1]
    assert.is_true(gap > 0.19, gap)
  end)

  it("may wait for the value, but not for ever", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:ask '{"id":1,"op":"watch","expr":"async.sleep(1, \'late\')"}'
    assert.equal('"late"', raw:receive().text)
    raw:ask '{"id":2,"op":"unwatch","sub":1}'
    raw:ask '{"id":3,"op":"watch","expr":"async.sleep(1000)"}'
    assert.equal("no value within 5 s", raw:receive().error)
  end)

  it("has numbers where there is one that can be drawn", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    for i, expression in ipairs { "1/0", "0/0", "nil", "{}" } do
      raw:ask(('{"id":%d,"op":"watch","expr":"%s"}'):format(i, expression))
      local event = raw:receive()
      assert.same({ "watch", i, nil }, { event.ev, event.sub, event.number })
      raw:ask(('{"id":%d,"op":"unwatch","sub":%d}'):format(i, i))
    end
  end)

  it("tells ten values a second, however many are watched", function()
    local kept <close> = Pace.keep() -- luacheck: ignore kept
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    for i = 1, 4 do
      raw:send(('{"id":%d,"op":"watch","expr":"%s","every":0.001}'):format(i, WHEN))
    end
    while raw:receive().id ~= 4 do -- luacheck: ignore
    end
    for _, gap in ipairs(gaps_from_now(raw, 4)) do
      assert.is_true(gap > 0.39, gap)
    end
  end)

  it("refuses what makes no sense", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    assert.equal("bad_request", raw:ask('{"id":1,"op":"watch"}').code)
    assert.equal("bad_request", raw:ask('{"id":1,"op":"watch","expr":"1","every":0}').code)
    assert.equal("bad_request", raw:ask('{"id":1,"op":"watch","expr":"1","every":1e9}').code)
    assert.equal("syntax", raw:ask('{"id":1,"op":"watch","expr":"1 2"}').code)
    assert.equal("incomplete", raw:ask('{"id":1,"op":"watch","expr":"1 +"}').code)
  end)

  it("ends with the connection", function()
    local attached <close> = Attached.new()
    local raw, before = attached:raw "rw", #async.all_tasks()
    raw:ask '{"id":1,"op":"watch","expr":"1","every":3600}'
    assert.equal(before + 1, #async.all_tasks())
    raw.stream:abort()
    attached.wait_until(function()
      return attached.server.count == 0 and #async.all_tasks() < before
    end)
  end)
end)
