local Attached = require("spec.support.attached").Attached
local async = require "strobe.async"
local inspect = require "strobe.core.inspect"
local time = require "strobe.core.time"

describe("the operation", function()
  it("time tells what an input took, in seconds and bytes", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    local told = raw:ask '{"id":1,"op":"time","code":"async.sleep(0.01) return 1"}'
    assert.same({ "1" }, told.values)
    assert.equal(1, told.awaits)
    assert.is_true(told.wall > 0 and told.running > 0 and told.running + told.waiting <= told.wall * 1.0001)
    assert.is_true(told.bytes >= 0)
    assert.equal("syntax", raw:ask('{"id":2,"op":"time","code":"1 +* 2"}').code)
    assert.equal("bad_request", raw:ask('{"id":3,"op":"time"}').code)
    assert.equal("bad_request", raw:ask('{"id":4,"op":"time","code":"1","budget":1e9}').code)
  end)

  it("time interrupts what runs for too long without waiting", function()
    local attached <close> = Attached.new()
    local told = attached:raw("rw"):ask '{"id":1,"op":"time","code":"while true do end"}'
    assert.equal("interrupted", told.code)
    assert.matches("100 ms", told.error)
  end)

  it("timeit is ended by interrupt, and tells what it has", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:send '{"id":1,"op":"timeit","code":"async.sleep(0.001)"}'
    async.sleep(0.02)
    raw:send '{"id":2,"op":"interrupt","target":1}'
    local first, second = raw:receive(), raw:receive()
    local told = first.id == 1 and first or second
    assert.is_true(told.interrupted)
    assert.is_true(told.runs >= 1 and told.minimum <= told.median)
  end)

  it("top measures for a second, and no longer", function()
    local attached <close> = Attached.new()
    local busy = async.create_task(function()
      while true do
        async.sleep(0.001)
      end
    end)
    local told = attached:raw():ask '{"id":1,"op":"top","n":1}'
    assert.equal(1, #told.tasks)
    assert.is_true(told.busy > 0 and told.total > 2)
    assert.is_false(inspect.times())
    busy:cancel()
    async.wait { busy }
  end)

  it("top measures for a real second where time stands", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:ask '{"id":1,"op":"advance","stands":true}'
    local began = time.now()
    local told = raw:ask '{"id":2,"op":"top"}'
    raw:ask '{"id":3,"op":"advance","stands":false}'
    assert.is_true(told.ok and told.seconds > 0.5)
    assert.is_true(time.now() - began < 0.5)
  end)

  it("leaves nothing behind when the connection ends", function()
    local attached <close> = Attached.new()
    for _, request in ipairs {
      '"op":"time","code":"async.sleep(1000)"', '"op":"timeit","code":"async.sleep(0.001)"', '"op":"top"',
    } do
      local raw = attached:raw "rw"
      raw:send(('{"id":1,%s}'):format(request))
      async.sleep(0.01)
      raw.stream:abort()
      attached.wait_until(function()
        return attached.server.count == 0
      end)
      attached.wait_until(function()
        return not inspect.times()
      end)
    end
  end)
end)
