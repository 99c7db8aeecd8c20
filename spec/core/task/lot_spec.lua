local async = require "strobe.async"
local lot = require "strobe.core.lot"
local testing = require "strobe.testing"

describe("a parking lot", function()
  -- Tasks 1 to n which park one after another and write down when they go on.
  local function park(l, n, log)
    local tasks = {}
    for i = 1, n do
      tasks[i] = async.create_task(function()
        l:park()
        table.insert(log, i)
      end)
    end
    async.sleep(0)
    return tasks
  end

  describe("wake", function()
    it("wakes all, first come first woken", function()
      testing.fifo()
      local l, log = lot.new "spec", {}
      local tasks = park(l, 3, log)
      assert.equal(3, #l)
      assert.equal(3, l:wake())
      assert.equal(0, #l)
      async.gather(tasks)
      assert.same({ 1, 2, 3 }, log)
    end)

    it("wakes at most so many", function()
      testing.fifo()
      local l, log = lot.new "spec", {}
      local tasks = park(l, 3, log)
      assert.equal(2, l:wake(2))
      async.sleep(0)
      assert.same({ 1, 2 }, log)
      assert.equal(0, l:wake(0))
      assert.equal(1, #l)
      assert.equal(1, l:wake(5))
      async.gather(tasks)
    end)

    it("of an empty one wakes nobody and is not remembered", function()
      local l = lot.new "spec"
      assert.equal(0, l:wake())
      local t = async.create_task(l.park, l)
      async.sleep(1)
      assert.is_false(t:done())
      l:wake()
      t:await()
    end)
  end)

  describe("a cancelled task", function()
    it("leaves it, and the others keep their order", function()
      testing.fifo()
      local l, log = lot.new "spec", {}
      local tasks = park(l, 3, log)
      tasks[2]:cancel()
      assert.equal(2, #l)
      l:wake()
      async.wait(tasks)
      assert.same({ 1, 3 }, log)
      assert.is_true(tasks[2]:cancelled())
    end)
  end)

  describe("its label", function()
    it("is what its tasks wait for", function()
      local l = lot.new "lunch"
      local t = async.create_task(l.park, l)
      async.sleep(0)
      assert.equal("lunch", t:state())
      l:wake()
      t:await()
    end)
  end)

  describe("garbage collection", function()
    it("does not take it while a task is parked in it", function()
      local t
      do
        local l = lot.new(("label"):rep(1))
        t = async.create_task(l.park, l)
      end
      async.sleep(0)
      collectgarbage()
      collectgarbage()
      assert.equal("label", t:state())
      t:cancel()
      pcall(t.await, t)
      assert.is_true(t:cancelled())
    end)
  end)
end)
