local async = require "strobe.async"
local testing = require "strobe.testing"

local function turn()
  async.sleep(0)
end

describe("an event", function()
  local event, order

  before_each(function()
    event, order = async.Event(), {}
  end)

  local function waiter(name)
    return async.create_task(function()
      local result = event:wait()
      order[#order + 1] = name
      return result
    end)
  end

  describe("wait", function()
    it("returns true at once when the event is set", function()
      event:set()
      assert.is_true(event:wait())
      assert.equal(0, async.time())
    end)

    it("waits until the event is set", function()
      local task = waiter "one"
      async.sleep(5)
      assert.same({}, order)
      assert.equal("event", task:state())
      event:set()
      assert.is_true(task:await())
      assert.equal(5, async.time())
    end)

    it("goes on in the order of coming", function()
      testing.fifo()
      local tasks = { waiter(1), waiter(2), waiter(3) }
      turn()
      assert.equal("<Event [unset, waiters:3]>", tostring(event))
      event:set()
      async.gather(tasks)
      assert.same({ 1, 2, 3 }, order)
      assert.equal("<Event [set]>", tostring(event))
    end)

    it("goes on even if the event is cleared before it runs", function()
      local task = waiter "one"
      turn()
      event:set()
      event:clear()
      assert.is_false(event:is_set())
      task:await()
      assert.same({ "one" }, order)
    end)

    it("can be cancelled", function()
      local cancelled, other = waiter "cancelled", waiter "other"
      turn()
      cancelled:cancel()
      turn()
      assert.is_true(cancelled:cancelled())
      event:set()
      other:await()
      assert.same({ "other" }, order)
    end)
  end)

  describe("clear", function()
    it("makes the next wait wait", function()
      event:set()
      event:clear()
      local ok, e = pcall(async.wait_for, event.wait, 1, event)
      assert.is_false(ok)
      assert.is_true(async.is(e, async.TimeoutError))
    end)
  end)
end)
