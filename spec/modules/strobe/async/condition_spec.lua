local async = require "strobe.async"
local testing = require "strobe.testing"

local function turn()
  async.sleep(0)
end

describe("a condition", function()
  local condition, order

  before_each(function()
    condition, order = async.Condition(), {}
  end)

  -- A task that waits under the lock and keeps the lock afterwards.
  local function waiter(name)
    return async.create_task(function()
      condition:acquire()
      assert.is_true(condition:wait())
      order[#order + 1] = name
    end)
  end

  -- A task that releases the lock with its block.
  local function polite_waiter(name)
    return async.create_task(function()
      local held <close> = condition:acquire() -- luacheck: ignore
      condition:wait()
      order[#order + 1] = name
    end)
  end

  describe("wait", function()
    it("releases the lock and has it again when it returns", function()
      local task = waiter(1)
      turn()
      assert.is_false(condition:locked())
      assert.equal("condition", task:state())

      condition:acquire()
      condition:notify()
      turn()
      assert.same({}, order) -- the lock is still ours
      condition:release()
      task:await()
      assert.same({ 1 }, order)
      assert.is_true(condition:locked())
    end)

    it("refuses without the lock", function()
      assert.error_matches(function()
        condition:wait()
      end, "Condition:wait: the lock is not acquired")
    end)

    it("keeps a closing guard valid", function()
      local task = polite_waiter(1)
      turn()
      do
        local held <close> = condition:acquire() -- luacheck: ignore
        condition:notify()
      end
      task:await()
      assert.is_false(condition:locked())
    end)
  end)

  describe("notify", function()
    it("wakes as many as it is told, in the order of coming", function()
      testing.fifo()
      local tasks = { waiter(1), waiter(2), waiter(3) }
      turn()
      condition:acquire()
      condition:notify()
      condition:release()
      turn()
      assert.same({ 1 }, order)

      condition:notify(2) -- task 1 has left the lock to us
      turn()
      assert.same({ 1 }, order)
      condition:release()
      turn()
      assert.same({ 1, 2 }, order)
      condition:release()
      async.gather(tasks)
      assert.same({ 1, 2, 3 }, order)
    end)

    it("of more than there are wakes all", function()
      testing.fifo()
      local tasks = { polite_waiter(1), polite_waiter(2) }
      turn()
      condition:acquire():release()
      do
        local held <close> = condition:acquire() -- luacheck: ignore
        condition:notify(1024)
      end
      async.gather(tasks)
      assert.same({ 1, 2 }, order)
    end)

    it("does not count for who comes to wait later", function()
      do
        local held <close> = condition:acquire() -- luacheck: ignore
        condition:notify()
      end
      local task = polite_waiter(1)
      async.sleep(1)
      assert.same({}, order)
      condition:acquire()
      condition:notify()
      condition:release()
      task:await()
    end)

    it("refuses without the lock", function()
      assert.error_matches(function()
        condition:notify()
      end, "Condition:notify: the lock is not acquired")
      assert.error_matches(function()
        condition:notify_all()
      end, "Condition:notify_all: the lock is not acquired")
    end)
  end)

  describe("notify_all", function()
    it("wakes all, one after another", function()
      testing.fifo()
      local tasks = { polite_waiter(1), polite_waiter(2), polite_waiter(3) }
      turn()
      condition:acquire()
      condition:notify_all()
      condition:release()
      async.gather(tasks)
      assert.same({ 1, 2, 3 }, order)
    end)
  end)

  describe("wait_for", function()
    it("asks the predicate now and after each notify, and returns its value", function()
      local stock, asked = 0, 0
      local task = async.create_task(function()
        local held <close> = condition:acquire() -- luacheck: ignore
        return condition:wait_for(function()
          asked = asked + 1
          return stock >= 2 and stock
        end)
      end)
      for _ = 1, 2 do
        async.sleep(1)
        local held <close> = condition:acquire() -- luacheck: ignore
        stock = stock + 1
        condition:notify()
      end
      assert.equal(2, task:await())
      assert.equal(3, asked)
      assert.equal(2, async.time())
    end)

    it("does not wait when the predicate is true already", function()
      condition:acquire()
      assert.equal("yes", condition:wait_for(function()
        return "yes"
      end))
    end)

    it("refuses without the lock when it has to wait", function()
      assert.error_matches(function()
        condition:wait_for(function()
          return false
        end)
      end, "the lock is not acquired")
    end)
  end)

  describe("cancelling wait", function()
    it("raises, with the lock taken again", function()
      local locked_at_the_end
      local task = async.create_task(function()
        local held <close> = condition:acquire() -- luacheck: ignore
        local ok, e = pcall(condition.wait, condition)
        locked_at_the_end = not ok and condition:locked()
        error(e, 0)
      end)
      turn()
      task:cancel()
      pcall(task.await, task)
      assert.is_true(task:cancelled())
      assert.is_true(locked_at_the_end)
      assert.is_false(condition:locked())
    end)

    it("waits for the lock first, when another task has it", function()
      local task = waiter(1)
      turn()
      condition:acquire()
      task:cancel()
      async.sleep(1)
      assert.is_false(task:done())
      condition:release()
      pcall(task.await, task)
      assert.is_true(task:cancelled())
      assert.is_true(condition:locked())
    end)

    it("again while it waits for the lock raises the last of them", function()
      local message
      local task = async.create_task(function()
        local held <close> = condition:acquire() -- luacheck: ignore
        local _, e = pcall(condition.wait, condition)
        message = e.message
        assert.is_true(condition:locked())
        error(e, 0)
      end)
      turn()
      condition:acquire()
      task:cancel "first"
      turn()
      task:cancel "second"
      turn()
      assert.is_false(task:done())
      condition:release()
      pcall(task.await, task)
      assert.equal("second", message)
      assert.is_true(task:cancelled())
    end)

    it("after it was notified passes the notification on", function()
      local first, second = polite_waiter(1), polite_waiter(2)
      turn()
      condition:acquire()
      condition:notify()
      first:cancel()
      condition:release()
      second:await()
      assert.is_true(first:cancelled())
      assert.same({ 2 }, order)
    end)

    it("while it waits for the lock passes the notification on", function()
      testing.fifo()
      local first, second = polite_waiter(1), polite_waiter(2)
      turn()
      condition:acquire()
      condition:notify()
      turn() -- the first one now waits for the lock
      first:cancel()
      turn()
      condition:release()
      second:await()
      assert.is_true(first:cancelled())
      assert.same({ 2 }, order)
    end)

    it("before it was notified wakes nobody else", function()
      local first, second = polite_waiter(1), polite_waiter(2)
      turn()
      first:cancel()
      async.sleep(1)
      assert.is_true(first:cancelled())
      assert.is_false(second:done())
      second:cancel()
      turn()
    end)

    it("by a timeout around the block ends the block in order", function()
      local ok, e = pcall(async.wait_for, function()
        local held <close> = condition:acquire() -- luacheck: ignore
        condition:wait()
      end, 2)
      assert.is_false(ok)
      assert.is_true(async.is(e, async.TimeoutError))
      assert.is_false(condition:locked())
      assert.equal(2, async.time())
    end)
  end)

  describe("with a lock of its own", function()
    it("shares it", function()
      local lock = async.Lock()
      local full, empty = async.Condition(lock), async.Condition(lock)
      do
        local held <close> = full:acquire() -- luacheck: ignore
        assert.is_true(lock:locked())
        assert.is_true(empty:locked())
      end
      assert.is_false(lock:locked())
    end)

    it("has to be given a lock", function()
      assert.error_matches(function()
        async.Condition(5)
      end, "Condition: a Lock expected, got number")
    end)
  end)

  it("prints its state", function()
    assert.equal("<Condition [unlocked]>", tostring(condition))
    local task = polite_waiter(1)
    turn()
    assert.equal("<Condition [unlocked, waiters:1]>", tostring(condition))
    task:cancel()
    turn()
  end)
end)
