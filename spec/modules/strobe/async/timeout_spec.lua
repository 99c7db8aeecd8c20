local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local raised = require("spec.support.errors").raised

describe("timeout", function()
  describe("a scope", function()
    it("raises TimeoutError where its block waits too long", function()
      local scope, reached
      local e = raised(async.TimeoutError, function()
        local t <close> = async.timeout(2)
        scope = t
        async.sleep(10)
        reached = true
      end)
      assert.equal("TimeoutError: timed out after 2 s", tostring(e))
      assert.equal(2, async.time())
      assert.is_true(scope:expired())
      assert.is_nil(reached)
      assert.equal(0, async.current_task():cancelling())
    end)

    it("does nothing to a block that ends in time", function()
      local scope
      do
        local t <close> = async.timeout(2)
        scope = t
        async.sleep(1)
      end
      async.sleep(5)
      assert.is_false(scope:expired())
      assert.equal(6, async.time())
    end)

    it("of nil never expires", function()
      local t <close> = async.timeout(nil)
      async.sleep(100)
      assert.is_nil(t:when())
      assert.is_false(t:expired())
    end)

    it("of 0, or in the past, ends the first wait", function()
      for _, seconds in ipairs { 0, -1 } do
        raised(async.TimeoutError, function()
          local _ <close> = async.timeout(seconds)
          async.sleep(10)
        end)
      end
      assert.equal(0, async.time())
    end)

    it("of 0 does nothing to a block that does not wait", function()
      local scope
      do
        local t <close> = async.timeout(0)
        scope = t
      end
      async.sleep(1)
      assert.is_false(scope:expired())
    end)

    it("of 0 ends a sleep(0)", function()
      raised(async.TimeoutError, function()
        local _ <close> = async.timeout(0)
        async.sleep(0)
      end)
    end)

    it("passes the results of its block", function()
      local function compute()
        local _ <close> = async.timeout(2)
        return async.sleep(1, "a", "b")
      end
      assert.same({ "a", "b" }, { compute() })
    end)

    it("passes other errors of its block", function()
      assert.has_error(function()
        local _ <close> = async.timeout(2)
        error("mine", 0)
      end, "mine")
    end)

    it("passes an error that the block makes of the timeout", function()
      assert.has_error(function()
        local _ <close> = async.timeout(1)
        assert(not pcall(async.sleep, 10))
        error("mine", 0)
      end, "mine")
      assert.equal(0, async.current_task():cancelling())
    end)

    it("has expired, silently, when the block swallows the cancellation", function()
      local scope
      do
        local t <close> = async.timeout(1)
        scope = t
        pcall(async.sleep, 10)
      end
      assert.is_true(scope:expired())
      async.sleep(1)
      assert.equal(2, async.time())
      assert.equal(0, async.current_task():cancelling())
    end)

    it("waits for the cleanup of its block", function()
      pcall(function()
        local _ <close> = async.timeout(1)
        local _ <close> = cleanup(function()
          async.sleep(3)
        end)
        async.sleep(10)
      end)
      assert.equal(4, async.time())
    end)

    it("reaches a task which its block awaits", function()
      local inner = async.create_task(async.sleep, 10)
      raised(async.TimeoutError, function()
        local _ <close> = async.timeout(1)
        inner:await()
      end)
      assert.is_true(inner:cancelled())
    end)

    it("tells its state", function()
      local t <close> = async.timeout(1)
      assert.equal("<Timeout [entered]>", tostring(t))
      pcall(async.sleep, 10)
      assert.equal("<Timeout [expiring]>", tostring(t))
    end)

    it("is refused where no task runs, and seconds that are no number", function()
      local message
      local f = async.Future()
      f:add_done_callback(function()
        message = select(2, pcall(async.timeout, 1))
      end)
      f:set_result()
      async.sleep(0)
      assert.matches("a timeout should be used inside a task", message)
      for _, wrong in ipairs { "x", 0 / 0, {} } do
        assert.matches("timeout: a number of seconds expected", select(2, pcall(async.timeout, wrong)))
      end
    end)
  end)

  describe("nested scopes", function()
    it("expire each at its own block: the inner first", function()
      do
        local outer <close> = async.timeout(5)
        raised(async.TimeoutError, function()
          local _ <close> = async.timeout(1)
          async.sleep(10)
        end)
        assert.is_false(outer:expired())
        async.sleep(1)
      end
      assert.equal(2, async.time())
    end)

    it("expire each at its own block: the outer first", function()
      local inner
      local e = raised(async.TimeoutError, function()
        local _ <close> = async.timeout(1)
        local t <close> = async.timeout(5)
        inner = t
        async.sleep(10)
      end)
      assert.equal("timed out after 1 s", e.message)
      assert.is_false(inner:expired())
      assert.equal(1, async.time())
    end)

    it("with the same deadline raise one TimeoutError out of the outer one", function()
      local outer, inner
      raised(async.TimeoutError, function()
        local a <close> = async.timeout(1)
        outer = a
        local b <close> = async.timeout(1)
        inner = b
        async.sleep(10)
      end)
      assert.is_true(outer:expired() and inner:expired())
      assert.equal(0, async.current_task():cancelling())
      async.sleep(1)
      assert.equal(2, async.time())
    end)

    it("may be opened during the cleanup of an expired one", function()
      do
        local _ <close> = async.timeout(1)
        pcall(async.sleep, 10)
        raised(async.TimeoutError, function()
          local _ <close> = async.timeout(1)
          async.sleep(10)
        end)
      end
      assert.equal(2, async.time())
    end)
  end)

  describe("a cancellation from outside", function()
    local scope

    -- A task that sleeps for ten seconds in a scope of five.
    local function late()
      return async.create_task(function()
        local s <close> = async.timeout(5)
        scope = s
        async.sleep(10)
      end)
    end

    it("is not turned into a TimeoutError", function()
      local t = late()
      async.sleep(1)
      t:cancel()
      raised(async.CancelledError, t.await, t)
      assert.is_false(scope:expired())
    end)

    it("wins when the time is up as well", function()
      local t = late()
      async.sleep(5)
      t:cancel()
      pcall(t.await, t)
      assert.is_true(t:cancelled())
      assert.is_true(scope:expired())
      assert.equal(1, t:cancelling())
    end)

    it("that came before the scope does not hide the timeout", function()
      local t = async.create_task(function()
        pcall(async.sleep, 10)
        raised(async.TimeoutError, function()
          local _ <close> = async.timeout(1)
          async.sleep(10)
        end)
      end)
      async.sleep(1)
      t:cancel()
      t:await()
      assert.equal(1, t:cancelling())
    end)

    it("that the block itself took back leaves the timeout as it was", function()
      local t = async.create_task(function()
        local _ <close> = async.timeout(5)
        pcall(async.sleep, 10)
        assert.equal(0, async.current_task():uncancel())
        async.sleep(10)
      end)
      async.sleep(1)
      t:cancel()
      raised(async.TimeoutError, t.await, t)
      assert.equal(5, async.time())
    end)

    it("by hand inside the block stays a cancellation", function()
      local t = async.create_task(function()
        local _ <close> = async.timeout(5)
        error(async.CancelledError "by hand")
      end)
      assert.equal("by hand", raised(async.CancelledError, t.await, t).message)
      assert.is_true(t:cancelled())
    end)
  end)

  describe("timeout_at", function()
    it("expires at a point of loop time", function()
      async.sleep(3)
      local e = raised(async.TimeoutError, function()
        local t <close> = async.timeout_at(5)
        assert.equal(5, t:when())
        async.sleep(10)
      end)
      assert.equal("TimeoutError: timed out at 5 s", tostring(e))
      assert.equal(5, async.time())
    end)

    it("in the past expires at the first wait", function()
      async.sleep(3)
      raised(async.TimeoutError, function()
        local _ <close> = async.timeout_at(1)
        async.sleep(10)
      end)
      assert.equal(3, async.time())
    end)
  end)

  describe("reschedule", function()
    it("moves the deadline, both ways, and takes it away", function()
      do
        local t <close> = async.timeout(2)
        t:reschedule(5)
        assert.equal(5, t:when())
        async.sleep(4)
        t:reschedule(nil)
        async.sleep(4)
        assert.is_false(t:expired())
      end
      raised(async.TimeoutError, function()
        local t <close> = async.timeout(100)
        t:reschedule(9)
        async.sleep(10)
      end)
      assert.equal(9, async.time())
    end)

    it("is refused once the time was up or the block left", function()
      local scope
      do
        local t <close> = async.timeout(1)
        scope = t
        pcall(async.sleep, 10)
        local ok, message = pcall(t.reschedule, t, 5)
        assert.is_false(ok)
        assert.matches("cannot change the deadline of a timeout that is expiring", message)
      end
      assert.is_false(pcall(scope.reschedule, scope, 5))
    end)

    it("to a time that has passed ends the next wait", function()
      raised(async.TimeoutError, function()
        local t <close> = async.timeout(10)
        t:reschedule(-1)
        async.sleep(0)
      end)
      assert.equal(0, async.time())
    end)

    it("takes numbers only", function()
      local t <close> = async.timeout(1)
      local ok, message = pcall(t.reschedule, t, "soon")
      assert.is_false(ok)
      assert.matches("reschedule: a number of seconds expected, got soon", message)
      assert.equal(1, t:when())
    end)
  end)
end)

