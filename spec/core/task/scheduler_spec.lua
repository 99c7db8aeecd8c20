local async = require "strobe.async"
local core_task = require "strobe.core.task"
local handle = require "strobe.core.handle"
local host = require "strobe.core.host"
local report = require "strobe.report"
local shell = require "spec.support.shell"
local testing = require "strobe.testing"
local time = require "strobe.core.time"

describe("the scheduler", function()
  -- Runs f; returns the reports made meanwhile.
  local function reports_of(f)
    local reports = {}
    report.set_handler(function(context)
      table.insert(reports, context)
    end)
    f()
    report.set_handler(nil)
    return reports
  end

  describe("ready tasks", function()
    it("run in the order in which they became ready", function()
      testing.fifo()
      local order = {}
      local tasks = {}
      for i = 1, 100 do
        tasks[i] = async.create_task(table.insert, order, i)
      end
      async.gather(tasks)
      for i = 1, 100 do
        assert.equal(i, order[i])
      end
    end)

    it("take turns: each runs once before one runs again", function()
      testing.fifo()
      local order = {}
      local function job(name)
        for i = 1, 3 do
          table.insert(order, name .. i)
          async.sleep(0)
        end
      end
      async.gather(async.create_task(job, "a"), async.create_task(job, "b"), async.create_task(job, "c"))
      assert.same({ "a1", "b1", "c1", "a2", "b2", "c2", "a3", "b3", "c3" }, order)
    end)

    it("may be told to run next, before all that are ready", function()
      testing.fifo()
      local order = {}
      local first = async.create_task(table.insert, order, "first")
      local second = async.create_task(table.insert, order, "second")
      local third = async.create_task(function()
        table.insert(order, "third")
        async.sleep(0)
        table.insert(order, "third again")
      end)
      assert.is_true(core_task.run_next(third))
      assert.is_true(core_task.run_next(second))
      async.gather(first, second, third)
      assert.same({ "second", "third", "first", "third again" }, order)
    end)

    it("run next also when they were made ready in this turn, and what waits or has ended does not", function()
      testing.fifo()
      local order = {}
      local waiting = async.create_task(async.sleep, 10)
      local ended = async.create_task(function() end)
      async.sleep(0)
      local later = async.create_task(table.insert, order, "later")
      local early = async.create_task(function()
        local made = async.create_task(table.insert, order, "made")
        core_task.run_next(made)
        core_task.run_next(later)
        core_task.run_next(made)
        table.insert(order, "early")
      end)
      core_task.run_next(early)
      async.sleep(0)
      assert.same({ "early", "made", "later" }, order)
      assert.is_false(core_task.run_next(waiting))
      assert.is_false(core_task.run_next(ended))
      assert.is_false(core_task.run_next(core_task.current()))
      waiting:cancel()
    end)

    it("and callbacks stand in one line", function()
      testing.fifo()
      local order = {}
      handle.call_soon(table.insert, order, "first callback")
      local t = async.create_task(table.insert, order, "task")
      handle.call_soon(table.insert, order, "second callback")
      t:await()
      async.sleep(0)
      assert.same({ "first callback", "task", "second callback" }, order)
    end)

    it("that are made by a running one wait for the next turn", function()
      testing.fifo()
      local order, inner = {}, nil
      local a = async.create_task(function()
        inner = async.create_task(table.insert, order, "inner")
        table.insert(order, "a")
      end)
      local b = async.create_task(table.insert, order, "b")
      async.gather(a, b)
      inner:await()
      assert.same({ "a", "b", "inner" }, order)
    end)

    it("do not keep timers from firing", function()
      local spinning, spins = true, 0
      local spinner = async.create_task(function()
        while spinning do
          spins = spins + 1
          async.sleep(0)
          time.advance(0.001)
        end
      end)
      async.sleep(1)
      spinning = false
      spinner:await()
      assert(spins >= 999 and spins <= 1005, "the timer was late")
    end)

    it("do not keep input from coming in", function()
      local uv = require "luv"
      local spins, came = 0, nil
      local idle = uv.new_async(function()
        came = spins
      end)
      idle:send()
      local closed = async.Future()
      while not came do
        spins = spins + 1
        async.sleep(0)
      end
      idle:close(function()
        closed:set_result()
      end)
      closed:await()
      assert(came < 100000, "input was late")
    end)
  end)

  describe("an uncaught error", function()
    it("ends its task only", function()
      local other = async.create_task(async.sleep, 1, "fine")
      local bad = async.create_task(error, "bad", 0)
      assert.equal("fine", other:await())
      assert.equal("bad", bad:exception())
    end)

    it("in a callback is reported and ends nothing", function()
      local reports = reports_of(function()
        handle.call_soon(error, "bad callback", 0)
        async.sleep(1)
      end)
      collectgarbage()
      assert.equal(1, #reports)
      assert.equal("error in a callback", reports[1].message)
      assert.equal("bad callback", reports[1].failure.error)
    end)

    it("in a callback is reported once, a CancelledError too", function()
      local reports = reports_of(function()
        local f = async.Future()
        f:add_done_callback(function()
          error(async.CancelledError "odd")
        end)
        f:set_result()
        async.sleep(1)
        collectgarbage()
        collectgarbage()
      end)
      assert.equal(1, #reports)
      assert.equal("CancelledError: odd", tostring(reports[1].failure.error))
    end)

    it("in the report handler itself does no harm", function()
      local code = [[
        require("strobe.report").set_handler(function() error "no better" end)
        require("strobe.core.handle").call_soon(error, "bad callback")
        async.sleep(1)
        print "alive"]]
      assert.same({ "strobe: error in a callback\nalive\n", 0 }, { shell.lua(code) })
    end)
  end)

  describe("a callback", function()
    it("may not wait", function()
      local message
      handle.call_soon(function()
        message = select(2, pcall(async.sleep, 1))
      end)
      async.sleep(0)
      assert.matches("cannot wait here: no task is running", message)
    end)

    it("may make tasks", function()
      local t
      handle.call_soon(function()
        t = async.create_task(async.sleep, 1, "made")
      end)
      async.sleep(0)
      assert.equal("made", t:await())
    end)
  end)

  describe("a wait across a call from C", function()
    it("is refused", function()
      local ok, message = pcall(table.sort, { 2, 1 }, function()
        async.sleep(1)
      end)
      assert.is_false(ok)
      assert.matches("cannot wait across a call from C", message)
    end)
  end)

  describe("a step that takes long", function()
    local function busy(seconds)
      local till = time.real() + seconds
      while time.real() < till do -- luacheck: ignore
      end
    end

    local function with_limit(seconds, f)
      local before = host.slow_step()
      host.slow_step(seconds)
      local reports = reports_of(f)
      host.slow_step(before)
      return reports
    end

    -- Those of the task that was busy: on a machine with much else to do, others may stand still too.
    local function of_task(name, reports)
      local list = {}
      for _, context in ipairs(reports) do
        if context.name == name and context.seconds > 0.04 then
          list[#list + 1] = context
        end
      end
      return list
    end

    it("is reported with its task, its time and its place", function()
      local reports = with_limit(0.01, function()
        local t = async.create_task(function()
          busy(0.05)
          async.sleep(0)
        end)
        t:set_name "slow"
        async.sleep(0)
        t:await()
      end)
      reports = of_task("slow", reports)
      assert.equal(1, #reports)
      assert.equal("slow", reports[1].task:get_name())
      assert(reports[1].seconds > 0.03 and reports[1].seconds < 10, reports[1].seconds)
    end)

    it("is reported with its task's name when that has ended with it", function()
      local reports = with_limit(0.01, function()
        local t = async.create_task(busy, 0.05)
        t:set_name "short"
        t:await()
      end)
      reports = of_task("short", reports)
      assert.equal(1, #reports)
      assert.is_nil(reports[1].task)
      assert.matches("^strobe: warning: short ran 0%.%d+ s without waiting$", report.text(reports[1]))
    end)

    it("has a text which says where it waited then", function()
      local text
      local before = host.slow_step()
      host.slow_step(0.01)
      report.set_handler(function(context)
        text = report.text(context)
      end)
      local t = async.create_task(function()
        busy(0.05)
        async.sleep(1)
      end)
      t:set_name "slow"
      t:await()
      report.set_handler(nil)
      host.slow_step(before)
      local pattern = "^strobe: warning: slow ran 0%.%d+ s without waiting, until .*scheduler_spec.lua:%d+$"
      assert.matches(pattern, text)
    end)

    it("is not reported when it is below the limit", function()
      assert.same({}, with_limit(10, function()
        async.create_task(busy, 0.02):await()
      end))
    end)

    it("takes limits above 0 only", function()
      assert.is_false(pcall(host.slow_step, 0))
      assert.is_false(pcall(host.slow_step, -1))
    end)
  end)
end)
