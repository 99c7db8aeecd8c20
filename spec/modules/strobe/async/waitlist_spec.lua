local Waitlist = require "strobe.async.waitlist"
local async = require "strobe.async"
local start = require("spec.support.tasks").start
local testing = require "strobe.testing"
local turn = require("spec.support.tasks").turn

describe("a waitlist", function()
  local list, log

  before_each(function()
    list, log = Waitlist.new "spec", {}
  end)

  -- A task that stands in the row, and then writes down how it was let go.
  local function waiter(name)
    return start(function()
      local ok, e, woken = list:park()
      table.insert(log, ("%s %s%s"):format(name, woken and "woken" or "not woken", ok and "" or ", cancelled"))
      if not ok then
        error(e, 0)
      end
    end)
  end

  local function waiters(count)
    local tasks = {}
    for i = 1, count do
      tasks[i] = waiter(i)
    end
    return tasks
  end

  describe("park", function()
    it("waits until it is woken", function()
      local task = waiter "a"
      assert.equal(1, #list)
      assert.equal("spec", task:state())
      async.sleep(5)
      assert.same({}, log)
      list:wake()
      task:await()
      assert.same({ "a woken" }, log)
      assert.equal(5, async.time())
    end)

    it("where nobody may wait returns why, and leaves no trace", function()
      local results
      async.get_running_loop():call_soon(function()
        results = table.pack(list:park())
      end)
      turn()
      assert.is_false(results[1])
      assert.matches("no task is running", tostring(results[2]))
      assert.is_false(results[3])
      assert.equal(0, list.inside)
    end)
  end)

  describe("wake", function()
    it("wakes the oldest first, as many as it is told, and says how many", function()
      testing.fifo()
      local tasks = waiters(3)
      assert.equal(2, list:wake(2))
      assert.equal(1, #list)
      turn()
      assert.same({ "1 woken", "2 woken" }, log)
      assert.equal(1, list:wake(5))
      async.gather(tasks)
      assert.same({ "1 woken", "2 woken", "3 woken" }, log)
    end)

    it("wakes all when it is told no number", function()
      local tasks = waiters(3)
      assert.equal(3, list:wake())
      async.gather(tasks)
      assert.equal(3, #log)
    end)

    it("of nobody is not remembered", function()
      assert.equal(0, list:wake())
      local task = waiter "late"
      turn()
      assert.is_false(task:done())
      list:wake()
      task:await()
    end)

    it("is on its way until the task has run", function()
      local task = waiter "a"
      assert.equal(0, list.woken)
      list:wake()
      assert.equal(1, list.woken)
      assert.equal(0, #list)
      task:await()
      assert.equal(0, list.woken)
      assert.equal(0, list.inside)
    end)
  end)

  describe("a task that is cancelled", function()
    it("while it waits was not woken, and the others keep their order", function()
      testing.fifo()
      local tasks = waiters(3)
      tasks[2]:cancel()
      turn()
      assert.same({ "2 not woken, cancelled" }, log)
      list:wake()
      async.wait(tasks)
      assert.same({ "2 not woken, cancelled", "1 woken", "3 woken" }, log)
      assert.is_true(tasks[2]:cancelled())
    end)

    it("before it comes to wait was not woken", function()
      local task = async.create_task(function()
        async.current_task():cancel()
        local ok, _, woken = list:park()
        assert.is_false(ok)
        assert.is_false(woken)
      end)
      task:await()
      assert.equal(0, list.inside)
    end)

    it("after its wake-up is told so, to pass it on", function()
      local task = waiter "a"
      list:wake(1)
      task:cancel()
      async.wait { task }
      assert.same({ "a woken, cancelled" }, log)
    end)

    it("before and after the wake-up: one of the two has it, whoever runs first", function()
      for _, early in ipairs { 1, 2 } do
        list, log = Waitlist.new "spec", {}
        local tasks = waiters(2)
        tasks[early]:cancel()
        list:wake(1)
        tasks[3 - early]:cancel()
        async.wait(tasks)
        table.sort(log, function(a, b)
          return #a < #b
        end)
        assert.matches("^%d woken, cancelled$", log[1])
        assert.matches("^%d not woken, cancelled$", log[2])
        assert.equal(0, list.woken)
      end
    end)

    it("beside one that goes on takes nothing from it", function()
      testing.fifo()
      local tasks = waiters(2)
      list:wake(1)
      tasks[2]:cancel()
      async.wait(tasks)
      assert.same({ "1 woken", "2 not woken, cancelled" }, log)
    end)
  end)

  it("loses no wake-up and makes none, whenever tasks are cancelled", function()
    for seed = 1, 50 do
      math.randomseed(seed)
      list = Waitlist.new "spec"
      local given, taken, tasks = 0, 0, {}
      for i = 1, 20 do
        tasks[i] = async.create_task(function()
          async.sleep(math.random(0, 3) / 100)
          local _, _, woken = list:park()
          taken = taken + (woken and 1 or 0)
        end)
      end
      for _ = 1, 10 do
        given = given + list:wake(math.random(0, 3))
        tasks[math.random(20)]:cancel()
        tasks[math.random(20)]:cancel()
        async.sleep(math.random(0, 1) / 100)
      end
      while #async.wait(tasks, { timeout = 0 }) < 20 do
        given = given + list:wake()
        async.sleep(0.01)
      end
      assert.equal(given, taken)
      assert.equal(0, list.inside)
      assert.equal(0, list.woken)
    end
  end)
end)
