local async = require "strobe.async"
local drain = require("spec.support.items").drain
local fill = require("spec.support.items").fill
local start = require("spec.support.tasks").start
local testing = require "strobe.testing"
local turn = require("spec.support.tasks").turn

describe("a batch", function()
  it("is a list of max items as soon as they are there", function()
    local queue = fill(async.Queue(), 1, 2, 3, 4, 5)
    assert.same({ 1, 2 }, queue:batch { max = 2, within = 9 })
    assert.same({ 3, 4 }, queue:batch { max = 2 })
    assert.equal(0, async.time())
    assert.equal(1, queue:qsize())
  end)

  it("ends `within` seconds after its first item came", function()
    local queue = async.Queue()
    local task = start(queue.batch, queue, { max = 100, within = 0.5 })
    async.sleep(10)
    queue:put_nowait "a"
    async.sleep(0.25)
    queue:put_nowait "b"
    assert.same({ "a", "b" }, task:await())
    assert.equal(10.5, async.time())
  end)

  it("without max takes all that come in time", function()
    local queue = fill(async.Queue(), 1, 2, 3)
    assert.same({ 1, 2, 3 }, queue:batch { within = 1 })
    assert.equal(1, async.time())
  end)

  it("within 0 seconds takes what is there", function()
    local queue = fill(async.Queue(), 1, 2, 3)
    assert.same({ 1, 2, 3 }, queue:batch { max = 10, within = 0 })
    assert.equal(0, async.time())
  end)

  it("is larger than the queue may be, when items keep coming", function()
    local queue = async.Queue(2)
    local producer = start(function()
      for i = 1, 5 do
        queue:put(i)
      end
    end)
    assert.same({ 1, 2, 3, 4, 5 }, queue:batch { max = 5 })
    producer:await()
  end)

  it("is ended early by a shutdown, and nil is the end", function()
    local queue = async.Queue()
    local batches = {}
    local task = start(function()
      for batch in function()
        return queue:batch { max = 2, within = 60 }
      end do
        batches[#batches + 1] = batch
      end
    end)
    fill(queue, 1, 2, 3)
    async.sleep(5)
    queue:shutdown()
    task:await()
    assert.same({ { 1, 2 }, { 3 } }, batches)
    assert.equal(5, async.time())
  end)

  it("leaves later items to the next batch", function()
    local queue = async.Queue()
    local producer = start(function()
      for i = 1, 6 do
        queue:put(i)
        async.sleep(1)
      end
      queue:shutdown()
    end)
    local batches = {}
    for batch in function()
      return queue:batch { max = 100, within = 2.5 }
    end do
      batches[#batches + 1] = batch
    end
    producer:await()
    assert.same({ { 1, 2, 3 }, { 4, 5, 6 } }, batches)
  end)

  it("that is cancelled puts its items back in front, in order", function()
    local queue = fill(async.Queue(), 1, 2)
    local task = start(queue.batch, queue, { max = 5, within = 60 })
    assert.equal(0, queue:qsize())
    queue:put_nowait(3)
    task:cancel()
    turn()
    queue:put_nowait(4)
    assert.is_true(task:cancelled())
    assert.same({ 1, 2, 3, 4 }, drain(queue))
  end)

  it("that is cancelled puts items back even if there is no room", function()
    local queue = fill(async.Queue(2), 1, 2)
    local task = start(queue.batch, queue, { max = 5, within = 60 })
    fill(queue, 3, 4)
    task:cancel()
    turn()
    assert.is_true(queue:full())
    assert.same({ 1, 2, 3, 4 }, drain(queue))
  end)

  it("that is cancelled wakes who waits for its items", function()
    testing.fifo()
    local queue = fill(async.Queue(), 1, 2)
    local batcher = start(queue.batch, queue, { max = 5, within = 60 })
    local getters = { start(queue.get, queue), start(queue.get, queue) }
    batcher:cancel()
    assert.same({ 1, 2, n = 2 }, async.gather(getters))
  end)

  it("that is cancelled keeps the order of a stack and of priorities", function()
    local stack = fill(async.LifoQueue(), 1, 2, 3)
    local heap = fill(async.PriorityQueue(), { 2, "x" }, { 1, "y" }, { 1, "z" })
    for _, queue in ipairs { stack, heap } do
      local task = start(queue.batch, queue, { max = 5, within = 60 })
      task:cancel()
      turn()
      assert.is_true(task:cancelled())
    end
    assert.same({ 3, 2, 1 }, drain(stack))
    assert.same({ { 1, "y" }, { 1, "z" }, { 2, "x" } }, drain(heap))
  end)

  it("that is cancelled after shutdown(true) lets join end", function()
    local queue = fill(async.Queue(), 1, 2)
    local task = start(function()
      queue:batch { max = 5, within = 60 }
    end)
    queue:shutdown(true)
    task:cancel()
    queue:join()
    assert.is_true(queue:empty())
  end)

  it("that ends as an item comes has it, or leaves it to another task", function()
    for _, put_first in ipairs { true, false } do
      local queue = fill(async.Queue(), "first")
      local loop = async.get_running_loop()
      local function put()
        queue:put_nowait "second"
      end
      if put_first then
        loop:call_later(1, put)
      end
      local batcher = start(queue.batch, queue, { max = 5, within = 1 })
      local getter = start(queue.get, queue)
      if not put_first then
        loop:call_later(1, put)
      end
      local batch = batcher:await()
      queue:put_nowait "third"
      for _, item in ipairs { getter:await(), table.unpack(drain(queue)) } do
        table.insert(batch, item)
      end
      assert.same({ "first", "second", "third" }, batch)
    end
  end)

  it("refuses options that make no sense", function()
    local queue = async.Queue()
    local cases = {
      { nil, "options expected" },
      { {}, "max or within is needed" },
      { { max = 0 }, "max has to be a whole number of 1 or more, not 0" },
      { { max = 1.5 }, "not 1.5" },
      { { max = 0 / 0 }, "nan" },
      { { within = -1 }, "within has to be 0 or more seconds, not %-1" },
      { { within = "1 s" }, "not 1 s" },
    }
    for _, case in ipairs { table.unpack(cases, 1, #cases) } do
      assert.error_matches(function()
        queue:batch(case[1])
      end, case[2])
    end
  end)
end)

describe("cancelling at any moment", function()
  -- Takes items by get and by batch, and counts them.
  local function take(queue, counts)
    while true do
      async.sleep(math.random(0, 2) / 100)
      local items
      if math.random(2) == 1 then
        items = { queue:get() }
      else
        items = queue:batch { max = math.random(4), within = math.random(0, 3) / 100 }
      end
      for _, item in ipairs(items) do
        counts[item] = (counts[item] or 0) + 1
      end
    end
  end

  it("neither loses an item nor gives one twice", function()
    for seed = 1, 30 do
      math.randomseed(seed)
      local queue, counts, takers, put = async.Queue(4), {}, {}, 0
      local producer = async.create_task(function()
        for i = 1, 200 do
          queue:put(i)
          put = i
        end
      end)
      while not producer:done() do
        for i = 1, 5 do
          if not takers[i] or takers[i]:done() then
            takers[i] = async.create_task(take, queue, counts)
          end
        end
        async.sleep(math.random(0, 4) / 200)
        takers[math.random(5)]:cancel()
      end
      for _, taker in ipairs(takers) do
        taker:cancel()
      end
      async.wait(takers)
      for _, item in ipairs(drain(queue)) do
        counts[item] = (counts[item] or 0) + 1
      end
      for i = 1, put do
        assert.equal(1, counts[i])
      end
    end
  end)
end)
