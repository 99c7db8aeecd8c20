local async = require "strobe.async"
local pipe = require "strobe.core.pipe"

describe("a pipe", function()
  it("needs no time and no handles", function()
    local left, right = pipe.new()
    left:write "x"
    assert.equal("x", right:read())
    assert.equal(0, async.time())
    assert.equal("<pipe open>", tostring(left))
  end)

  it("holds as much as it was told; the rest waits with its writer", function()
    local left, right = pipe.new(10)
    left:send(("x"):rep(25))
    assert.equal(10, (right:buffered()))
    local _, queued = left:buffered()
    assert.equal(15, queued)
    assert.equal(10, #right:read())
    assert.equal(10, (right:buffered()))
  end)

  it("of one byte passes whatever is asked for", function()
    local left, right = pipe.new(1)
    local line = ("x"):rep(60000) .. "\n"
    left:send(line .. line)
    assert.equal(line, right:read_until())
    assert.equal(line, right:read_exactly(#line))
  end)

  it("whose reader has closed refuses more with EPIPE, and wakes who waits to write", function()
    local left, right = pipe.new()
    local t = async.create_task(left.write, left, ("x"):rep(1000000))
    async.sleep(0)
    assert.equal("drain", t:state())
    right:close()
    local _, _, code = t:await()
    assert.equal("EPIPE", code)
    _, _, code = left:write "x"
    assert.equal("EPIPE", code)
  end)

  it("whose reader was collected refuses more with EPIPE", function()
    local left = pipe.new()
    collectgarbage()
    collectgarbage()
    local _, _, code = left:write "x"
    assert.equal("EPIPE", code)
  end)

  it("closed and dropped by its writer still gives the reader all", function()
    local left, right = pipe.new(10)
    left:send(("x"):rep(25))
    left:close()
    left = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.equal(25, #right:read_exactly(25))
    assert.equal("", right:read())
  end)

  it("closed and dropped at both ends with bytes between is no harm", function()
    for _ = 1, 100 do
      local left, right = pipe.new(10)
      left:send(("x"):rep(25))
      right:send(("x"):rep(25))
      if math.random() < 0.5 then
        left:close()
      end
      if math.random() < 0.5 then
        right:close()
      end
    end
    collectgarbage()
    collectgarbage()
  end)

  it("makes a writer wait as soon as it was told", function()
    local left, right = pipe.new(4, 0)
    local writer = async.create_task(left.write, left, "123456")
    async.sleep(1)
    assert.is_false(writer:done())
    assert.equal("1234", right:read())
    assert.is_true(writer:await())
  end)

  it("fails at the other end as a network would", function()
    local left, right = pipe.new()
    right:send "last"
    pipe.fail(right, "ECONNRESET")
    assert.equal("last", left:read())
    assert.equal("ECONNRESET", select(3, left:read()))
    assert.equal("ECONNRESET", select(3, left:send "x"))
    assert.equal("EPIPE", select(3, right:send "x"))
    assert.matches("an error code expected, got 'EBROKEN'", select(2, pcall(pipe.fail, right, "EBROKEN")))
  end)

  it("tells when the other end has closed, also to who waits, or is cancelled meanwhile", function()
    local left, right = pipe.new()
    local cancelled = async.create_task(pipe.wait_gone, right)
    local waiter = async.create_task(pipe.wait_gone, right)
    async.sleep(0)
    cancelled:cancel()
    async.sleep(0)
    assert.is_false(waiter:done() or pipe.is_gone(right))
    left:close()
    waiter:await()
    assert.is_true(cancelled:cancelled() and pipe.is_gone(right))
    pipe.wait_gone(right)
    local dropped = select(2, pipe.new())
    collectgarbage()
    collectgarbage()
    pipe.wait_gone(dropped)
  end)

  it("is refused without a capacity", function()
    assert.is_false(pcall(pipe.new, 0))
    assert.is_false(pcall(pipe.new, -1))
  end)
end)