describe("wait_for", function()
  local after = async.fn(function(seconds, ...)
    return async.sleep(seconds, ...)
  end)

  describe("in time", function()
    it("returns what the awaitable returns", function()
      assert.same({ "a", "b" }, { async.wait_for(after(1, "a", "b"), 2) })
      assert.equal(1, async.time())
    end)

    it("calls a function with the further arguments", function()
      assert.equal("x", async.wait_for(async.sleep, 2, 1, "x"))
    end)

    it("without a limit waits for ever", function()
      assert.equal("x", async.wait_for(after(100, "x"), nil))
    end)

    it("raises what the awaitable raises", function()
      assert.has_error(function()
        async.wait_for(error, 1, "mine", 0)
      end, "mine")
    end)
  end)

  describe("too late", function()
    it("cancels the awaitable and raises TimeoutError", function()
      local t = async.create_task(after(10))
      raised(async.TimeoutError, async.wait_for, t, 1)
      assert.is_true(t:cancelled())
      assert.equal(1, async.time())
    end)

    it("waits until the cancelled task has cleaned up", function()
      local clean = false
      local t = async.create_task(function()
        local _ <close> = cleanup(function()
          async.sleep(2)
          clean = true
        end)
        async.sleep(10)
      end)
      raised(async.TimeoutError, async.wait_for, t, 1)
      assert.is_true(clean)
      assert.equal(3, async.time())
    end)

    it("returns the result when the task takes no notice", function()
      local t = async.create_task(function()
        pcall(async.sleep, 10)
        return "anyway"
      end)
      assert.equal("anyway", async.wait_for(t, 1))
    end)

    it("in the turn in which the result comes still raises TimeoutError", function()
      local f = async.Future()
      async.get_running_loop():call_later(1, f.set_result, f, "too late")
      raised(async.TimeoutError, async.wait_for, f, 1)
      assert.equal("too late", f:result())
    end)

    it("raises the error of a cleanup that fails", function()
      local t = async.create_task(function()
        pcall(async.sleep, 10)
        error("broken cleanup", 0)
      end)
      assert.has_error(function()
        async.wait_for(t, 1)
      end, "broken cleanup")
    end)
  end)

  describe("without any time", function()
    it("returns the result of what has ended", function()
      local f = async.Future()
      f:set_result "there"
      assert.equal("there", async.wait_for(f, 0))
      assert.equal("there", async.wait_for(f, -1))
    end)

    it("raises the cancellation of what was cancelled already", function()
      local f = async.Future()
      f:cancel "before"
      assert.equal("before", raised(async.CancelledError, async.wait_for, f, 0).message)
    end)

    it("never starts a coroutine object, a function or an awaitable object", function()
      local started = false
      local function start()
        started = true
      end
      local object = setmetatable({}, { __await = start })
      for _, awaitable in ipairs { async.fn(start)(), start, object } do
        raised(async.TimeoutError, async.wait_for, awaitable, 0)
      end
      async.sleep(1)
      assert.is_false(started)
    end)

    it("cancels a running task and waits for its end", function()
      local t = async.create_task(function()
        local _ <close> = cleanup(function()
          async.sleep(1)
        end)
        async.sleep(10)
      end)
      async.sleep(1)
      raised(async.TimeoutError, async.wait_for, t, 0)
      assert.is_true(t:cancelled())
      assert.equal(2, async.time())
    end)
  end)

  describe("being cancelled", function()
    it("cancels the awaitable and raises CancelledError", function()
      local inner = async.create_task(after(10))
      local t = async.create_task(async.wait_for, inner, 5)
      async.sleep(1)
      t:cancel()
      raised(async.CancelledError, t.await, t)
      assert.is_true(inner:cancelled())
    end)

    it("in the turn in which the result comes still raises CancelledError", function()
      local f = async.Future()
      local t = async.create_task(async.wait_for, f, 5)
      async.sleep(1)
      f:set_result "too late"
      t:cancel()
      raised(async.CancelledError, t.await, t)
    end)
  end)

  describe("arguments", function()
    it("are named when they are wrong", function()
      local ok, message = pcall(async.wait_for, 5, 1)
      assert.is_false(ok)
      assert.matches("wait_for: an awaitable or a function expected, got 5", message)
      ok, message = pcall(async.wait_for, async.sleep, "x")
      assert.is_false(ok)
      assert.matches("wait_for: a number of seconds expected, got x", message)
    end)
  end)
end)

