local async = require "strobe.async"

describe("the threads of tasks", function()
  describe("reuse", function()
    it("serves 10,000 tasks, one after another, with one thread", function()
      local threads, count = {}, 0
      for _ = 1, 10000 do
        local thread = async.create_task(coroutine.running):await()
        if not threads[thread] then
          threads[thread], count = true, count + 1
        end
      end
      assert.equal(1, count)
    end)

    it("gives a thread that failed, or was cancelled, to the next task", function()
      for _ = 1, 1000 do
        local bad = async.create_task(error, "bad")
        pcall(bad.await, bad)
        local gone = async.create_task(async.sleep, 1)
        async.sleep(0)
        gone:cancel()
        pcall(gone.await, gone)
      end
      assert.equal("fine", async.create_task(async.sleep, 1, "fine"):await())
    end)

    it("leaves nothing of one task to the next", function()
      local first = async.create_task(function(...)
        local _ <close> = setmetatable({}, { __close = function() end })
        return select("#", ...)
      end, 1, 2, 3)
      first:await()
      local second = async.create_task(function(...)
        return select("#", ...)
      end)
      assert.equal(0, second:await())
    end)

    it("works after a stack overflow", function()
      local function deeper()
        return 1 + deeper()
      end
      local t = async.create_task(deeper)
      assert.is_false(pcall(t.await, t))
      for _ = 1, 10 do
        assert.equal("fine", async.create_task(async.sleep, 0, "fine"):await())
      end
    end)
  end)

  describe("10,000 tasks at once", function()
    it("sleep and end each at its time", function()
      local tasks, ended = {}, 0
      for i = 1, 10000 do
        tasks[i] = async.create_task(function()
          async.sleep(i % 100)
          ended = ended + 1
        end)
      end
      async.gather(tasks)
      assert.equal(10000, ended)
      assert.equal(99, async.time())
    end)
  end)

  describe("memory", function()
    local function memory()
      for _ = 1, 5 do
        collectgarbage()
        async.sleep(0)
      end
      return collectgarbage "count"
    end

    it("does not grow over 200,000 tasks that come and go", function()
      local function empty() end
      local function churn(n)
        for _ = 1, n do
          async.create_task(empty):await()
        end
      end
      churn(1000)
      local before = memory()
      churn(200000)
      assert.is_true(memory() < before + 256)
    end)

    it("does not grow over tasks that fail, are cancelled, or are awaited by many", function()
      local function churn(n)
        for _ = 1, n do
          local bad = async.create_task(error, "bad")
          pcall(bad.await, bad)
          local shared = async.create_task(async.sleep, 50)
          local others = { async.create_task(shared.await, shared), async.create_task(async.wait, { shared }) }
          async.sleep(0)
          shared:cancel()
          async.wait(others)
        end
      end
      churn(5000)
      local before = memory()
      churn(5000)
      assert.is_true(memory() < before + 256)
    end)

    it("does not grow over timeouts, groups and generators", function()
      local gen = async.generator(function(yield)
        yield(1)
      end)
      local function churn(n)
        for _ = 1, n do
          async.move_on_after(1, async.sleep, 0)
          do
            local tg <close> = async.TaskGroup()
            tg:create_task(async.sleep, 0)
          end
          for _ in gen() do
            async.sleep(0)
          end
        end
      end
      churn(5000)
      local before = memory()
      churn(5000)
      assert.is_true(memory() < before + 256)
    end)

    it("does not grow over waits that time out on one pending future", function()
      local f = async.Future()
      local function churn(n)
        for _ = 1, n do
          pcall(async.wait_for, async.shield(f), 0.001)
          async.wait({ f }, { timeout = 0.001 })
        end
      end
      churn(5000)
      local before = memory()
      churn(5000)
      assert.is_true(memory() < before + 256)
    end)
  end)
end)
