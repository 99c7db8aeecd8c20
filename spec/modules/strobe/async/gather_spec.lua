local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local testing = require "strobe.testing"

describe("gather", function()
  local after = async.fn(function(seconds, ...)
    async.sleep(seconds, ...)
    return ...
  end)
  local failing = async.fn(function(seconds, e)
    async.sleep(seconds)
    error(e, 0)
  end)

  describe("results", function()
    it("come in the order of the arguments, not of their ends", function()
      local a, b, c = async.gather(after(3, "a"), after(1, "b"), after(2, "c"))
      assert.same({ "a", "b", "c" }, { a, b, c })
      assert.equal(3, async.time())
    end)

    it("are the first result of each, nil among them", function()
      local results = table.pack(async.gather(after(1, "a", "b"), after(1), after(1, nil)))
      assert.same({ n = 3, "a", nil, nil }, results)
    end)

    it("come as a list with n when a list was given", function()
      assert.same({ n = 3, "a", nil, "c" }, async.gather { after(1, "a"), after(1), after(1, "c") })
    end)

    it("are none when nothing was given", function()
      assert.equal(0, select("#", async.gather()))
      assert.same({ n = 0 }, async.gather {})
      assert.equal(0, async.time())
    end)

    it("may come from tasks, futures, functions and coroutine objects alike", function()
      local f = async.Future()
      f:set_result "future"
      local task = async.create_task(after(1, "task"))
      local results = async.gather {
        f,
        task,
        function()
          return "function"
        end,
        after(0, "object"),
      }
      assert.same({ n = 4, "future", "task", "function", "object" }, results)
    end)

    it("are the same for the same awaitable given twice", function()
      testing.fifo()
      local runs = 0
      local count = async.fn(function()
        runs = runs + 1
        return runs
      end)
      local object = count()
      assert.same({ 1, 1, 2 }, { async.gather(object, object, count()) })
    end)

    it("come from each call of a function given twice", function()
      testing.fifo()
      local runs = 0
      local function count()
        runs = runs + 1
        return runs
      end
      assert.same({ 1, 2 }, { async.gather(count, count) })
    end)

    it("come from 10,000 at once", function()
      local list = {}
      for i = 1, 10000 do
        list[i] = after(i % 7, i)
      end
      local results = async.gather(list)
      assert.equal(10000, results.n)
      for i = 1, 10000 do
        assert(results[i] == i)
      end
      assert.equal(6, async.time())
    end)
  end)

  describe("an error", function()
    it("is raised as soon as it happens, and cancels nobody", function()
      local slow = async.create_task(after(5, "slow"))
      local ok, e = pcall(async.gather, slow, failing(1, "broken"))
      assert.is_false(ok)
      assert.equal("broken", e)
      assert.equal(1, async.time())
      assert.is_false(slow:done())
      assert.equal("slow", slow:await())
    end)

    it("is the first that happened, when there are several", function()
      local ok, e = pcall(async.gather, failing(2, "second"), failing(1, "first"))
      assert.is_false(ok)
      assert.equal("first", e)
      async.sleep(2)
    end)

    it("is raised even if the task had failed before", function()
      local t = async.create_task(failing(0, "early"))
      async.sleep(1)
      local other = async.create_task(after(5))
      assert.has_error(function()
        async.gather(other, t)
      end, "early")
      assert.equal(1, async.time())
      other:cancel()
    end)

    it("is a CancelledError when a child was cancelled", function()
      local child = async.create_task(after(5))
      local other = async.create_task(after(2, "other"))
      async.create_task(function()
        async.sleep(1)
        child:cancel()
      end)
      local ok, e = pcall(async.gather, child, other)
      assert.is_false(ok)
      assert.is_true(async.is(e, async.CancelledError))
      assert.equal(0, async.current_task():cancelling())
      assert.equal("other", other:await())
    end)
  end)

  describe("return_exceptions", function()
    it("puts errors in the list and waits for all", function()
      local e = async.Error "mine"
      local results = async.gather({ failing(1, e), after(2, "good") }, { return_exceptions = true })
      assert.equal(2, results.n)
      assert.equal(e, results[1])
      assert.equal("good", results[2])
      assert.equal(2, async.time())
    end)

    it("puts the cancellation of a child in the list", function()
      local child = async.create_task(after(5))
      async.sleep(0)
      child:cancel()
      local results = async.gather({ child, after(1, 1) }, { return_exceptions = true })
      assert.is_true(async.is(results[1], async.CancelledError))
      assert.equal(1, results[2])
    end)

    it("does not keep the cancellation of gather from being raised", function()
      local t = async.create_task(function()
        return async.gather({ after(5), after(5) }, { return_exceptions = true })
      end)
      async.sleep(1)
      t:cancel()
      pcall(t.await, t)
      assert.is_true(t:cancelled())
    end)
  end)

  describe("being cancelled", function()
    it("cancels all children and waits for their cleanup", function()
      testing.fifo()
      local log = {}
      local function child(name, seconds)
        local _ <close> = cleanup(function()
          table.insert(log, name)
          async.sleep(seconds)
          table.insert(log, name .. " clean")
        end)
        async.sleep(10)
      end
      local t = async.create_task(function()
        async.gather(async.create_task(child, "a", 2), async.create_task(child, "b", 1))
      end)
      async.sleep(1)
      t:cancel "stop"
      local ok, e = pcall(t.await, t)
      assert.is_false(ok)
      assert.equal("stop", e.message)
      assert.same({ "a", "b", "b clean", "a clean" }, log)
      assert.equal(3, async.time())
    end)

    it("ends a circle of tasks that wait for each other", function()
      local alice, bob, carol
      alice = async.create_task(function() async.gather(bob) end)
      bob = async.create_task(function() carol:await() end)
      carol = async.create_task(function() async.gather(alice) end)
      async.sleep(0)
      alice:cancel()
      async.wait { alice, bob, carol }
      assert.same({ true, true, true }, { alice:cancelled(), bob:cancelled(), carol:cancelled() })
    end)

    it("again cancels the cleanup of the children, and waits for them still", function()
      local log = {}
      local child = async.create_task(function()
        pcall(async.sleep, 10)
        local ok = pcall(async.sleep, 10)
        table.insert(log, ok)
        async.sleep(1)
        table.insert(log, "ended")
      end)
      local t = async.create_task(async.gather, child)
      async.sleep(1)
      t:cancel()
      async.sleep(1)
      t:cancel()
      pcall(t.await, t)
      assert.is_true(t:cancelled())
      assert.same({ false, "ended" }, log)
      assert.equal(3, async.time())
    end)

    it("gives way to the error of a child's cleanup", function()
      local child = async.create_task(function()
        pcall(async.sleep, 10)
        error("cleanup", 0)
      end)
      local t = async.create_task(async.gather, child, async.create_task(async.sleep, 10))
      async.sleep(1)
      t:cancel()
      assert.has_error(function()
        t:await()
      end, "cleanup")
      assert.is_false(t:cancelled())
    end)

    it("is a CancelledError even if the children take no notice", function()
      local child = async.create_task(function()
        pcall(async.sleep, 10)
        return "stayed"
      end)
      local t = async.create_task(async.gather, child)
      async.sleep(1)
      t:cancel()
      assert.is_false(pcall(t.await, t))
      assert.is_true(t:cancelled())
      assert.equal("stayed", child:result())
    end)
  end)

  describe("arguments", function()
    it("are refused before anything is started", function()
      local started = false
      local object = async.fn(function()
        started = true
      end)()
      local ok, message = pcall(async.gather, object, 5)
      assert.is_false(ok)
      assert.matches("gather: an awaitable or a function expected at place 2, got 5", message, 1, true)
      async.sleep(1)
      assert.is_false(started)
      object:close()
    end)

    it("in a list are those that were there at the call", function()
      local list = { async.create_task(after(1, "a")), async.create_task(after(2, "b")) }
      async.create_task(function()
        list[1], list[2] = nil, nil
      end)
      assert.same({ n = 2, "a", "b" }, async.gather(list))
    end)

    it("may not have nil among them", function()
      local object = after(0)
      local ok, message = pcall(async.gather, object, nil, object)
      assert.is_false(ok)
      assert.matches("at place 2, got nil", message, 1, true)
      object:close()
    end)
  end)
end)
