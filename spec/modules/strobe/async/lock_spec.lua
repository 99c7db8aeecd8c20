local async = require "strobe.async"
local testing = require "strobe.testing"

-- Lets tasks that are ready run.
local function turn()
  async.sleep(0)
end

-- A task that takes the lock, notes its name, and leaves the lock locked.
local function taker(lock, order, name)
  return async.create_task(function()
    lock:acquire()
    order[#order + 1] = name
  end)
end

describe("a lock", function()
  local lock, order

  before_each(function()
    lock, order = async.Lock(), {}
  end)

  describe("acquire", function()
    it("takes a free lock without waiting", function()
      assert.is_false(lock:locked())
      assert.is_truthy(lock:acquire())
      assert.is_true(lock:locked())
      assert.equal("<Lock [locked]>", tostring(lock))
    end)

    it("serves the tasks in the order in which they asked", function()
      testing.fifo()
      lock:acquire()
      local tasks = { taker(lock, order, 1), taker(lock, order, 2) }
      turn()
      assert.same({}, order)
      assert.equal("<Lock [locked, waiters:2]>", tostring(lock))

      lock:release()
      turn()
      assert.same({ 1 }, order)
      tasks[3] = taker(lock, order, 3)
      lock:release()
      turn()
      assert.same({ 1, 2 }, order)
      lock:release()
      async.gather(tasks)
      assert.same({ 1, 2, 3 }, order)
    end)

    it("does not overtake a task to which the lock was just released", function()
      lock:acquire()
      local waiting = taker(lock, order, "waited")
      turn()
      lock:release()
      assert.is_false(lock:locked())

      local late = taker(lock, order, "came late")
      turn()
      assert.same({ "waited" }, order)
      lock:release()
      async.gather(waiting, late)
      assert.same({ "waited", "came late" }, order)
    end)

    it("protects a section against other tasks", function()
      local inside, most = 0, 0
      local function work()
        local held <close> = lock:acquire() -- luacheck: ignore
        inside = inside + 1
        most = math.max(most, inside)
        async.sleep(1)
        inside = inside - 1
      end
      local fn = async.fn(work)
      async.gather(fn(), fn(), fn())
      assert.equal(1, most)
      assert.equal(3, async.time())
      assert.is_false(lock:locked())
    end)

    it("is what the deadlock report says a task waits for", function()
      lock:acquire()
      local task = taker(lock, order, 1)
      turn()
      assert.equal("lock", task:state())
      lock:release()
      task:await()
    end)

    it("refuses to wait in a callback, and stays usable", function()
      lock:acquire()
      local message
      async.get_running_loop():call_soon(function()
        message = select(2, pcall(lock.acquire, lock))
      end)
      turn()
      assert.matches("no task is running", tostring(message))
      lock:release()
      assert.is_false(lock:locked())
    end)
  end)

  describe("the guard of acquire", function()
    it("releases when the block is left by an error", function()
      local ok, e = pcall(function()
        local held <close> = lock:acquire() -- luacheck: ignore
        error("oops", 0)
      end)
      assert.is_false(ok)
      assert.equal("oops", e)
      assert.is_false(lock:locked())
    end)

    it("releases only once", function()
      local held = lock:acquire()
      held:release()
      assert.is_false(lock:locked())
      lock:acquire()
      held:release()
      assert.is_true(lock:locked())
    end)
  end)

  describe("release", function()
    it("refuses when the lock is not acquired", function()
      assert.error_matches(function()
        lock:release()
      end, "Lock:release: the lock is not acquired")
    end)

    it("refuses a second time, even while another task gets the lock", function()
      lock:acquire()
      local waiting = taker(lock, order, 1)
      turn()
      lock:release()
      assert.error_matches(function()
        lock:release()
      end, "not acquired")
      waiting:await()
      assert.is_true(lock:locked())
    end)
  end)

  describe("cancelling acquire", function()
    it("raises and leaves nobody waiting", function()
      lock:acquire()
      local task = taker(lock, order, 1)
      turn()
      task:cancel()
      turn()
      assert.is_true(task:cancelled())
      assert.equal("<Lock [locked]>", tostring(lock))
    end)

    it("does not take the lock", function()
      lock:acquire()
      local ok = pcall(async.wait_for, lock.acquire, 1, lock)
      assert.is_false(ok)
      lock:release()
      assert.is_false(lock:locked())
    end)

    it("passes on the lock that was released to it", function()
      lock:acquire()
      local first, second = taker(lock, order, 1), taker(lock, order, 2)
      turn()
      lock:release()
      first:cancel()
      second:await()
      assert.is_true(first:cancelled())
      assert.same({ 2 }, order)
      assert.is_true(lock:locked())
    end)

    it("frees the lock that was released to it when nobody else waits", function()
      lock:acquire()
      local task = taker(lock, order, 1)
      turn()
      lock:release()
      task:cancel()
      turn()
      assert.is_true(task:cancelled())
      assert.is_false(lock:locked())
    end)

    it("before the release lets the next one have it", function()
      testing.fifo()
      lock:acquire()
      local first, second, third = taker(lock, order, 1), taker(lock, order, 2), taker(lock, order, 3)
      turn()
      first:cancel()
      lock:release()
      turn()
      assert.is_true(first:cancelled())
      assert.same({ 2 }, order) -- the lock was taken once
      lock:release()
      async.gather(second, third)
    end)

    it("of the one it was released to and of the next one leaves it to the third", function()
      for _, swapped in ipairs { false, true } do
        lock, order = async.Lock(), {}
        lock:acquire()
        local first, second, third = taker(lock, order, 1), taker(lock, order, 2), taker(lock, order, 3)
        turn()
        if swapped then
          second:cancel()
        end
        lock:release()
        first:cancel()
        if not swapped then
          second:cancel()
        end
        third:await()
        assert.is_true(first:cancelled() and second:cancelled())
        assert.same({ 3 }, order)
        lock:release()
        assert.is_false(lock:locked())
      end
    end)
  end)
end)
