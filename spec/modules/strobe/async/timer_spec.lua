local async = require "strobe.async"
local testing = require "strobe.testing"

describe("every", function()
  describe("without steady", function()
    it("waits, calls, and so on until the function returns false", function()
      local times = {}
      local counts = async.every(2, function(counts)
        table.insert(times, async.time())
        return counts.calls < 3
      end)
      assert.same({ 2, 4, 6 }, times)
      assert.same({ calls = 3, overruns = 0 }, counts)
    end)

    it("goes on when the function returns nothing", function()
      local calls = 0
      async.move_on_after(5.5, async.every, 1, function()
        calls = calls + 1
      end)
      assert.equal(5, calls)
    end)

    it("drifts by the time the function takes", function()
      local times = {}
      async.every(2, function(counts)
        table.insert(times, async.time())
        async.sleep(1)
        return counts.calls < 3
      end)
      assert.same({ 2, 5, 8 }, times)
    end)

    it("raises what the function raises", function()
      assert.has_error(function()
        async.every(1, function()
          error("mine", 0)
        end)
      end, "mine")
      assert.equal(1, async.time())
    end)

    it("ends when it is cancelled", function()
      local t = async.create_task(async.every, 1, function() end)
      async.sleep(2.5)
      t:cancel()
      pcall(t.await, t)
      assert.is_true(t:cancelled())
    end)
  end)

  describe("steady", function()
    it("keeps to its grid whatever the function takes", function()
      local times = {}
      local counts = async.every(2, function(counts)
        table.insert(times, async.time())
        async.sleep(1.5)
        return counts.calls < 3
      end, { steady = true })
      assert.same({ 2, 4, 6 }, times)
      assert.equal(0, counts.overruns)
    end)

    it("skips the ticks that pass while the function runs, and counts them", function()
      local times = {}
      local counts = async.every(1, function(counts)
        table.insert(times, async.time())
        if counts.calls == 2 then
          async.sleep(2.5)
        end
        return counts.calls < 4
      end, { steady = true })
      assert.same({ 1, 2, 5, 6 }, times)
      assert.equal(2, counts.overruns)
    end)

    it("takes the tick that is due just when the function ends", function()
      local times = {}
      local counts = async.every(0.1, function(counts)
        table.insert(times, async.time())
        async.sleep(0.1)
        return counts.calls < 50
      end, { steady = true })
      for i = 1, 50 do
        assert.near(i / 10, times[i], 1e-9)
      end
      assert.equal(0, counts.overruns)
    end)

    it("does not drift in a hundred thousand ticks", function()
      local counts = async.every(0.001, function(counts)
        return counts.calls < 100000
      end, { steady = true })
      assert.near(100, async.time(), 1e-9)
      assert.equal(0, counts.overruns)
    end)

    it("lets other tasks run when the function is always late", function()
      local other = 0
      local t = async.create_task(function()
        for _ = 1, 5 do
          async.sleep(0)
          other = other + 1
        end
      end)
      local seen
      async.every(1, function(counts)
        async.sleep(1)
        seen = other
        return counts.calls < 2
      end, { steady = true })
      assert.equal(5, seen)
      t:await()
    end)
  end)

  describe("arguments", function()
    it("are a period above 0", function()
      for _, wrong in ipairs { 0, -1, 0 / 0, "x", {} } do
        local ok, message = pcall(async.every, wrong, print)
        assert.is_false(ok)
        assert.matches("every: a period above 0 seconds expected", message)
      end
      assert.is_false(pcall(async.every))
    end)

    it("are a function to call", function()
      assert.error_matches(function()
        async.every(1, nil)
      end, "every: a function expected, got nil")
      assert.error_matches(function()
        async.timer(1)(5)
      end, "timer: a function expected, got number")
    end)
  end)
end)

describe("timer", function()
  describe("the decorated function", function()
    it("sleeps, calls the original with its arguments, and so on for ever", function()
      local calls = {}
      local tick = async.timer(2)(function(name, ...)
        table.insert(calls, { name, select("#", ...), async.time() })
        return false
      end)
      async.move_on_after(7, tick, "a", nil)
      assert.same({ { "a", 1, 2 }, { "a", 1, 4 }, { "a", 1, 6 } }, calls)
    end)

    it("can be run by several tasks at once", function()
      testing.fifo()
      local calls = {}
      local tick = async.timer(1)(function(name)
        table.insert(calls, name)
      end)
      async.move_on_after(2.5, async.gather, {
        async.create_task(tick, "a"),
        async.create_task(tick, "b"),
      })
      assert.same({ "a", "b", "a", "b" }, calls)
    end)

    it("keeps to its grid when it is steady", function()
      local times = {}
      local tick = async.timer(1, { steady = true })(function()
        table.insert(times, async.time())
        async.sleep(0.5)
      end)
      async.move_on_after(3.2, tick)
      assert.same({ 1, 2, 3 }, times)
    end)
  end)

  describe("arguments", function()
    it("are looked at when the decorator is made", function()
      local ok, message = pcall(async.timer, 0)
      assert.is_false(ok)
      assert.matches("timer: a period above 0 seconds expected, got 0", message)
    end)
  end)
end)
