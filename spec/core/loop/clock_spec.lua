local async = require "strobe.async"
local host = require "strobe.core.host"
local shell = require "spec.support.shell"
local testing = require "strobe.testing"
local time = require "strobe.core.time"

describe("the clock", function()
  -- Runs a line under the clock of that name; returns all it printed.
  local function under(clock, code)
    return (shell.run(("$S --clock=%s $F"):format(clock), code))
  end

  describe("virtual", function()
    it("starts at 0 and stands still while nobody sleeps", function()
      assert.equal(0, async.time())
      for _ = 1, 1000 do
        async.sleep(0)
      end
      assert.equal(0, async.time())
    end)

    it("jumps to the next deadline as soon as all tasks wait", function()
      local began = time.real()
      async.sleep(100)
      assert.equal(100, async.time())
      assert.is_true(time.real() - began < 10)
    end)

    it("does not wait at each jump because somebody listens to signals", function()
      local loop = async.get_running_loop()
      loop:add_signal_handler("SIGUSR2", print)
      local began = time.real()
      for _ = 1, 2000 do -- ten seconds, if each were to wait for input
        async.sleep(0.01)
      end
      assert.is_true(time.real() - began < 5)
      loop:remove_signal_handler "SIGUSR2"
    end)

    it("stops at each deadline on its way", function()
      local times = {}
      local function note(seconds)
        async.sleep(seconds)
        table.insert(times, async.time())
      end
      async.gather(async.create_task(note, 3), async.create_task(note, 0.5), async.create_task(note, 1e-9))
      assert.same({ 1e-9, 0.5, 3 }, times)
    end)

    it("does not jump while a task is ready", function()
      local slow = async.create_task(function()
        for _ = 1, 100 do
          async.sleep(0)
        end
        return async.time()
      end)
      async.create_task(async.sleep, 1)
      assert.equal(0, slow:await())
      async.sleep(1)
    end)

    it("wakes those with the same deadline in the order they went to sleep", function()
      testing.fifo()
      local order, tasks = {}, {}
      for i = 1, 100 do
        tasks[i] = async.create_task(function()
          -- All wake at 1, some by a first sleep that ends on the way.
          if i % 3 == 0 then
            async.sleep(0.5)
            async.sleep_until(1)
          else
            async.sleep(1)
          end
          table.insert(order, i)
        end)
      end
      async.gather(tasks)
      local expected = {}
      for _, third in ipairs { false, true } do
        for i = 1, 100 do
          if (i % 3 == 0) == third then
            table.insert(expected, i)
          end
        end
      end
      assert.same(expected, order)
      assert.equal(1, async.time())
    end)

    it("adds up decimal steps without an error", function()
      for _ = 1, 1000 do
        async.sleep(0.1)
      end
      assert.equal(100, async.time())
    end)

    it("can be advanced by hand, not backward", function()
      local t = async.create_task(async.sleep, 5)
      async.sleep(0)
      time.advance(5)
      assert.equal(5, async.time())
      t:await()
      assert.equal(5, async.time())
      time.advance(-3)
      assert.equal(5, async.time())
    end)
  end)

  describe("sleep", function()
    it("of 0, or less, lets every ready task run once", function()
      for _, seconds in ipairs { 0, -1, -math.huge } do
        local ran = false
        async.create_task(function()
          ran = true
        end)
        async.sleep(seconds)
        assert.is_true(ran)
      end
      assert.equal(0, async.time())
    end)

    it("returns the further arguments", function()
      assert.same({ n = 3, "a", nil, "c" }, table.pack(async.sleep(1, "a", nil, "c")))
      assert.same({ n = 2, "a", nil }, table.pack(async.sleep(0, "a", nil)))
      assert.equal(0, select("#", async.sleep(1)))
    end)

    it("for ever ends by cancellation only, and keeps no timer", function()
      for _, seconds in ipairs { math.huge, 1e300 } do
        local t = async.create_task(async.sleep, seconds)
        async.sleep(30)
        assert.is_false(t:done())
        t:cancel()
        pcall(t.await, t)
        assert.is_true(t:cancelled())
      end
    end)

    it("takes whole numbers and text that is a number", function()
      async.sleep(1)
      async.sleep "1"
      assert.equal(2, async.time())
    end)

    it("refuses NaN and what is no number", function()
      for _, wrong in ipairs { 0 / 0, "soon", {}, true } do
        local ok, message = pcall(async.sleep, wrong)
        assert.is_false(ok)
        assert.matches("number", message)
      end
      assert.is_false(pcall(async.sleep))
      assert.is_false(pcall(async.sleep_until, 0 / 0))
    end)

    it("that is cancelled leaves no timer", function()
      local before = host.statistics().timers
      local t = async.create_task(async.sleep, 50)
      async.sleep(0)
      assert.equal(before + 1, host.statistics().timers)
      t:cancel()
      assert.equal(before, host.statistics().timers)
      pcall(t.await, t)
    end)
  end)

  describe("sleep_until", function()
    it("wakes at that time", function()
      async.sleep(1)
      async.sleep_until(3)
      assert.equal(3, async.time())
    end)

    it("a time that has passed lets others run once", function()
      async.sleep(3)
      local ran = false
      async.create_task(function()
        ran = true
      end)
      async.sleep_until(1)
      assert.is_true(ran)
      assert.equal(3, async.time())
    end)
  end)

  describe("the option --clock", function()
    it("virtual makes an hour pass at once", function()
      local began = time.real()
      assert.equal("3600.0\n", under("virtual", 'local a = require "strobe.async" a.sleep(3600) print(a.time())'))
      assert.is_true(time.real() - began < 20)
    end)

    it("xN makes time run N times as fast", function()
      local output = under("x1000", [[
        local async, time = require "strobe.async", require "strobe.core.time"
        -- The machine may stand still between two looks at the clocks, but not each time.
        local speed
        for _ = 1, 20 do
          local began, real = async.time(), time.real()
          async.sleep(20)
          local loop_seconds, real_seconds = async.time() - began, time.real() - real
          assert(loop_seconds >= 20, loop_seconds)
          speed = loop_seconds / real_seconds
          if speed > 900 and speed < 1100 then
            return print "fast"
          end
        end
        print(speed)]])
      assert.equal("fast\n", output)
    end)

    it("live is the system's", function()
      local output = under("live", [[
        local async, time = require "strobe.async", require "strobe.core.time"
        local real = time.real()
        async.sleep(0.01)
        local took = time.real() - real
        assert(took >= 0.01, took)
        assert(math.abs(async.time() - time.real()) < 1)
        print "live"]])
      assert.equal("live\n", output)
    end)

    it("refuses another word and says which there are", function()
      local output = under("fast", "")
      assert.matches("strobe: %-%-clock=fast: live, virtual or xN", output)
      assert.matches("live, virtual or xN", under("x0", ""))
    end)
  end)

  describe("advance", function()
    it("is refused unless the clock is virtual", function()
      local output = under("live", 'print(pcall(require("strobe.core.time").advance, 1))')
      assert.matches("^false\t.*only a virtual clock can be advanced", output)
    end)
  end)
end)
