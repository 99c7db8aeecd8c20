local async = require "strobe.async"
local handle = require "strobe.core.handle"

describe("a plain coroutine in a task", function()
  describe("resume and yield", function()
    it("pass values as ever", function()
      local co = coroutine.create(function(...)
        local x = coroutine.yield(...)
        return x, "end"
      end)
      assert.same({ n = 4, true, 1, nil, nil }, table.pack(coroutine.resume(co, 1, nil, nil)))
      assert.same({ true, "x", "end" }, { coroutine.resume(co, "x") })
      assert.same({ false, "cannot resume dead coroutine" }, { coroutine.resume(co) })
    end)

    it("work in generators, and nested in each other", function()
      local gen = async.generator(function(yield)
        for v in coroutine.wrap(function()
          for w in coroutine.wrap(function()
            coroutine.yield "a"
            coroutine.yield "b"
          end) do
            coroutine.yield(w .. w)
          end
        end) do
          async.sleep(1)
          yield(v)
        end
      end)
      local seen = {}
      for v in gen() do
        table.insert(seen, v)
      end
      assert.same({ "aa", "bb" }, seen)
      assert.equal(2, async.time())
    end)

    it("let the task wait between two resumes", function()
      local next_value = coroutine.wrap(function()
        for i = 1, 3 do
          coroutine.yield(i)
        end
      end)
      local sum = 0
      for _ = 1, 3 do
        sum = sum + next_value()
        async.sleep(1)
      end
      assert.equal(6, sum)
    end)

    it("may be used by two tasks in turn", function()
      local next_value = coroutine.wrap(function()
        for i = 1, 4 do
          coroutine.yield(i)
        end
      end)
      local seen = {}
      local function take()
        for _ = 1, 2 do
          table.insert(seen, next_value())
          async.sleep(0)
        end
      end
      async.gather(async.create_task(take), async.create_task(take))
      assert.same({ 1, 2, 3, 4 }, seen)
    end)
  end)

  describe("an error in it", function()
    it("is returned by resume and raised by wrap", function()
      local e = { "an error" }
      assert.same({ false, e }, { coroutine.resume(coroutine.create(error), e) })
      local ok, raised = pcall(coroutine.wrap(error), e)
      assert.is_false(ok)
      assert.equal(e, raised)
    end)

    it("leaves the task able to wait", function()
      pcall(coroutine.wrap(error), "x")
      coroutine.resume(coroutine.create(error), "x")
      async.sleep(1)
      assert.equal(1, async.time())
    end)
  end)

  describe("waiting in it", function()
    it("is refused with what to do instead, for every wait", function()
      local f, t = async.Future(), async.create_task(async.sleep, 1)
      for _, wait in ipairs {
        function()
          async.sleep(1)
        end,
        function()
          f:await()
        end,
        function()
          t:await()
        end,
        function()
          async.wait { t }
        end,
        function()
          async.gather(t)
        end,
        function()
          async.generator(print)():next()
        end,
      } do
        local ok, message = coroutine.resume(coroutine.create(wait))
        assert.is_false(ok)
        assert.matches("cannot wait in a plain coroutine: use async.generator or create_task", message)
      end
      t:await()
    end)

    it("is not needed for what is there already", function()
      local f = async.Future()
      f:set_result "there"
      assert.equal("there", coroutine.wrap(function()
        return f:await()
      end)())
    end)

    it("is refused in the block of a timeout, which is left", function()
      assert.is_false(pcall(coroutine.wrap(function()
        local _ <close> = async.timeout(1)
        async.sleep(2)
      end)))
      async.sleep(2)
      assert.equal(0, async.current_task():cancelling())
    end)
  end)

  describe("making tasks in it", function()
    it("works", function()
      local t = coroutine.wrap(function()
        return async.create_task(async.sleep, 1, "made")
      end)()
      assert.equal("made", t:await())
    end)
  end)

  describe("yielding outside of one", function()
    it("is refused in a task", function()
      local t = async.create_task(function()
        coroutine.yield(1)
      end)
      local ok, message = pcall(t.await, t)
      assert.is_false(ok)
      assert.matches("coroutine.yield outside a coroutine: a task waits by async functions", message)
    end)

    it("is refused in a generator's body", function()
      local g = async.generator(function()
        coroutine.yield(1)
      end)()
      local ok, message = pcall(g.next, g)
      assert.is_false(ok)
      assert.matches("a generator yields by its first argument", message)
    end)

    it("is refused in a callback", function()
      local message
      handle.call_soon(function()
        message = select(2, pcall(coroutine.yield, 1))
      end)
      async.sleep(0)
      assert.matches("attempt to yield from outside a coroutine", message)
    end)
  end)

  describe("bad arguments", function()
    it("are refused as ever", function()
      assert.is_false(pcall(coroutine.resume, 5))
      assert.is_false(pcall(coroutine.wrap, 5))
      assert.is_false(pcall(coroutine.create, 5))
      async.sleep(1)
    end)
  end)

  describe("closing one", function()
    it("runs its cleanup, which may not wait", function()
      local message
      local co = coroutine.create(function()
        local _ <close> = setmetatable({}, {
          __close = function()
            message = select(2, pcall(async.sleep, 1))
          end,
        })
        coroutine.yield()
      end)
      coroutine.resume(co)
      assert.is_true(coroutine.close(co))
      assert.matches("cannot wait in a plain coroutine", message)
      assert.equal("dead", coroutine.status(co))
    end)

    it("is refused for the thread of a task", function()
      assert.is_false(pcall(coroutine.close, coroutine.running()))
    end)
  end)

  describe("the thread of another task", function()
    it("can be neither resumed nor closed", function()
      local t = async.create_task(async.sleep, 1, "unharmed")
      async.sleep(0)
      local thread = t:threads()[1]
      local refusal = "this is the thread of a task: only the scheduler resumes or closes it"
      assert.same({ false, refusal }, { coroutine.resume(thread) })
      assert.is_false((pcall(coroutine.close, thread)))
      handle.call_soon(coroutine.resume, thread)
      handle.call_soon(pcall, coroutine.close, thread)
      assert.equal("unharmed", t:await())
      assert.is_false((coroutine.resume(thread)))
    end)
  end)
end)
