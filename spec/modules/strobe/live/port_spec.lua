local Port = require "strobe.live.port"
local async = require "strobe.async"
local effects = require "strobe.live.effect"
local reports = require "spec.support.reports"

local function send(port, value)
  local effect = effects.new(tostring(value), port.name, value)
  port:send(effect)
  return effect
end

-- A port that takes so many seconds for each effect, and what it has sent.
local function slow_port(seconds)
  local sent = {}
  return Port.new("slow", { send = function(value)
    async.sleep(seconds)
    table.insert(sent, value)
    return value * 10
  end }), sent
end

describe("a port", function()
  it("sends one effect after the other, in a task of its own, and tells each what became of it", function()
    local port, sent = slow_port(1)
    local first, second = send(port, 1), send(port, 2)
    assert.equal("sent", first.state)
    assert.same({ 10, 20 }, { first:await(), (second:await()) })
    assert.same({ 1, 2 }, sent)
    port:close()
  end)

  it("that is immediate sends at once, and one that settles itself may do so later", function()
    local later
    local port = Port.new("now", { immediate = true, send = function(value)
      return nil, value .. " is refused", "EINVAL"
    end })
    assert.same({ nil, "x is refused", "EINVAL" }, { send(port, "x"):await() })
    port = Port.new("later", { immediate = true, settles = true, send = function(_, effect)
      later = effect
    end })
    local effect = send(port, "y")
    assert.equal(later, effect)
    assert.same({ nil, "effect y: no outcome within 1 s", "ETIMEDOUT" }, { effect:await { timeout = 1 } })
    effects.settle(later, "done")
    assert.equal("done", effect:await())
  end)

  it("that fails is reported, tells the effect, and goes on", function()
    local contexts = reports.of(function()
      local port = Port.new("broken", { send = function(value)
        return value == 2 and value or error "no wire"
      end })
      local first, second = send(port, 1), send(port, 2)
      local value, message, code = first:await()
      assert.is_nil(value)
      assert.matches("no wire", message)
      assert.same({ "EPORT", 2 }, { code, (second:await()) })
      port:close()
    end)
    assert.equal(1, #contexts)
    assert.matches("port 'broken' failed with effect 1: .*no wire", contexts[1].message)
  end)

  it("answers what it is asked, if it answers anything", function()
    local answering = Port.new("a", { query = function(value) return value + 1 end })
    assert.equal(8, answering:query(7))
    assert.same({ nil, "port 'a' only answers queries", "ENOTSUP" }, { send(answering, 1):await() })
    assert.same({ nil, "port 'b' answers no queries", "ENOTSUP" }, { Port.new("b", {}):query(1) })
  end)

  it("refuses more than it can hold, and says so", function()
    local contexts = reports.of(function()
      local port = slow_port(1e-9)
      for i = 1, 65536 do
        send(port, i)
      end
      send(port, 0)
      local effect = send(port, 0)
      local value, message, code = effect:await()
      assert.same({ nil, "port 'slow': 65536 effects wait already, it is too slow for more", "ENOBUFS" },
        { value, message, code })
      port:close()
    end)
    assert.equal(1, #contexts)
  end)

  it("sends what is left when it is closed, twice is harmless", function()
    local port, sent = slow_port(1)
    send(port, 1)
    send(port, 2)
    port:close()
    port:close()
    assert.same({ 1, 2 }, sent)
  end)

  it("that hangs does not hold up the end: what it did not send is told", function()
    local contexts = reports.of(function()
      local port, sent = slow_port(6)
      send(port, 1)
      async.sleep(0)
      local effect, third = send(port, 2), send(port, 3)
      local began = async.time()
      port:close()
      assert.equal(10, async.time() - began)
      assert.same({ 1 }, sent)
      assert.same({ nil, "port 'slow' was closed before it was through", "ECANCELED" }, { effect:await() })
      assert.equal("sent", third.state)
    end)
    assert.equal(1, #contexts)
    assert.matches("port 'slow' did not come to its end within 10 s: 1 of 2 effects that waited were not sent",
      contexts[1].message)
  end)
end)
