local async = require "strobe.async"
local testing = require "strobe.testing"

describe("a future", function()
  local function ignore() end

  describe("set_result", function()
    it("wakes all who wait, in the order they came", function()
      testing.fifo()
      local f, order = async.Future(), {}
      local tasks = {}
      for i = 1, 3 do
        tasks[i] = async.create_task(function()
          table.insert(order, i .. f:await())
        end)
      end
      async.sleep(1)
      f:set_result "!"
      async.gather(tasks)
      assert.same({ "1!", "2!", "3!" }, order)
    end)

    it("takes several results, nil among them, or none", function()
      local several, none = async.Future(), async.Future()
      several:set_result(nil, 2, nil)
      none:set_result()
      assert.same({ n = 3, nil, 2, nil }, table.pack(several:await()))
      assert.equal(0, select("#", none:await()))
    end)

    it("ends it once", function()
      local f = async.Future()
      f:set_result(1)
      for _, again in ipairs { f.set_result, f.set_exception } do
        local ok, e = pcall(again, f, "again")
        assert.is_false(ok)
        assert.is_true(async.is(e, async.InvalidStateError))
      end
      assert.equal(1, f:result())
      assert.is_false(f:cancel())
    end)
  end)

  describe("set_exception", function()
    it("raises the very error at those who wait", function()
      local f, e = async.Future(), { "an error" }
      local waiter = async.create_task(f.await, f)
      async.sleep(0)
      f:set_exception(e)
      local ok, raised = pcall(waiter.await, waiter)
      assert.is_false(ok)
      assert.equal(e, raised)
      assert.equal(e, f:exception())
    end)

    it("needs an error", function()
      local f = async.Future()
      assert.is_false(pcall(f.set_exception, f))
      assert.is_false(pcall(f.set_exception, f, nil))
      assert.is_false(f:done())
    end)
  end)

  describe("result and exception", function()
    it("are refused while there is no outcome", function()
      local f = async.Future()
      for _, method in ipairs { f.result, f.exception } do
        local ok, e = pcall(method, f)
        assert.is_false(ok)
        assert.is_true(async.is(e, async.InvalidStateError))
      end
    end)

    it("raise the cancellation, with its message", function()
      local f = async.Future()
      f:cancel "no more"
      for _, method in ipairs { f.result, f.exception, f.await } do
        local ok, e = pcall(method, f)
        assert.is_false(ok)
        assert.equal("CancelledError: no more", tostring(e))
      end
    end)

    it("are those of the outcome", function()
      local good, bad = async.Future(), async.Future()
      good:set_result(5)
      bad:set_exception "bad"
      assert.equal(5, good:result())
      assert.is_nil(good:exception())
      assert.equal("bad", bad:exception())
      assert.has_error(function()
        bad:result()
      end, "bad")
    end)
  end)

  describe("cancel", function()
    it("ends it, once, and cancels those who wait", function()
      local f = async.Future()
      local waiter = async.create_task(f.await, f)
      async.sleep(0)
      assert.is_false(f:cancelled())
      assert.is_true(f:cancel())
      assert.is_false(f:cancel())
      assert.is_true(f:done() and f:cancelled())
      pcall(waiter.await, waiter)
      assert.is_true(waiter:cancelled())
      assert.equal(0, waiter:cancelling())
    end)

    it("is what cancelling the one who waits does", function()
      local f = async.Future()
      local waiter = async.create_task(f.await, f)
      async.sleep(0)
      waiter:cancel()
      assert.is_true(f:cancelled())
      pcall(waiter.await, waiter)
      assert.is_true(waiter:cancelled())
    end)

    it("of one of two who wait ends the wait of both", function()
      local f = async.Future()
      local a, b = async.create_task(f.await, f), async.create_task(f.await, f)
      async.sleep(0)
      a:cancel()
      async.wait { a, b }
      assert.is_true(a:cancelled() and b:cancelled())
      assert.equal(0, b:cancelling())
    end)
  end)

  describe("add_done_callback", function()
    it("calls back in the order they were added, after the end", function()
      local f, calls = async.Future(), {}
      for i = 1, 3 do
        f:add_done_callback(function(ended)
          table.insert(calls, { i, ended })
        end)
      end
      f:set_result()
      assert.same({}, calls)
      async.sleep(0)
      assert.same({ { 1, f }, { 2, f }, { 3, f } }, calls)
    end)

    it("calls back after an error and after a cancellation as well", function()
      local failed, cancelled, calls = async.Future(), async.Future(), 0
      for _, f in ipairs { failed, cancelled } do
        f:add_done_callback(function()
          calls = calls + 1
        end)
      end
      failed:set_exception "x"
      cancelled:cancel()
      async.sleep(0)
      assert.equal(2, calls)
      assert.equal("x", failed:exception())
    end)

    it("takes turns with those who wait, first come first served", function()
      testing.fifo()
      local f, order = async.Future(), {}
      f:add_done_callback(function()
        table.insert(order, "first callback")
      end)
      local waiter = async.create_task(function()
        f:await()
        table.insert(order, "waiter")
      end)
      async.sleep(0)
      f:add_done_callback(function()
        table.insert(order, "second callback")
      end)
      f:set_result()
      waiter:await()
      async.sleep(0)
      assert.same({ "first callback", "waiter", "second callback" }, order)
    end)

    it("lets callbacks add and remove callbacks", function()
      local f, calls = async.Future(), {}
      local function last()
        table.insert(calls, "last")
      end
      f:add_done_callback(function()
        table.insert(calls, "first")
        assert.equal(0, f:remove_done_callback(last))
        f:add_done_callback(function()
          table.insert(calls, "late")
        end)
      end)
      f:add_done_callback(last)
      f:set_result()
      async.sleep(0)
      async.sleep(0)
      assert.same({ "first", "last", "late" }, calls)
    end)

    it("takes functions only", function()
      assert.is_false(pcall(async.Future().add_done_callback, async.Future(), 5))
    end)
  end)

  describe("remove_done_callback", function()
    it("takes away that callback only and says how often it was there", function()
      local f, calls = async.Future(), {}
      local function a()
        table.insert(calls, "a")
      end
      local function b()
        table.insert(calls, "b")
      end
      for _, callback in ipairs { a, b, a } do
        f:add_done_callback(callback)
      end
      assert.equal(2, f:remove_done_callback(a))
      assert.equal(0, f:remove_done_callback(ignore))
      f:set_result()
      async.sleep(0)
      assert.same({ "b" }, calls)
    end)
  end)

  describe("await", function()
    it("returns at once when there is an outcome", function()
      local f = async.Future()
      f:set_result "there"
      assert.equal("there", f:await())
      assert.equal("there", async.await(f))
      assert.equal(0, async.time())
    end)

    it("does not let the task go on before others that are ready", function()
      testing.fifo()
      local f, order = async.Future(), {}
      local waiter = async.create_task(function()
        f:await()
        table.insert(order, "waiter")
      end)
      async.sleep(0)
      local other = async.create_task(function()
        table.insert(order, "other")
      end)
      f:set_result()
      async.gather(waiter, other)
      assert.same({ "other", "waiter" }, order)
    end)
  end)

  describe("tostring", function()
    it("says what became of it", function()
      local pending, finished = async.Future(), async.Future()
      local failed, cancelled = async.Future(), async.Future()
      finished:set_result()
      failed:set_exception "x"
      failed:exception()
      cancelled:cancel()
      assert.equal("<Future pending>", tostring(pending))
      assert.equal("<Future finished>", tostring(finished))
      assert.equal("<Future failed>", tostring(failed))
      assert.equal("<Future cancelled>", tostring(cancelled))
    end)
  end)

  describe("methods", function()
    it("refuse what is no future", function()
      local f = async.Future()
      for _, method in ipairs { "await", "done", "result", "cancel", "set_result", "add_done_callback" } do
        assert.is_false(pcall(f[method], {}, ignore), method)
        assert.is_false(pcall(f[method], io.stdout, ignore), method)
      end
    end)

    it("of a task do not set its outcome", function()
      local t = async.create_task(async.sleep, 0)
      assert.is_nil(t.set_result)
      assert.is_false(pcall(async.Future().set_result, t, 1))
      t:await()
    end)
  end)

  describe("garbage collection", function()
    it("takes a future nobody holds", function()
      local weak = setmetatable({}, { __mode = "k" })
      weak[async.Future()] = true
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(weak))
    end)

    it("takes a pending future with its callbacks, even those that know it", function()
      local weak = setmetatable({}, { __mode = "k" })
      do
        local f = async.Future()
        weak[f] = true
        f:add_done_callback(function()
          return f
        end)
      end
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(weak))
    end)
  end)
end)
