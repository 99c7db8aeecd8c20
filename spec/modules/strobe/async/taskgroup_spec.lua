local async = require "strobe.async"

describe("a task group", function()
  local function fail_after(seconds, e)
    async.sleep(seconds)
    error(e, 0)
  end

  -- What the block raises, or nil.
  local function raised_by(block)
    local ok, e = pcall(block)
    return not ok and e or nil
  end

  -- Sleeps; when it is cancelled cleans up for some time, and logs both.
  local function tidy(log, name, cleanup)
    local ok, e = pcall(async.sleep, 100)
    table.insert(log, name .. " cancelled")
    async.sleep(cleanup)
    table.insert(log, name .. " clean")
    assert(not ok)
    error(e, 0)
  end

  describe("leaving the block", function()
    it("waits for all children", function()
      local a, b
      do
        local tg <close> = async.TaskGroup()
        a = tg:create_task(async.sleep, 2, "a")
        b = tg:create_task(async.fn(async.sleep)(1, "b"))
      end
      assert.equal(2, async.time())
      assert.same({ "a", "b" }, { a:result(), b:result() })
    end)

    it("of an empty group does not wait", function()
      do
        local _ <close> = async.TaskGroup()
      end
      assert.equal(0, async.time())
    end)

    it("waits for children that are made by children meanwhile", function()
      do
        local tg <close> = async.TaskGroup()
        tg:create_task(function()
          async.sleep(1)
          tg:create_task(async.sleep, 4)
        end)
      end
      assert.equal(5, async.time())
    end)

    it("passes the results of the block", function()
      local function block()
        local tg <close> = async.TaskGroup()
        tg:create_task(async.sleep, 1)
        return "a", "b"
      end
      assert.same({ "a", "b" }, { block() })
      assert.equal(1, async.time())
    end)
  end)

  describe("a child's error", function()
    it("cancels its siblings, in the order they were made, and is raised in a group", function()
      local log, e = {}, { "an error" }
      local raised = raised_by(function()
        local tg <close> = async.TaskGroup()
        for i = 1, 20 do
          tg:create_task(tidy, log, tostring(i), 0)
        end
        tg:create_task(fail_after, 1, e)
      end)
      assert.is_true(async.is(raised, async.ExceptionGroup))
      assert.equal(1, #raised.exceptions)
      assert.equal(e, raised.exceptions[1])
      assert.equal("unhandled errors in a TaskGroup (1)", raised.message)
      for i = 1, 20 do
        assert.equal(i .. " cancelled", log[i])
      end
      assert.equal(1, async.time())
      assert.equal(0, async.current_task():cancelling())
    end)

    it("ends the wait of the block", function()
      local reached = false
      local raised = raised_by(function()
        local tg <close> = async.TaskGroup()
        tg:create_task(fail_after, 1, "child")
        async.sleep(100)
        reached = true
      end)
      assert.same({ "child" }, raised.exceptions)
      assert.is_false(reached)
      assert.equal(1, async.time())
      assert.equal(0, async.current_task():cancelling())
      async.sleep(1)
      assert.equal(2, async.time())
    end)

    it("is raised only when all siblings have cleaned up", function()
      local log = {}
      raised_by(function()
        local tg <close> = async.TaskGroup()
        tg:create_task(tidy, log, "a", 3)
        tg:create_task(fail_after, 1, "x")
      end)
      assert.same({ "a cancelled", "a clean" }, log)
      assert.equal(4, async.time())
    end)

    it("at the same time as another's is raised with it", function()
      local raised = raised_by(function()
        local tg <close> = async.TaskGroup()
        tg:create_task(fail_after, 1, "first")
        tg:create_task(fail_after, 1, "second")
      end)
      assert.same({ "first", "second" }, raised.exceptions)
      assert.equal(0, async.current_task():cancelling())
    end)

    it("during the cleanup is raised with the first", function()
      local raised = raised_by(function()
        local tg <close> = async.TaskGroup()
        tg:create_task(function()
          pcall(async.sleep, 100)
          error("cleanup", 0)
        end)
        tg:create_task(fail_after, 1, "first")
      end)
      assert.same({ "first", "cleanup" }, raised.exceptions)
    end)

    it("is raised with the block's own error", function()
      local raised = raised_by(function()
        local tg <close> = async.TaskGroup()
        tg:create_task(function()
          pcall(async.sleep, 100)
          error("child", 0)
        end)
        async.sleep(1)
        error("block", 0)
      end)
      assert.same({ "child", "block" }, raised.exceptions)
    end)

    it("has the texts of all in its own", function()
      local raised = raised_by(function()
        local tg <close> = async.TaskGroup()
        tg:create_task(fail_after, 1, "first")
        tg:create_task(fail_after, 1, async.Error "second")
      end)
      local text = "ExceptionGroup: unhandled errors in a TaskGroup (2)\n  1. first\n  2. Error: second"
      assert.equal(text, tostring(raised))
    end)
  end)

  describe("the block's error", function()
    it("cancels the children and comes in a group", function()
      local log = {}
      local raised = raised_by(function()
        local tg <close> = async.TaskGroup()
        tg:create_task(tidy, log, "a", 1)
        async.sleep(1)
        error("block", 0)
      end)
      assert.is_true(async.is(raised, async.ExceptionGroup))
      assert.same({ "block" }, raised.exceptions)
      assert.same({ "a cancelled", "a clean" }, log)
      assert.equal(2, async.time())
    end)
  end)

  describe("the cancellation of its parent", function()
    it("cancels the children, waits for them, and is raised", function()
      local log = {}
      local t = async.create_task(function()
        local tg <close> = async.TaskGroup()
        tg:create_task(tidy, log, "a", 1)
      end)
      async.sleep(1)
      t:cancel "stop"
      local ok, e = pcall(t.await, t)
      assert.is_false(ok)
      assert.is_true(async.is(e, async.CancelledError))
      assert.equal("stop", e.message)
      assert.same({ "a cancelled", "a clean" }, log)
      assert.equal(2, async.time())
      assert.equal(1, t:cancelling())
    end)

    it("where the block waits does the same", function()
      local log = {}
      local t = async.create_task(function()
        local tg <close> = async.TaskGroup()
        tg:create_task(tidy, log, "a", 1)
        async.sleep(100)
      end)
      async.sleep(1)
      t:cancel()
      pcall(t.await, t)
      assert.is_true(t:cancelled())
      assert.same({ "a cancelled", "a clean" }, log)
    end)

    it("again and again does not make it leave the children alone", function()
      local log = {}
      local t = async.create_task(function()
        local tg <close> = async.TaskGroup()
        tg:create_task(tidy, log, "a", 5)
      end)
      async.sleep(1)
      for _ = 1, 3 do
        t:cancel()
        async.sleep(1)
      end
      pcall(t.await, t)
      assert.is_true(t:cancelled())
      assert.same({ "a cancelled", "a clean" }, log)
      assert.equal(6, async.time())
    end)

    it("gives way to a child's error, and is raised at the parent's next wait", function()
      local group, after
      local t = async.create_task(function()
        group = raised_by(function()
          local tg <close> = async.TaskGroup()
          tg:create_task(function()
            pcall(async.sleep, 100)
            error("cleanup", 0)
          end)
          async.sleep(100)
        end)
        after = raised_by(function()
          async.sleep(0)
        end)
        error(after, 0)
      end)
      async.sleep(1)
      t:cancel()
      pcall(t.await, t)
      assert.same({ "cleanup" }, group.exceptions)
      assert.is_true(async.is(after, async.CancelledError))
      assert.is_true(t:cancelled())
      assert.equal(1, t:cancelling())
    end)

    it("at the same time as a child's error is not lost", function()
      local group, after
      local t = async.create_task(function()
        group = raised_by(function()
          local tg <close> = async.TaskGroup()
          tg:create_task(fail_after, 1, "child")
          async.sleep(100)
        end)
        after = raised_by(function()
          async.sleep(0)
        end)
      end)
      async.sleep(1)
      t:cancel()
      t:await()
      assert.same({ "child" }, group.exceptions)
      assert.is_true(async.is(after, async.CancelledError))
    end)

    it("is not lost while a cancelled group waits for its children", function()
      local t = async.create_task(function()
        local tg <close> = async.TaskGroup()
        tg:create_task(tidy, {}, "a", 5)
        async.sleep(1)
        tg:cancel()
      end)
      async.sleep(2)
      t:cancel()
      pcall(t.await, t)
      assert.is_true(t:cancelled())
      assert.equal(6, async.time())
    end)

    it("before it begins makes no group", function()
      local t = async.create_task(function()
        local _ <close> = async.TaskGroup()
      end)
      t:cancel()
      pcall(t.await, t)
      assert.is_true(t:cancelled())
    end)
  end)

  describe("a cancelled child", function()
    it("is no error", function()
      do
        local tg <close> = async.TaskGroup()
        local a = tg:create_task(async.sleep, 100)
        tg:create_task(async.sleep, 2)
        async.sleep(1)
        a:cancel()
      end
      assert.equal(2, async.time())
    end)

    it("that the block awaits cancels the block only", function()
      local raised = raised_by(function()
        local tg <close> = async.TaskGroup()
        local a = tg:create_task(async.sleep, 100)
        tg:create_task(a.cancel, a)
        a:await()
      end)
      assert.is_true(async.is(raised, async.CancelledError))
      assert.equal(0, async.current_task():cancelling())
    end)
  end)

  describe("cancel", function()
    it("cancels all children, and the block leaves without an error", function()
      local log = {}
      do
        local tg <close> = async.TaskGroup()
        tg:create_task(tidy, log, "a", 1)
        tg:create_task(tidy, log, "b", 2)
        async.sleep(1)
        tg:cancel()
      end
      assert.same({ "a cancelled", "b cancelled", "a clean", "b clean" }, log)
      assert.equal(3, async.time())
    end)

    it("takes no more children", function()
      local tg <close> = async.TaskGroup()
      tg:cancel()
      assert.is_false(pcall(tg.create_task, tg, async.sleep, 1))
    end)
  end)

  describe("nested groups", function()
    it("pass errors outward as groups of groups", function()
      local raised = raised_by(function()
        local outer <close> = async.TaskGroup()
        outer:create_task(function()
          local inner <close> = async.TaskGroup()
          inner:create_task(fail_after, 1, "deep")
        end)
        outer:create_task(async.sleep, 100)
      end)
      assert.equal(1, async.time())
      assert.same({ "deep" }, raised.exceptions[1].exceptions)
    end)

    it("are cancelled with the outer one's parent", function()
      local log = {}
      local t = async.create_task(function()
        local outer <close> = async.TaskGroup()
        outer:create_task(tidy, log, "outer", 1)
        do
          local inner <close> = async.TaskGroup()
          inner:create_task(tidy, log, "inner", 1)
        end
      end)
      async.sleep(1)
      t:cancel()
      pcall(t.await, t)
      assert.is_true(t:cancelled())
      assert.same({ "inner cancelled", "inner clean", "outer cancelled", "outer clean" }, log)
    end)

    it("in one block: a failing child of the outer one ends the inner one", function()
      local inner_left
      local raised = raised_by(function()
        local outer <close> = async.TaskGroup()
        outer:create_task(fail_after, 1, "outer child")
        do
          local inner <close> = async.TaskGroup()
          inner:create_task(async.sleep, 100)
          inner_left = inner
        end
      end)
      assert.same({ "outer child" }, raised.exceptions)
      assert.equal("<TaskGroup tasks=0 exited>", tostring(inner_left))
      assert.equal(1, async.time())
      assert.equal(0, async.current_task():cancelling())
    end)

    it("within a timeout end in time", function()
      local raised = raised_by(function()
        local _ <close> = async.timeout(1)
        local tg <close> = async.TaskGroup()
        tg:create_task(async.sleep, 100)
      end)
      assert.is_true(async.is(raised, async.TimeoutError))
      assert.equal(0, async.current_task():cancelling())
    end)

    it("with a timeout in a child fail by TimeoutError", function()
      local raised = raised_by(function()
        local tg <close> = async.TaskGroup()
        tg:create_task(async.wait_for, async.Future(), 1)
      end)
      assert.is_true(async.is(raised.exceptions[1], async.TimeoutError))
    end)
  end)

  describe("create_task", function()
    it("is refused after the block", function()
      local left
      do
        local tg <close> = async.TaskGroup()
        left = tg
      end
      local object = async.fn(function() end)()
      local ok, message = pcall(left.create_task, left, object)
      assert.is_false(ok)
      assert.matches("the TaskGroup is shutting down or finished", message)
      assert.is_false(pcall(async.await, object))
    end)

    it("is refused after a child has failed", function()
      local refused
      raised_by(function()
        local tg <close> = async.TaskGroup()
        tg:create_task(function()
          pcall(async.sleep, 100)
          refused = not pcall(tg.create_task, tg, async.sleep, 1)
        end)
        tg:create_task(fail_after, 1, "x")
      end)
      assert.is_true(refused)
    end)

    it("is refused where no task is awaitable", function()
      local tg <close> = async.TaskGroup()
      local ok, message = pcall(tg.create_task, tg, 5)
      assert.is_false(ok)
      assert.matches("got 5", message)
      assert.equal("<TaskGroup tasks=0 entered>", tostring(tg))
    end)
  end)

  describe("in a generator", function()
    it("does not turn the closing of the generator into an error", function()
      local log = {}
      local gen = async.generator(function(yield)
        local tg <close> = async.TaskGroup()
        tg:create_task(tidy, log, "a", 1)
        async.sleep(1)
        yield(1)
      end)
      for v in gen() do -- luacheck: ignore
        assert.equal(1, v)
        break
      end
      assert.same({ "a cancelled", "a clean" }, log)
    end)
  end)

  describe("in a plain coroutine", function()
    it("says that it cannot wait there", function()
      local child
      local ok, e = coroutine.resume(coroutine.create(function()
        local tg <close> = async.TaskGroup()
        child = tg:create_task(async.sleep, 1)
      end))
      assert.is_false(ok)
      assert.matches("cannot wait in a plain coroutine", tostring(e))
      child:await()
    end)
  end)

  describe("outside a task", function()
    it("is refused", function()
      local message
      local f = async.Future()
      f:add_done_callback(function()
        message = select(2, pcall(async.TaskGroup))
      end)
      f:set_result()
      async.sleep(0)
      assert.matches("a TaskGroup should be used inside a task", message)
    end)
  end)

  it("holds a thousand children", function()
    local sum = 0
    do
      local tg <close> = async.TaskGroup()
      for i = 1, 1000 do
        tg:create_task(function()
          async.sleep(i % 10)
          sum = sum + i
        end)
      end
    end
    assert.equal(500500, sum)
    assert.equal(9, async.time())
  end)
end)
