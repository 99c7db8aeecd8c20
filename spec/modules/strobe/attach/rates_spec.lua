local Rates = require "strobe.attach.rates"
local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local time = require "strobe.core.time"

local function with_rates(f)
  local units <close> = UnitFolder.new {}
  local rates = Rates.new(units.runtime)
  f(rates, units.runtime)
  rates.stop()
end

local function offer(runtime, count)
  for i = 1, count do
    runtime:offer("ticks", i)
  end
end

describe("rates of events", function()
  it("are of the second that the first look takes, then of the time between two looks", function()
    with_rates(function(rates, runtime)
      offer(runtime, 100)
      local task = async.create_task(rates.look, rates)
      async.sleep(0.5)
      offer(runtime, 30)
      task:await()
      local told = rates:of_stream "ticks"
      assert.near(30, told.rate, 0.01)
      assert.near(0.5, told.age, 0.01)
      assert.equal(130, told.events)
      async.sleep(4)
      offer(runtime, 40)
      rates:look()
      assert.near(10, rates:of_stream("ticks").rate, 0.01)
      assert.near(4, rates.seconds, 0.01)
      assert.same({ rate = 0, events = 0 }, rates:of_stream "unknown")
      assert.same({ "ticks" }, rates:names())
    end)
  end)

  it("of a feed come with the time since its last event, whatever time that tells itself", function()
    with_rates(function(rates, runtime)
      local feed = { name = "synthetic", statistics = function()
        return { events = 1, last = 1700000000 }
      end }
      rates:look()
      assert.near(1, rates:of_feed(feed).quiet, 1e-6)
      runtime.delivery:offer("ticks", 1, 1700000000, nil, feed)
      async.sleep(3)
      assert.near(3, rates:of_feed(feed).age, 1e-6)
      assert.is_nil(rates:of_feed(feed).quiet)
    end)
  end)

  it("begin anew when nobody has looked for long", function()
    with_rates(function(rates, runtime)
      rates:look()
      offer(runtime, 1000)
      async.sleep(60)
      rates:look()
      assert.equal(0, rates:of_stream("ticks").rate)
      local before = rates.now
      rates:look() -- at once again: nothing new
      assert.equal(before, rates.now)
    end)
  end)

  it("are not known where time stands, for which nobody waits", function()
    with_rates(function(rates, runtime)
      local go_on <close> = setmetatable({}, { __close = function() -- luacheck: ignore
        time.stands(false)
      end })
      time.stands(true, true)
      local began = time.now()
      rates:look()
      offer(runtime, 3)
      assert.same({ events = 3, age = 0 }, rates:of_stream "ticks")
      assert.same({ quiet = 0 }, rates:of_feed {})
      assert.equal(began, time.now())
      time.advance(2)
      rates:look()
      assert.equal(1.5, rates:of_stream("ticks").rate)
    end)
  end)

  it("count no more once they are stopped", function()
    local units <close> = UnitFolder.new {}
    local rates = Rates.new(units.runtime)
    rates.stop()
    offer(units.runtime, 5)
    assert.same({}, rates:names())
    assert.equal(0, #units.runtime.delivery.observers)
  end)
end)
