local Alarm = require "strobe.alarm"
local Clock = require "strobe.live.clock"
local async = require "strobe.async"
local time = require "strobe.core.time"

describe("the clock which units see", function()
  it("begins with the loop's under the virtual clock", function()
    local clock = Clock.new()
    assert.equal(math.floor(async.time() * 1e6 + 0.5) / 1e6, clock:now())
  end)

  it("stands where it is held, and goes on from there", function()
    local clock = Clock.new()
    clock:hold(1618677817.119)
    async.sleep(7)
    assert.equal(1618677817.119, clock:now())
    clock:start()
    clock:start()
    assert.equal(1618677817.119, clock:now())
    async.sleep(0.5)
    assert.equal(1618677817.619, clock:now())
  end)

  it("shows just the time that was waited for", function()
    local clock = Clock.new()
    clock:hold(1618677817.119)
    clock:start()
    for i = 1, 1000 do
      local at = tonumber(("%.6f"):format(1618677817.119 + i * 0.001237))
      clock:wait_until(at)
      assert.equal(at, clock:now())
    end
  end)

  it("does not go on by itself while somebody holds the time, or lets it stand", function()
    local clock, open = Clock.new(), Alarm.new(print)
    open:set(1000) -- else nothing is open, and the loop jumps by itself
    clock.settle = function()
      return true
    end
    for hold, release in pairs {
      [time.hold] = time.release,
      [function() time.stands(true, true) end] = function() time.stands(false) end, -- luacheck: ignore
    } do
      local began = clock:now()
      hold()
      local waiting = async.create_task(clock.wait_until, clock, began + 5)
      Alarm.pass(0.01)
      local stood = clock:now() == began and not waiting:done()
      release()
      waiting:await()
      assert.is_true(stood)
      assert.near(began + 5, clock:now(), 1e-6)
    end
    open:close()
  end)

  it("does not wait for what has passed", function()
    local clock = Clock.new()
    local began = async.time()
    clock:wait_until(clock:now() - 5)
    assert.equal(began, async.time())
  end)
end)
