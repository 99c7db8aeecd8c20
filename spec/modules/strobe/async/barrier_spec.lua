local async = require "strobe.async"
local testing = require "strobe.testing"

local function turn()
  async.sleep(0)
end

local function is_broken_error(e)
  return async.is(e, async.BrokenBarrierError)
end

-- Starts `count` tasks with the function.
local function start(count, f)
  local tasks = {}
  for i = 1, count do
    tasks[i] = async.create_task(f, i)
  end
  return tasks
end

describe("a barrier", function()
  describe("wait", function()
    it("lets all go when the last has come", function()
      local barrier = async.Barrier(3)
      local times = {}
      async.gather(start(3, function(i)
        async.sleep(i)
        barrier:wait()
        times[i] = async.time()
      end))
      assert.same({ 3, 3, 3 }, times)
    end)

    it("returns another index for each party", function()
      testing.fifo()
      local barrier = async.Barrier(3)
      local tasks = start(3, function()
        return barrier:wait()
      end)
      assert.same({ 0, 1, 2, n = 3 }, async.gather(tasks))
    end)

    it("of a single party does not wait", function()
      local barrier = async.Barrier(1)
      assert.equal(0, barrier:wait())
      assert.equal(0, barrier:wait())
      assert.equal(0, barrier.n_waiting)
    end)

    it("can be used again and again", function()
      local barrier = async.Barrier(2)
      local log = {}
      async.gather(start(2, function(i)
        for round = 1, 3 do
          async.sleep(i)
          barrier:wait()
          log[#log + 1] = round
        end
      end))
      assert.same({ 1, 1, 2, 2, 3, 3 }, log)
      assert.equal(6, async.time())
    end)

    it("takes more tasks than parties in rounds", function()
      local barrier = async.Barrier(2)
      local went = 0
      local tasks = start(5, function()
        barrier:wait()
        went = went + 1
      end)
      async.sleep(1)
      assert.equal(4, went)
      assert.equal(1, barrier.n_waiting)
      barrier:wait()
      async.gather(tasks)
      assert.equal(5, went)
    end)

    it("keeps those who come early for the next round until all have left", function()
      local barrier, out = async.Barrier(3), async.Barrier(3)
      local log = {}
      async.gather(start(3, function(i)
        barrier:wait()
        log[#log + 1] = "a" .. i
        barrier:wait()
        log[#log + 1] = "b" .. i
        out:wait()
      end))
      table.sort(log)
      assert.same({ "a1", "a2", "a3", "b1", "b2", "b3" }, log)
      assert.equal("<Barrier [filling, waiters:0/3]>", tostring(barrier))
    end)
  end)

  it("tells how many wait, and for how many", function()
    local barrier = async.Barrier(3)
    assert.equal(3, barrier.parties)
    local tasks = start(2, function()
      barrier:wait()
    end)
    turn()
    assert.equal(2, barrier.n_waiting)
    assert.equal("<Barrier [filling, waiters:2/3]>", tostring(barrier))
    assert.equal("barrier", tasks[1]:state())
    barrier:wait()
    assert.equal(0, barrier.n_waiting)
    async.gather(tasks)
  end)

  describe("cancelling wait", function()
    it("takes one party away; the others wait on", function()
      local barrier = async.Barrier(3)
      local went = 0
      local function work()
        barrier:wait()
        went = went + 1
      end
      local tasks = start(2, work)
      turn()
      tasks[1]:cancel()
      turn()
      assert.is_true(tasks[1]:cancelled())
      assert.equal(1, barrier.n_waiting)
      assert.is_false(barrier.broken)

      local more = start(2, work)
      async.gather(tasks[2], table.unpack(more))
      assert.equal(3, went)
      assert.equal(0, barrier.n_waiting)
    end)

    it("of one that may go already lets the next round begin", function()
      local barrier = async.Barrier(2)
      local tasks = start(1, function()
        barrier:wait()
      end)
      turn()
      barrier:wait()
      tasks[1]:cancel()
      turn()
      assert.is_true(tasks[1]:cancelled())
      async.gather(start(2, function()
        barrier:wait()
      end))
      assert.equal("<Barrier [filling, waiters:0/2]>", tostring(barrier))
    end)
  end)

  describe("reset", function()
    it("of an empty barrier changes nothing", function()
      local barrier = async.Barrier(1)
      barrier:reset()
      assert.is_false(barrier.broken)
      assert.equal(0, barrier:wait())
    end)

    it("raises in those who wait, who may wait again at once", function()
      local barrier = async.Barrier(3)
      local raised, went = 0, 0
      local tasks = start(2, function()
        local ok, e = pcall(barrier.wait, barrier)
        raised = raised + (not ok and is_broken_error(e) and 1 or 0)
        barrier:wait()
        went = went + 1
      end)
      turn()
      barrier:reset()
      turn()
      assert.equal(2, raised)
      assert.is_false(barrier.broken)
      barrier:wait()
      async.gather(tasks)
      assert.equal(2, went)
    end)

    it("raises in those who may go but did not run yet", function()
      local barrier = async.Barrier(5)
      local went, raised = 0, 0
      async.gather(start(5, function()
        local ok, e = pcall(barrier.wait, barrier)
        if not ok then
          assert.is_true(is_broken_error(e))
          raised = raised + 1
          return
        end
        went = went + 1
        if went == 3 then
          barrier:reset()
        end
      end))
      assert.equal(3, went)
      assert.equal(2, raised)
      assert.equal("<Barrier [filling, waiters:0/5]>", tostring(barrier))
    end)

    it("mends a broken barrier", function()
      local barrier = async.Barrier(2)
      barrier:abort()
      assert.is_true(barrier.broken)
      barrier:reset()
      assert.is_false(barrier.broken)
      async.gather(start(2, function()
        barrier:wait()
      end))
    end)
  end)

  describe("abort", function()
    it("raises in those who wait and those who come", function()
      local barrier = async.Barrier(3)
      local tasks = start(2, function()
        return select(2, pcall(barrier.wait, barrier))
      end)
      turn()
      barrier:abort()
      assert.is_true(is_broken_error(tasks[1]:await()))
      assert.is_true(is_broken_error(tasks[2]:await()))

      local ok, e = pcall(barrier.wait, barrier)
      assert.is_false(ok)
      assert.is_true(is_broken_error(e))
      assert.equal("<Barrier [broken]>", tostring(barrier))
      assert.equal(0, barrier.n_waiting)
    end)

    it("raises in those who wait for the next round", function()
      local barrier = async.Barrier(5)
      local went, still_leaving, next_round = 0, 0, 0
      async.gather(start(5, function()
        if not pcall(barrier.wait, barrier) then
          still_leaving = still_leaving + 1
          return
        end
        went = went + 1
        if went == 3 then
          barrier:abort()
        elseif not pcall(barrier.wait, barrier) then
          next_round = next_round + 1
        end
      end))
      assert.equal(2, still_leaving)
      assert.equal(2, next_round)
      assert.is_true(barrier.broken)
    end)
  end)

  it("refuses a number of parties below 1", function()
    assert.error_matches(function()
      async.Barrier(0)
    end, "Barrier: a number of parties of 1 or more expected, got 0")
    assert.error_matches(function()
      async.Barrier(1.5)
    end, "got 1.5")
  end)
end)