describe("move_on_after", function()
  describe("in time", function()
    it("returns true and the results", function()
      assert.same({ n = 3, true, "a", nil }, table.pack(async.move_on_after(2, async.sleep, 1, "a", nil)))
    end)

    it("raises what the function raises", function()
      assert.has_error(function()
        async.move_on_after(2, error, "mine", 0)
      end, "mine")
    end)

    it("raises a TimeoutError which is not its own", function()
      local e = raised(async.TimeoutError, async.move_on_after, 5, function()
        local _ <close> = async.timeout(1)
        async.sleep(10)
      end)
      assert.equal("timed out after 1 s", e.message)
    end)
  end)

  describe("too late", function()
    it("returns false and why", function()
      assert.same({ false, "timeout" }, { async.move_on_after(1, async.sleep, 10) })
      assert.equal(1, async.time())
    end)

    it("lets the cleanup end first", function()
      async.move_on_after(1, function()
        local _ <close> = cleanup(function()
          async.sleep(2)
        end)
        async.sleep(10)
      end)
      assert.equal(3, async.time())
    end)
  end)

  describe("arguments", function()
    it("are a function, where a task is running", function()
      assert.error_matches(function()
        async.move_on_after(1, 5)
      end, "move_on_after: a function expected, got number")
      local message
      async.get_running_loop():call_soon(function()
        message = select(2, pcall(async.move_on_after, 1, print))
      end)
      async.sleep(0)
      assert.matches("a timeout should be used inside a task", message)
    end)
  end)

  describe("a cancellation from outside", function()
    it("is raised", function()
      local t = async.create_task(async.move_on_after, 5, async.sleep, 10)
      async.sleep(1)
      t:cancel()
      pcall(t.await, t)
      assert.is_true(t:cancelled())
    end)
  end)
end)
