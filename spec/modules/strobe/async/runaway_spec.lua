local async = require "strobe.async"
local host = require "strobe.core.host"
local runaway = require "strobe.async.runaway"
local watchdog = require "strobe.core.watchdog"

local function spin_for(seconds)
  local began = os.clock()
  while os.clock() - began < seconds do
  end
end

describe("code that runs away", function()
  local before
  setup(function()
    before = host.slow_step(9)
  end)
  teardown(function()
    host.slow_step(before)
  end)

  it("is ended by any judge that says so; the others are asked as well", function()
    local asked = 0
    runaway.watch("patient", 0.005, function(seconds)
      asked = asked + 1
      return seconds + 0.005
    end)
    runaway.watch("strict", 0.02, function(seconds, place)
      return seconds < 0.02 and 0.02 or place .. "enough"
    end)
    local task = async.create_task(spin_for, 5)
    local ok, e = pcall(task.await, task)
    runaway.unwatch "strict"
    runaway.unwatch "patient"
    assert.is_false(ok)
    assert.matches(":%d+: enough$", e)
    assert.is_true(asked >= 1)
  end)

  it("goes on when nobody minds, and nobody looks when there is no judge", function()
    runaway.watch("indifferent", 0.005, function() end)
    assert.is_true(watchdog.alive())
    spin_for(0.03)
    runaway.unwatch "indifferent"
    runaway.unwatch "indifferent"
    assert.is_false(watchdog.alive())
  end)
end)
