local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local testing = require "strobe.testing"

local function turn()
  async.sleep(0)
end

-- A task that takes a permit, notes its name, and keeps the permit.
local function taker(semaphore, order, name)
  return async.create_task(function()
    semaphore:acquire()
    order[#order + 1] = name
  end)
end

describe("a semaphore", function()
  local order

  before_each(function()
    order = {}
  end)

  describe("acquire", function()
    it("lets so many in as it has permits", function()
      local semaphore = async.Semaphore(2)
      local inside, most = 0, 0
      local work = async.fn(function()
        local held <close> = semaphore:acquire() -- luacheck: ignore
        inside = inside + 1
        most = math.max(most, inside)
        async.sleep(1)
        inside = inside - 1
      end)
      async.gather(work(), work(), work(), work(), work())
      assert.equal(2, most)
      assert.equal(3, async.time())
      assert.equal("<Semaphore [unlocked, value:2]>", tostring(semaphore))
    end)

    it("has one permit by default", function()
      local semaphore = async.Semaphore()
      assert.is_false(semaphore:locked())
      semaphore:acquire()
      assert.is_true(semaphore:locked())
      assert.equal("<Semaphore [locked]>", tostring(semaphore))
    end)

    it("waits when there is no permit from the beginning", function()
      local semaphore = async.Semaphore(0)
      assert.is_true(semaphore:locked())
      local task = taker(semaphore, order, 1)
      async.sleep(3)
      assert.equal("semaphore", task:state())
      semaphore:release()
      task:await()
      assert.equal(3, async.time())
    end)

    it("serves the tasks in the order in which they asked", function()
      testing.fifo()
      local semaphore = async.Semaphore(1)
      local work = async.fn(function(name)
        for round = 1, 2 do
          local held <close> = semaphore:acquire() -- luacheck: ignore
          order[#order + 1] = name .. round
          async.sleep(0.01)
        end
      end)
      async.gather(work "a", work "b", work "c")
      assert.same({ "a1", "b1", "c1", "a2", "b2", "c2" }, order)
    end)

    it("lines up behind tasks that were woken, and goes on when they ran", function()
      testing.fifo()
      local semaphore = async.Semaphore(0)
      local first = taker(semaphore, order, 1)
      turn()
      semaphore:release()
      semaphore:release()
      semaphore:release()
      assert.is_true(semaphore:locked()) -- permits are there, but the first one comes first
      local second, third = taker(semaphore, order, 2), taker(semaphore, order, 3)
      semaphore:acquire()
      order[#order + 1] = "here"
      async.gather(first, second, third, async.fn(function()
        semaphore:release()
      end)())
      assert.same({ 1, "here", 2, 3 }, order)
    end)
  end)

  describe("the guard of acquire", function()
    it("releases only once", function()
      local semaphore = async.Semaphore(1)
      local held = semaphore:acquire()
      held:release()
      held:release()
      assert.equal("<Semaphore [unlocked, value:1]>", tostring(semaphore))
    end)
  end)

  describe("release", function()
    it("adds permits beyond the first number", function()
      local semaphore = async.Semaphore(1)
      semaphore:release()
      assert.equal("<Semaphore [unlocked, value:2]>", tostring(semaphore))
    end)

    it("is refused by a BoundedSemaphore that is full", function()
      local semaphore = async.BoundedSemaphore(2)
      assert.error_matches(function()
        semaphore:release()
      end, "BoundedSemaphore:release: released too many times")
      semaphore:acquire()
      semaphore:release()
      assert.equal("<BoundedSemaphore [unlocked, value:2]>", tostring(semaphore))
    end)
  end)

  describe("cancelling acquire", function()
    it("takes no permit", function()
      local semaphore = async.Semaphore(0)
      local ok = pcall(async.wait_for, semaphore.acquire, 1, semaphore)
      assert.is_false(ok)
      semaphore:release()
      assert.equal("<Semaphore [unlocked, value:1]>", tostring(semaphore))
    end)

    it("passes on the permit it was woken for", function()
      local semaphore = async.Semaphore(0)
      local first, second = taker(semaphore, order, 1), taker(semaphore, order, 2)
      turn()
      semaphore:release()
      first:cancel()
      second:await()
      assert.is_true(first:cancelled())
      assert.same({ 2 }, order)
      assert.is_true(semaphore:locked())
    end)

    it("gives back the permit it was woken for when nobody waits", function()
      local semaphore = async.Semaphore(0)
      local task = taker(semaphore, order, 1)
      turn()
      semaphore:release()
      task:cancel()
      turn()
      assert.equal("<Semaphore [unlocked, value:1]>", tostring(semaphore))
    end)

    it("of some of many leaves the right number of permits", function()
      testing.fifo()
      local semaphore = async.Semaphore(0)
      local tasks = {}
      for i = 1, 6 do
        tasks[i] = taker(semaphore, order, i)
      end
      turn()
      tasks[2]:cancel() -- while it waits
      semaphore:release()
      semaphore:release()
      semaphore:release() -- for 1, 3 and 4
      tasks[1]:cancel() -- after it was woken
      tasks[4]:cancel()
      tasks[5]:cancel() -- while it waits
      async.sleep(1)
      assert.same({ 3, 6 }, order)
      assert.equal("<Semaphore [unlocked, value:1]>", tostring(semaphore))
    end)

    it("at any moment loses no permit and makes none", function()
      for seed = 1, 30 do
        math.randomseed(seed)
        local semaphore, held, most, tasks = async.Semaphore(3), 0, 0, {}
        for i = 1, 40 do
          tasks[i] = async.create_task(function()
            async.sleep(math.random(4) / 100)
            local permit <close> = semaphore:acquire() -- luacheck: ignore
            held = held + 1
            most = math.max(most, held)
            local _ <close> = cleanup(function()
              held = held - 1
            end)
            async.sleep(math.random(0, 2) / 100)
          end)
        end
        for _ = 1, 60 do
          async.sleep(math.random(0, 3) / 200)
          tasks[math.random(#tasks)]:cancel()
          tasks[math.random(#tasks)]:cancel()
        end
        async.wait(tasks)
        assert.equal(3, most)
        assert.equal("<Semaphore [unlocked, value:3]>", tostring(semaphore))
      end
    end)

    it("does not keep the others from going on", function()
      local semaphore = async.Semaphore(1)
      local work = async.fn(function(seconds)
        local held <close> = semaphore:acquire() -- luacheck: ignore
        async.sleep(seconds)
      end)
      local first, second = async.create_task(work(0)), async.create_task(work(0))
      turn()
      first:cancel()
      turn()
      second:cancel()
      turn()
      async.wait_for(work(0), 1)
      assert.is_false(semaphore:locked())
    end)
  end)

  it("refuses a number of permits that is none", function()
    assert.error_matches(function()
      async.Semaphore(-1)
    end, "Semaphore: an initial value of 0 or more expected, got %-1")
    assert.error_matches(function()
      async.BoundedSemaphore "3"
    end, "BoundedSemaphore: an initial value of 0 or more expected, got 3")
  end)
end)
