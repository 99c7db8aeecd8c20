local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local join = require "strobe.core.join"
local lot = require "strobe.core.lot"
local report = require "strobe.report"
local testing = require "strobe.testing"

describe("cancelling a task", function()
  local function is_cancelled_error(e)
    return async.is(e, async.CancelledError)
  end

  -- Every way to wait, as a function that waits for ever or at least 50 seconds.
  local waits = {
    ["sleep"] = function()
      async.sleep(50)
    end,
    ["sleep for ever"] = function()
      async.sleep(math.huge)
    end,
    ["sleep_until"] = function()
      async.sleep_until(50)
    end,
    ["a future"] = function()
      async.Future():await()
    end,
    ["a task"] = function()
      async.create_task(async.sleep, 50):await()
    end,
    ["a task that awaits a task"] = function()
      local inner = async.create_task(async.sleep, 50)
      async.create_task(inner.await, inner):await()
    end,
    ["a parking lot"] = function()
      lot.new("spec"):park()
    end,
    ["several futures"] = function()
      join.wait { async.Future(), async.Future() }
    end,
    ["gather"] = function()
      async.gather(async.Future(), async.create_task(async.sleep, 50))
    end,
    ["a shielded future"] = function()
      async.shield(async.Future()):await()
    end,
    ["wait_for"] = function()
      async.wait_for(async.Future(), 50)
    end,
    ["a generator"] = function()
      async.generator(function(yield)
        async.sleep(50)
        yield(1)
      end)():next()
    end,
    ["a generator in a generator"] = function()
      local inner = async.generator(function()
        async.Future():await()
      end)
      async.generator(function(yield)
        yield.from(inner())
      end)():next()
    end,
    ["a task group"] = function()
      local tg <close> = async.TaskGroup()
      tg:create_task(async.sleep, 50)
    end,
    ["a coroutine object"] = function()
      async.fn(async.sleep)(50):await()
    end,
    ["a protected call"] = function()
      local _, e = xpcall(async.sleep, function(e)
        return e
      end, 50)
      error(e, 0)
    end,
    ["the cleanup of a scope"] = function()
      local _ <close> = cleanup(function()
        async.sleep(50)
      end)
    end,
    ["the cleanup after an error"] = function()
      local _ <close> = cleanup(function()
        async.sleep(50)
      end)
      error "first"
    end,
    ["an iterator of a for loop"] = function()
      for _ in async.sleep, 50 do
        error "it does not come here"
      end
    end,
    ["a metamethod"] = function()
      return setmetatable({}, {
        __index = function()
          async.sleep(50)
        end,
      }).field
    end,
  }

  for name, wait in pairs(waits) do
    describe("that waits in " .. name, function()
      it("raises CancelledError there, with the message, and leaves nothing behind", function()
        local t = async.create_task(wait)
        async.sleep(1)
        assert.is_false(t:done())
        assert.is_true(t:cancel "spec")
        local ok, e = pcall(t.await, t)
        assert.is_false(ok)
        assert.is_true(is_cancelled_error(e))
        assert.equal("spec", e.message)
        assert.is_true(t:cancelled())
        assert.equal(1, async.time())
      end)

      it("lets it go on when it takes no notice", function()
        local caught
        local t = async.create_task(function()
          local ok, e = pcall(wait)
          caught = not ok and e
          return async.sleep(2, "went on")
        end)
        async.sleep(1)
        t:cancel()
        assert.equal("went on", t:await())
        assert.is_true(is_cancelled_error(caught))
        assert.equal(3, async.time())
      end)
    end)
  end

  describe("that was woken but did not run yet", function()
    -- Starts wait in a task, lets wake end the wait, and cancels in the same turn.
    local function cancel_woken(wait, wake)
      local t = async.create_task(wait)
      async.sleep(1)
      wake()
      t:cancel "too late"
      local ok, e = pcall(t.await, t)
      assert.is_false(ok)
      assert.equal("CancelledError: too late", tostring(e))
    end

    it("by a future still raises CancelledError", function()
      local f = async.Future()
      cancel_woken(function()
        f:await()
      end, function()
        f:set_result(1)
      end)
      assert.equal(1, f:result())
    end)

    it("by a parking lot still raises CancelledError", function()
      local l = lot.new "spec"
      cancel_woken(function()
        l:park()
      end, function()
        assert.equal(1, l:wake())
      end)
      assert.equal(0, #l)
    end)

    it("by its timer still raises CancelledError", function()
      testing.fifo()
      local t
      async.create_task(function()
        async.sleep(1)
        t:cancel()
      end)
      t = async.create_task(async.sleep, 1)
      pcall(t.await, t)
      assert.is_true(t:cancelled())
    end)

    it("by sleep(0) raises CancelledError", function()
      local ended = false
      local t = async.create_task(function()
        async.sleep(0)
        ended = true
      end)
      async.sleep(0)
      t:cancel()
      pcall(t.await, t)
      assert.is_true(t:cancelled())
      assert.is_false(ended)
    end)

    it("by one of several futures still raises CancelledError", function()
      local f = async.Future()
      cancel_woken(function()
        join.wait({ f, async.Future() }, "FIRST_COMPLETED")
      end, function()
        f:set_result()
        async.sleep(0)
      end)
    end)
  end)

  describe("before it begins", function()
    it("never runs it, not even its cleanup", function()
      local ran = false
      local t = async.create_task(function()
        local _ <close> = cleanup(function() end)
        ran = true
      end)
      t:cancel "early"
      local ok, e = pcall(t.await, t)
      assert.is_false(ok)
      assert.equal("CancelledError: early", tostring(e))
      assert.is_false(ran)
    end)
  end)

  describe("by itself", function()
    it("raises at its next wait", function()
      local reached, beyond = false, false
      local t = async.create_task(function()
        async.current_task():cancel "self"
        reached = true
        async.sleep(0)
        beyond = true
      end)
      pcall(t.await, t)
      assert.is_true(t:cancelled())
      assert.is_true(reached)
      assert.is_false(beyond)
    end)

    it("counts even if it does not wait any more", function()
      local t = async.create_task(function()
        async.current_task():cancel "at the end"
        return "unseen"
      end)
      local ok, e = pcall(t.await, t)
      assert.is_false(ok)
      assert.equal("CancelledError: at the end", tostring(e))
      assert.is_true(t:cancelled())
    end)

    it("does not hide an error that it raises before it waits", function()
      local t = async.create_task(function()
        async.current_task():cancel()
        error("mine", 0)
      end)
      assert.has_error(function()
        t:await()
      end, "mine")
    end)

    it("raises before anything else is done by a wait", function()
      local f = async.Future()
      local t = async.create_task(function()
        async.current_task():cancel()
        f:await()
      end)
      pcall(t.await, t)
      assert.is_true(t:cancelled())
      assert.is_false(f:done())
    end)

    it("does not keep it from taking results that are there", function()
      local f = async.Future()
      f:set_result "there"
      local seen
      local t = async.create_task(function()
        async.current_task():cancel()
        seen = f:await()
        async.sleep(0)
      end)
      pcall(t.await, t)
      assert.equal("there", seen)
      assert.is_true(t:cancelled())
    end)
  end)

  describe("by raising CancelledError by hand", function()
    it("ends it as cancelled, without a request", function()
      local t = async.create_task(function()
        error(async.CancelledError "by hand")
      end)
      pcall(t.await, t)
      assert.is_true(t:cancelled())
      assert.equal(0, t:cancelling())
    end)
  end)

  describe("twice", function()
    it("before it runs raises once", function()
      local caught = 0
      local t = async.create_task(function()
        for _ = 1, 2 do
          if not pcall(async.sleep, 5) then
            caught = caught + 1
          end
        end
      end)
      async.sleep(1)
      t:cancel()
      t:cancel()
      t:await()
      assert.equal(1, caught)
      assert.equal(2, t:cancelling())
      assert.equal(6, async.time())
    end)

    it("raises in the cleanup after the first", function()
      local log = {}
      local t = async.create_task(function()
        local _ <close> = cleanup(function(_, e)
          table.insert(log, e.message)
          local ok, second = pcall(async.sleep, 10)
          table.insert(log, not ok and second.message)
        end)
        async.sleep(10)
      end)
      async.sleep(1)
      t:cancel "first"
      async.sleep(1)
      t:cancel "second"
      local ok, e = pcall(t.await, t)
      assert.is_false(ok)
      assert.same({ "first", "second" }, log)
      assert.is_true(is_cancelled_error(e))
      assert.equal(2, async.time())
    end)
  end)

  describe("that takes no notice", function()
    it("does not end it; its result is its own", function()
      local t = async.create_task(function()
        pcall(async.sleep, 10)
        return "stayed"
      end)
      async.sleep(1)
      t:cancel()
      assert.equal("stayed", t:await())
      assert.is_false(t:cancelled())
      assert.equal(1, t:cancelling())
    end)
  end)

  describe("that has ended", function()
    it("says false and changes nothing", function()
      local t = async.create_task(async.sleep, 0, "done")
      t:await()
      assert.is_false(t:cancel())
      assert.equal(0, t:cancelling())
      assert.equal("done", t:result())
    end)
  end)

  describe("the count of requests", function()
    it("goes up with cancel and down with uncancel, not below zero", function()
      local counts = {}
      local t = async.create_task(function()
        local me = async.current_task()
        pcall(async.sleep, 10)
        for _ = 1, 3 do
          table.insert(counts, me:cancelling())
          table.insert(counts, me:uncancel())
        end
      end)
      async.sleep(1)
      assert.equal(0, t:cancelling())
      t:cancel()
      t:cancel()
      t:await()
      assert.same({ 2, 1, 1, 0, 0, 0 }, counts)
    end)

    it("at zero drops a request which was not raised yet", function()
      local t = async.create_task(function()
        local me = async.current_task()
        me:cancel()
        me:uncancel()
        return async.sleep(1, "went on")
      end)
      assert.equal("went on", t:await())
    end)

    it("above zero keeps it", function()
      local t = async.create_task(function()
        local me = async.current_task()
        me:cancel()
        me:cancel()
        me:uncancel()
        async.sleep(1)
      end)
      pcall(t.await, t)
      assert.is_true(t:cancelled())
      assert.equal(1, t:cancelling())
    end)
  end)

  describe("from a callback", function()
    it("works as from a task", function()
      local t = async.create_task(async.sleep, 10)
      local f = async.Future()
      f:add_done_callback(function()
        t:cancel "called"
      end)
      async.sleep(1)
      f:set_result()
      local ok, e = pcall(t.await, t)
      assert.is_false(ok)
      assert.equal("called", e.message)
    end)
  end)

  it("makes no report", function()
    local reports = {}
    report.set_handler(function(context)
      table.insert(reports, context)
    end)
    for _, wait in pairs(waits) do
      local t = async.create_task(wait)
      async.sleep(0)
      async.sleep(0)
      t:cancel()
      pcall(t.await, t)
    end
    collectgarbage()
    collectgarbage()
    report.set_handler(nil)
    assert.same({}, reports)
  end)
end)
