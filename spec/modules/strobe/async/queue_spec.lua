local async = require "strobe.async"
local drain = require("spec.support.items").drain
local fill = require("spec.support.items").fill
local raised = require("spec.support.errors").raised
local start = require("spec.support.tasks").start
local testing = require "strobe.testing"
local turn = require("spec.support.tasks").turn

describe("a queue", function()
  describe("put and get", function()
    it("keep the order", function()
      local queue = async.Queue()
      for _, item in ipairs { 1, 3, 2 } do
        queue:put(item)
      end
      assert.equal(3, queue:qsize())
      assert.same({ 1, 3, 2 }, { queue:get(), queue:get(), queue:get() })
      assert.is_true(queue:empty())
    end)

    it("take any item but nil", function()
      local queue = async.Queue()
      queue:put(false)
      assert.is_false(queue:get())
      assert.error_matches(function()
        queue:put(nil)
      end, "Queue:put: nil cannot be an item")
      assert.error_matches(function()
        queue:put_nowait(nil)
      end, "Queue:put_nowait: nil cannot be an item")
      assert.equal(0, queue:qsize())
    end)

    it("of many items in bursts keep the order", function()
      local queue, expected, put = async.Queue(), 1, 0
      for burst = 1, 40 do
        for _ = 1, burst * 3 do
          put = put + 1
          queue:put_nowait(put)
        end
        for _ = 1, burst % 7 == 0 and queue:qsize() or burst do
          assert.equal(expected, queue:get_nowait())
          expected = expected + 1
        end
      end
      assert.equal(put - expected + 1, queue:qsize())
    end)
  end)

  describe("get", function()
    it("waits for an item", function()
      local queue = async.Queue()
      local task = start(queue.get, queue)
      assert.equal("queue item", task:state())
      async.sleep(2)
      queue:put_nowait "late"
      assert.equal("late", task:await())
      assert.equal(2, async.time())
    end)

    it("serves the tasks in the order in which they asked", function()
      testing.fifo()
      local queue = async.Queue()
      local first, second = start(queue.get, queue), start(queue.get, queue)
      fill(queue, "a", "b")
      assert.same({ "a", "b" }, { async.gather(first, second) })
    end)

    it("that is cancelled leaves the item to the next one", function()
      local queue = async.Queue()
      local first, second = start(queue.get, queue), start(queue.get, queue)
      first:cancel()
      turn()
      queue:put "a"
      assert.equal("a", second:await())
      assert.is_true(first:cancelled())
    end)

    it("that is cancelled after it was woken passes that on", function()
      local queue = async.Queue()
      local first, second = start(queue.get, queue), start(queue.get, queue)
      queue:put_nowait "a"
      first:cancel()
      assert.equal("a", second:await())
      assert.is_true(first:cancelled())
    end)

    it("that is cancelled loses nothing", function()
      local queue = async.Queue()
      local readers = { start(queue.get, queue), start(queue.get, queue), start(queue.get, queue) }
      fill(queue, 1, 2)
      readers[1]:cancel()
      local a, b = async.gather(readers[2], readers[3])
      assert.same({ 1, 2 }, { a, b })
    end)

    it("that times out leaves nobody waiting", function()
      local queue = async.Queue(5)
      raised(async.TimeoutError, async.wait_for, queue.get, 0.1, queue)
      assert.equal("<Queue size=0 maxsize=5>", tostring(queue))
    end)

    it("waits again when another task was faster", function()
      local queue = async.Queue()
      local waiting = start(queue.get, queue)
      queue:put_nowait "a"
      assert.equal("a", queue:get_nowait())
      async.sleep(1)
      assert.is_false(waiting:done())
      queue:put_nowait "b"
      assert.equal("b", waiting:await())
    end)
  end)

  describe("get_nowait", function()
    it("raises QueueEmpty when there is none", function()
      local queue = async.Queue()
      raised(async.QueueEmpty, queue.get_nowait, queue)
      queue:put_nowait(1)
      assert.equal(1, queue:get_nowait())
    end)
  end)

  describe("with a maxsize", function()
    it("is full with so many items", function()
      local queue = async.Queue(2)
      assert.equal(2, queue.maxsize)
      fill(queue, 1, 2)
      assert.is_true(queue:full())
      raised(async.QueueFull, queue.put_nowait, queue, 3)
      queue:get()
      assert.is_false(queue:full())
    end)

    it("of 0, below, or none is never full", function()
      for _, maxsize in ipairs { 0, -1 } do
        assert.is_false(fill(async.Queue(maxsize), 1, 2, 3):full())
      end
      assert.equal(0, async.Queue().maxsize)
    end)

    it("with a fraction takes the next whole number", function()
      local queue = fill(async.Queue(1.3), 1, 2)
      assert.is_true(queue:full())
      raised(async.QueueFull, queue.put_nowait, queue, 3)
    end)

    it("makes put wait for room", function()
      local queue = async.Queue(1)
      local log = {}
      local task = start(function()
        for i = 1, 3 do
          queue:put(i)
          log[#log + 1] = { i, async.time() }
        end
      end)
      assert.equal("room in queue", task:state())
      for _ = 1, 2 do
        async.sleep(1)
        queue:get()
      end
      task:await()
      assert.same({ { 1, 0 }, { 2, 1 }, { 3, 2 } }, log)
    end)

    it("serves the tasks that put in their order", function()
      local queue = async.Queue(1)
      local tasks = {}
      for i, item in ipairs { "a", "b", "c" } do
        tasks[i] = start(queue.put, queue, item)
      end
      assert.same({ "a", "b", "c" }, { queue:get(), queue:get(), queue:get() })
      async.gather(tasks)
    end)

    it("carries many items between a producer and consumers", function()
      local queue, sum = async.Queue(3), 0
      do
        local group <close> = async.TaskGroup()
        group:create_task(function()
          for i = 1, 100 do
            queue:put(i)
          end
          queue:shutdown()
        end)
        for _ = 1, 4 do
          group:create_task(function()
            for item in queue:iter() do
              sum = sum + item
              turn()
            end
          end)
        end
      end
      assert.equal(5050, sum)
    end)

    it("has to be a number", function()
      assert.error_matches(function()
        async.Queue "3"
      end, "Queue: a number expected as maxsize, got 3")
    end)
  end)

  describe("put that is cancelled", function()
    it("puts nothing", function()
      local queue = fill(async.Queue(1), 1)
      local task = start(queue.put, queue, 2)
      task:cancel()
      turn()
      assert.is_true(task:cancelled())
      assert.same({ 1 }, drain(queue))
      assert.equal("<Queue size=0 maxsize=1 tasks=1>", tostring(queue))
    end)

    it("after it was woken leaves the room to the next one", function()
      local queue = fill(async.Queue(1), 1)
      local first, second = start(queue.put, queue, 2), start(queue.put, queue, 3)
      queue:get_nowait()
      first:cancel()
      second:await()
      assert.is_true(first:cancelled())
      assert.same({ 3 }, drain(queue))
    end)
  end)

  describe("iter", function()
    it("gives the items until the queue is shut down and empty", function()
      local queue = fill(async.Queue(), 1, false, 3)
      queue:shutdown()
      local seen = {}
      for item in queue:iter() do
        seen[#seen + 1] = item
      end
      assert.same({ 1, false, 3 }, seen)
    end)

    it("waits for items, and for the end", function()
      local queue, seen = async.Queue(), {}
      local task = start(function()
        for item in queue:iter() do
          seen[#seen + 1] = { item, async.time() }
        end
      end)
      async.sleep(1)
      queue:put_nowait "a"
      async.sleep(1)
      queue:shutdown()
      task:await()
      assert.same({ { "a", 1 } }, seen)
      assert.equal(2, async.time())
    end)

    it("can be left and begun again", function()
      local queue = fill(async.Queue(), 1, 2)
      for item in queue:iter() do
        if item == 1 then
          break
        end
      end
      assert.equal(2, queue:iter()())
    end)
  end)

  it("prints what is in it and who waits", function()
    local queue = fill(async.Queue(1), 1)
    local putter = start(queue.put, queue, 2)
    assert.equal("<Queue size=1 maxsize=1 putters=1 tasks=1>", tostring(queue))
    drain(queue)
    putter:await()
    drain(queue)
    local getter = start(queue.get, queue)
    assert.equal("<Queue size=0 maxsize=1 getters=1 tasks=2>", tostring(queue))
    getter:cancel()
  end)
end)

describe("a LifoQueue", function()
  it("gives the newest item first", function()
    assert.same({ 2, 3, 1 }, drain(fill(async.LifoQueue(), 1, 3, 2)))
  end)
end)

describe("a PriorityQueue", function()
  it("gives the least item first", function()
    assert.same({ 1, 2, 3 }, drain(fill(async.PriorityQueue(), 1, 3, 2)))
    assert.same({ "a", "b", "c" }, drain(fill(async.PriorityQueue(), "c", "a", "b")))
  end)

  it("orders lists as Python orders tuples", function()
    local queue = fill(async.PriorityQueue(), { 2, "b" }, { 1, "z" }, { 2, "a" }, { 1 }, { 2, "a", 0 })
    assert.same({ { 1 }, { 1, "z" }, { 2, "a" }, { 2, "a", 0 }, { 2, "b" } }, drain(queue))
  end)

  it("orders false before true", function()
    assert.same({ { false, 1 }, { true, 0 } }, drain(fill(async.PriorityQueue(), { true, 0 }, { false, 1 })))
  end)

  it("keeps the order of items with equal priorities, whatever they are", function()
    local queue = async.PriorityQueue()
    for i = 1, 9 do
      queue:put_nowait { i % 3, { name = i } }
    end
    local names = {}
    for i, item in ipairs(drain(queue)) do
      names[i] = item[2].name
    end
    assert.same({ 3, 6, 9, 1, 4, 7, 2, 5, 8 }, names)
  end)

  it("orders by a function of one's own", function()
    local queue = fill(async.PriorityQueue(nil, {
      less = function(a, b)
        return #a < #b
      end,
    }), "three", "at", "one", "two", "of")
    assert.same({ "at", "of", "one", "two", "three" }, drain(queue))
  end)

  it("orders objects by their own __lt", function()
    local Order = {}
    Order.__lt = function(a, b)
      return a.price > b.price
    end
    local low, high = setmetatable({ price = 1 }, Order), setmetatable({ price = 2 }, Order)
    assert.same({ high, low }, drain(fill(async.PriorityQueue(), low, high)))
    local queue = fill(async.PriorityQueue(), { 1, low }, { 1, high })
    assert.equal(high, queue:get_nowait()[2])
  end)

  it("takes functions as items", function()
    local first, second = function() end, function() end
    local queue = fill(async.PriorityQueue(), { 5, first }, { 5, second })
    assert.equal(first, queue:get_nowait()[2])
    assert.equal(second, queue:get_nowait()[2])
  end)

  it("refuses items without an order, and stays as it was", function()
    local queue = fill(async.PriorityQueue(), 3, 1, 2)
    for item, message in pairs {
      x = "no order between a string and a number",
      [{ 7 }] = "no order between a table and a number",
    } do
      assert.error_matches(function()
        queue:put_nowait(item)
      end, message)
    end
    assert.error_matches(function()
      queue:put_nowait { 0 / 0, "item" }
    end, "nan has no order")
    assert.same({ 1, 2, 3 }, drain(queue))
  end)

  it("refuses a less that is no function", function()
    assert.error_matches(function()
      async.PriorityQueue(0, { less = "<" })
    end, "PriorityQueue: a function expected as less, got string")
  end)
end)

for _, name in ipairs { "Queue", "LifoQueue", "PriorityQueue" } do
  describe("a " .. name, function()
    describe("join", function()
      it("returns at once when nothing was put", function()
        local queue = async[name]()
        queue:join()
        queue:join()
        assert.equal(0, async.time())
      end)

      it("waits until every item is done", function()
        local queue, sum = async[name](), 0
        for i = 1, 100 do
          queue:put_nowait(i)
        end
        local function work()
          for item in queue:iter() do
            async.sleep(1)
            sum = sum + item
            queue:task_done()
          end
        end
        local workers = { start(work), start(work) }
        queue:join()
        assert.equal(5050, sum)
        assert.equal(50, async.time())
        queue:shutdown()
        async.gather(workers)
      end)
    end)

    it("refuses task_done more often than items were put", function()
      local queue = async[name]()
      assert.error_matches(function()
        queue:task_done()
      end, "Queue:task_done: called too many times")
      queue:put_nowait(1)
      queue:task_done()
      assert.error_matches(function()
        queue:task_done()
      end, "too many times")
    end)

    describe("shutdown", function()
      it("of an empty queue ends who waits and who comes", function()
        local queue = async[name]()
        local getter = start(queue.get, queue)
        queue:shutdown()
        queue:join()
        raised(async.QueueShutDown, getter.await, getter)
        raised(async.QueueShutDown, queue.put, queue, 1)
        raised(async.QueueShutDown, queue.put_nowait, queue, 1)
        raised(async.QueueShutDown, queue.get, queue)
        raised(async.QueueShutDown, queue.get_nowait, queue)
        assert.matches("shutdown>$", tostring(queue))
      end)

      it("leaves the items that are there to be taken", function()
        local queue = async[name](1)
        queue:put_nowait "data"
        local joiner, putter = start(queue.join, queue), start(queue.put, queue, "more")
        queue:shutdown()
        raised(async.QueueShutDown, putter.await, putter)
        assert.equal("data", queue:get())
        raised(async.QueueShutDown, queue.get, queue)
        turn()
        assert.is_false(joiner:done())
        queue:task_done()
        joiner:await()
      end)

      it("at once throws away what is there", function()
        local queue = async[name]()
        fill(queue, 1, 2)
        local joiner = start(queue.join, queue)
        assert.is_number(queue:get())
        queue:shutdown(true)
        assert.equal(0, queue:qsize())
        raised(async.QueueShutDown, queue.get, queue)
        turn()
        assert.is_false(joiner:done()) -- the one that was taken is not done
        queue:task_done()
        joiner:await()
        assert.error_matches(function()
          queue:task_done()
        end, "too many times")
      end)

      it("twice is harmless", function()
        local queue = async[name]()
        queue:put_nowait(1)
        queue:shutdown()
        queue:shutdown(true)
        queue:join()
        assert.is_true(queue:empty())
      end)
    end)
  end)
end
