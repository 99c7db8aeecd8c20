local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"

describe("cancelling a task that others stand behind", function()
  describe("in a chain of awaits", function()
    it("asks every task of the chain and raises in the last", function()
      local log = {}
      local function link(name, inner)
        return async.create_task(function()
          local _ <close> = cleanup(function(_, e)
            table.insert(log, name .. " " .. e.message)
          end)
          if inner then
            inner:await()
          else
            async.sleep(10)
          end
        end)
      end
      local a = link "a"
      local b = link("b", a)
      local c = link("c", b)
      async.sleep(1)
      c:cancel "x"
      async.wait { a, b, c }
      assert.same({ "a x", "b x", "c x" }, log)
      assert.same({ 1, 1, 1 }, { a:cancelling(), b:cancelling(), c:cancelling() })
    end)

    it("of fifty thousand tasks works", function()
      local first = async.create_task(async.sleep, 50)
      local last = first
      for _ = 1, 50000 do
        last = async.create_task(last.await, last)
      end
      async.sleep(1)
      assert.is_true(last:cancel())
      pcall(last.await, last)
      assert.is_true(first:cancelled())
      assert.is_true(last:cancelled())
    end)

    it("that is a ring cuts the ring", function()
      local tasks = {}
      for i = 1, 3 do
        tasks[i] = async.create_task(function()
          async.sleep(0)
          tasks[i % 3 + 1]:await()
        end)
      end
      local outside = async.create_task(function()
        async.sleep(0)
        tasks[1]:await()
      end)
      async.sleep(1)
      outside:cancel "cut"
      async.wait { outside, table.unpack(tasks) }
      for i = 1, 3 do
        assert.is_true(tasks[i]:cancelled())
        assert.equal(1, tasks[i]:cancelling())
      end
      assert.is_true(outside:cancelled())
    end)

    it("that is a ring of two is cut from inside as well", function()
      local a, b
      a = async.create_task(function()
        async.sleep(0)
        b:await()
      end)
      b = async.create_task(function()
        a:await()
      end)
      async.sleep(1)
      a:cancel()
      async.wait { a, b }
      assert.is_true(a:cancelled() and b:cancelled())
    end)
  end)

  describe("the cleanup", function()
    it("may wait, in the reverse order of the scopes", function()
      local log = {}
      local t = async.create_task(function()
        local _ <close> = cleanup(function()
          async.sleep(1)
          table.insert(log, "outer " .. async.time())
        end)
        local _ <close> = cleanup(function()
          async.sleep(1)
          table.insert(log, "inner " .. async.time())
        end)
        async.sleep(10)
      end)
      async.sleep(1)
      t:cancel()
      pcall(t.await, t)
      assert.same({ "inner 2.0", "outer 3.0" }, log)
      assert.is_true(t:cancelled())
    end)

    it("after an error may wait as well, and the error is kept", function()
      local log = {}
      local t = async.create_task(function()
        local _ <close> = cleanup(function(_, e)
          async.sleep(2)
          table.insert(log, e)
        end)
        error("mine", 0)
      end)
      assert.has_error(function()
        t:await()
      end, "mine")
      assert.same({ "mine" }, log)
      assert.equal(2, async.time())
    end)

    it("after a return may wait, and the results are kept", function()
      local t = async.create_task(function()
        local _ <close> = cleanup(function()
          async.sleep(2)
        end)
        return "a", nil, "c"
      end)
      assert.same({ n = 3, "a", nil, "c" }, table.pack(t:await()))
      assert.equal(2, async.time())
    end)

    it("that fails replaces the cancellation by its error", function()
      local t = async.create_task(function()
        local _ <close> = cleanup(function()
          async.sleep(1)
          error("broken cleanup", 0)
        end)
        async.sleep(10)
      end)
      async.sleep(1)
      t:cancel()
      assert.has_error(function()
        t:await()
      end, "broken cleanup")
      assert.is_false(t:cancelled())
    end)

    it("may start tasks and wait for them", function()
      local sum = 0
      local t = async.create_task(function()
        local _ <close> = cleanup(function()
          local a, b = async.gather(
            async.create_task(async.sleep, 1, 2),
            async.create_task(async.sleep, 2, 3)
          )
          sum = a + b
        end)
        async.sleep(10)
      end)
      async.sleep(1)
      t:cancel()
      pcall(t.await, t)
      assert.equal(5, sum)
      assert.equal(3, async.time())
    end)

    it("may be shielded against a second request", function()
      local saved
      local t = async.create_task(function()
        local _ <close> = cleanup(function()
          local saving = async.create_task(async.sleep, 5, "saved")
          pcall(async.await, async.shield(saving))
          saved = saving:await()
        end)
        async.sleep(10)
      end)
      async.sleep(1)
      t:cancel()
      async.sleep(1)
      t:cancel()
      pcall(t.await, t)
      assert.equal("saved", saved)
      assert.equal(6, async.time())
    end)
  end)
end)
