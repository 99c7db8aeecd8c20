local async = require "strobe.async"

describe("wait", function()
  local function sleeper(seconds, value)
    return async.create_task(async.sleep, seconds, value)
  end
  local function failing(seconds, e)
    return async.create_task(function()
      async.sleep(seconds)
      error(e, 0)
    end)
  end

  describe("ALL_COMPLETED", function()
    it("waits for all and returns them in the order given", function()
      local a, b = sleeper(2), sleeper(1)
      local done, pending = async.wait { a, b }
      assert.same({ a, b }, done)
      assert.same({}, pending)
      assert.equal(2, async.time())
    end)

    it("raises no error of theirs", function()
      local bad = failing(1, "bad")
      local done = async.wait { bad, sleeper(2) }
      assert.equal(2, #done)
      assert.equal("bad", bad:exception())
    end)

    it("returns at once when all have ended", function()
      local a = sleeper(0)
      a:await()
      local done, pending = async.wait { a }
      assert.same({ { a }, {} }, { done, pending })
    end)

    it("counts a future given twice once", function()
      local a = sleeper(1)
      local done, pending = async.wait { a, a }
      assert.same({ { a }, {} }, { done, pending })
    end)
  end)

  describe("FIRST_COMPLETED", function()
    it("returns when the first has ended and leaves the others running", function()
      local a, b = sleeper(5), sleeper(1)
      local done, pending = async.wait({ a, b }, { return_when = async.FIRST_COMPLETED })
      assert.same({ { b }, { a } }, { done, pending })
      assert.equal(1, async.time())
      a:await()
      assert.equal(5, async.time())
    end)

    it("returns all that ended at the same time", function()
      local a, b, c = sleeper(1), sleeper(1), sleeper(2)
      local done, pending = async.wait({ a, b, c }, { return_when = async.FIRST_COMPLETED })
      assert.same({ { a, b }, { c } }, { done, pending })
      c:await()
    end)

    it("counts an error and a cancellation as ends", function()
      local bad, other = failing(1, "bad"), sleeper(3)
      assert.same({ bad }, (async.wait({ bad, other }, { return_when = async.FIRST_COMPLETED })))
      assert.equal("bad", bad:exception())
      local gone = sleeper(9)
      async.create_task(gone.cancel, gone)
      assert.same({ gone }, (async.wait({ gone, other }, { return_when = async.FIRST_COMPLETED })))
      assert.equal(1, async.time())
      other:await()
    end)
  end)

  describe("FIRST_EXCEPTION", function()
    it("returns at the first error", function()
      local a, bad, c = sleeper(1), failing(2, "bad"), sleeper(3)
      local done, pending = async.wait({ a, bad, c }, { return_when = async.FIRST_EXCEPTION })
      assert.same({ { a, bad }, { c } }, { done, pending })
      assert.equal(2, async.time())
      assert.equal("bad", bad:exception())
      c:await()
    end)

    it("does not end at a cancellation", function()
      local gone, b = sleeper(9), sleeper(2)
      async.sleep(1)
      gone:cancel()
      local done = async.wait({ gone, b }, { return_when = async.FIRST_EXCEPTION })
      assert.same({ gone, b }, done)
      assert.equal(2, async.time())
    end)

    it("waits for all when there is no error", function()
      local a, b = sleeper(1), sleeper(2)
      async.wait({ a, b }, { return_when = async.FIRST_EXCEPTION })
      assert.equal(2, async.time())
    end)

    it("sees an error that has happened before", function()
      local bad, b = failing(0, "bad"), sleeper(5)
      async.sleep(1)
      local done, pending = async.wait({ b, bad }, { return_when = async.FIRST_EXCEPTION })
      assert.same({ { bad }, { b } }, { done, pending })
      assert.equal(1, async.time())
      assert.equal("bad", bad:exception())
      b:cancel()
    end)
  end)

  describe("timeout", function()
    it("returns what is pending then, and cancels none", function()
      local a, b = sleeper(1), sleeper(5)
      local done, pending = async.wait({ a, b }, { timeout = 2 })
      assert.same({ { a }, { b } }, { done, pending })
      assert.equal(2, async.time())
      b:await()
      assert.equal(5, async.time())
    end)

    it("is not waited for when all end before", function()
      async.wait({ sleeper(1) }, { timeout = 5 })
      assert.equal(1, async.time())
      async.sleep(5)
      assert.equal(0, async.current_task():cancelling())
    end)

    it("of 0 only looks", function()
      local a = sleeper(5)
      local done, pending = async.wait({ a }, { timeout = 0 })
      assert.same({ {}, { a } }, { done, pending })
      assert.equal(0, async.time())
      a:cancel()
    end)
  end)

  describe("being cancelled", function()
    it("leaves the futures alone", function()
      local a, f = sleeper(3), async.Future()
      local t = async.create_task(async.wait, { a, f })
      async.sleep(1)
      t:cancel()
      pcall(t.await, t)
      assert.is_true(t:cancelled())
      assert.is_false(a:done())
      assert.is_false(f:done())
      a:await()
    end)

    it("is not mistaken for its timeout", function()
      local a = sleeper(9)
      local t = async.create_task(async.wait, { a }, { timeout = 5 })
      async.sleep(1)
      t:cancel()
      pcall(t.await, t)
      assert.is_true(t:cancelled())
      a:cancel()
    end)
  end)

  describe("the caller's list", function()
    it("may be changed while it waits", function()
      local list = { sleeper(1), sleeper(2) }
      async.create_task(function()
        async.sleep(1)
        list[1], list[2] = nil, nil
        collectgarbage()
      end)
      local done = async.wait(list)
      assert.equal(2, #done)
      assert.equal(2, async.time())
    end)
  end)

  describe("arguments", function()
    it("are a list of at least one future", function()
      for _, wrong in ipairs { {}, 5, "x" } do
        local ok, message = pcall(async.wait, wrong)
        assert.is_false(ok)
        assert.matches("wait: a list of at least one Future or Task expected", message, 1, true)
      end
      assert.is_false(pcall(async.wait))
    end)

    it("are no coroutine objects", function()
      local object = async.fn(function() end)()
      local ok, message = pcall(async.wait, { object })
      assert.is_false(ok)
      assert.matches("make tasks of coroutine objects first", message, 1, true)
      object:close()
    end)

    it("name a known return_when", function()
      local a = sleeper(1)
      local ok, message = pcall(async.wait, { a }, { return_when = "SOMETIME" })
      assert.is_false(ok)
      assert.matches("SOMETIME", message)
      a:await()
    end)
  end)
end)

describe("as_completed", function()
  local after = async.fn(function(seconds, value)
    return async.sleep(seconds, value)
  end)

  describe("iterating", function()
    it("gives the futures in the order of their ends", function()
      local seen = {}
      for f in async.as_completed { after(3, "c"), after(1, "a"), after(2, "b") } do
        assert.is_true(f:done())
        table.insert(seen, { f:await(), async.time() })
      end
      assert.same({ { "a", 1 }, { "b", 2 }, { "c", 3 } }, seen)
    end)

    it("gives the tasks themselves", function()
      local a, b = async.create_task(after(2)), async.create_task(after(1))
      local seen = {}
      for f in async.as_completed { a, b } do
        table.insert(seen, f)
      end
      assert.same({ b, a }, seen)
    end)

    it("gives each awaitable once, even if it is there twice", function()
      local object, count = after(1), 0
      for _ in async.as_completed { object, object } do
        count = count + 1
      end
      assert.equal(1, count)
    end)

    it("of an empty list ends at once", function()
      for _ in async.as_completed {} do
        error "there is none"
      end
    end)

    it("gives failed and cancelled ones as well, whose await raises", function()
      local bad = async.create_task(error, "bad", 0)
      local gone = async.create_task(after(9))
      async.sleep(0)
      gone:cancel()
      local failures = {}
      for f in async.as_completed { bad, gone } do
        local ok, e = pcall(f.await, f)
        assert.is_false(ok)
        table.insert(failures, tostring(e))
      end
      assert.same({ "bad", "CancelledError" }, failures)
    end)

    it("may be left early: the rest runs on", function()
      local slow = async.create_task(after(5, "slow"))
      for f in async.as_completed { slow, after(1, "fast") } do -- luacheck: ignore
        assert.equal("fast", f:await())
        break
      end
      assert.is_false(slow:done())
      assert.equal("slow", slow:await())
    end)
  end)

  describe("timeout", function()
    it("raises when the next one has not ended in time", function()
      local slow, seen = async.create_task(after(5)), {}
      local ok, e = pcall(function()
        for f in async.as_completed({ slow, after(1, "fast") }, { timeout = 2 }) do
          table.insert(seen, f:await())
        end
      end)
      assert.is_false(ok)
      assert.is_true(async.is(e, async.TimeoutError))
      assert.same({ "fast" }, seen)
      assert.equal(2, async.time())
      slow:cancel()
    end)

    it("does not matter when all end in time", function()
      local count = 0
      for _ in async.as_completed({ after(1), after(2) }, { timeout = 3 }) do
        count = count + 1
      end
      assert.equal(2, count)
      assert.equal(2, async.time())
    end)
  end)

  describe("arguments", function()
    it("are looked at before anything is started", function()
      local object = after(1)
      local ok, message = pcall(async.as_completed, { object, 5 })
      assert.is_false(ok)
      assert.matches("as_completed: an awaitable or a function expected at place 2, got 5", message, 1, true)
      object:close()
    end)
  end)
end)
