local async = require "strobe.async"
local handle = require "strobe.core.handle"

describe("a handle", function()
  describe("call_soon", function()
    it("calls with the arguments in the next turn", function()
      local got
      handle.call_soon(function(...)
        got = table.pack(...)
      end, nil, 2, nil)
      assert.is_nil(got)
      async.sleep(0)
      assert.same({ n = 3, nil, 2, nil }, got)
    end)

    it("keeps the order", function()
      local order = {}
      for i = 1, 10 do
        handle.call_soon(table.insert, order, i)
      end
      async.sleep(0)
      assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, order)
    end)
  end)

  describe("call_later and call_at", function()
    it("call at their time, in the order of time", function()
      local order = {}
      handle.call_later(3, table.insert, order, "c")
      handle.call_at(2, table.insert, order, "b")
      handle.call_later(1, table.insert, order, "a")
      async.sleep(4)
      assert.same({ "a", "b", "c" }, order)
    end)

    it("at the same time call in the order they were asked for", function()
      local order = {}
      for i = 1, 100 do
        local start = i % 2 == 0 and handle.call_later or handle.call_at
        start(1, table.insert, order, i)
      end
      async.sleep(2)
      for i = 1, 100 do
        assert.equal(i, order[i])
      end
    end)

    it("of a time in the past call soon", function()
      async.sleep(5)
      local called = 0
      local function call()
        called = called + 1
      end
      handle.call_at(1, call)
      handle.call_later(-1, call)
      async.sleep(0)
      async.sleep(0)
      assert.equal(2, called)
      assert.equal(5, async.time())
    end)

    it("tell when", function()
      local h = handle.call_later(1.5, print)
      assert.equal(1.5, h:when())
      h:cancel()
    end)

    it("of never keep no timer", function()
      local called = false
      local h = handle.call_later(math.huge, function()
        called = true
      end)
      async.sleep(100)
      assert.is_false(called)
      h:cancel()
    end)
  end)

  describe("cancel", function()
    it("keeps it from being called, twice is harmless", function()
      local called = false
      local function call()
        called = true
      end
      local soon, later = handle.call_soon(call), handle.call_later(1, call)
      for _, h in ipairs { soon, later } do
        assert.is_false(h:cancelled())
        h:cancel()
        h:cancel()
        assert.is_true(h:cancelled())
      end
      async.sleep(2)
      assert.is_false(called)
    end)

    it("works when its time has come but it was not called yet", function()
      local called, second = false, nil
      handle.call_later(1, function()
        second:cancel()
      end)
      second = handle.call_later(1, function()
        called = true
      end)
      async.sleep(2)
      assert.is_false(called)
    end)

    it("after the call does nothing", function()
      local h = handle.call_soon(function() end)
      async.sleep(0)
      h:cancel()
      async.sleep(0)
      assert.is_true(h:cancelled())
    end)

    it("works inside its own call", function()
      local h
      h = handle.call_soon(function()
        h:cancel()
        collectgarbage()
      end)
      async.sleep(1)
      assert.is_true(h:cancelled())
    end)
  end)

  describe("garbage collection", function()
    it("does not take one that is due", function()
      local called = 0
      for i = 1, 100 do
        handle.call_later(i % 3, function()
          called = called + 1
        end)
      end
      collectgarbage()
      async.sleep(1)
      collectgarbage()
      async.sleep(2)
      assert.equal(100, called)
    end)
  end)

  describe("arguments", function()
    it("are a function, and a time that is a number", function()
      assert.is_false(pcall(handle.call_soon, 5))
      assert.is_false(pcall(handle.call_later, "x", print))
      assert.is_false(pcall(handle.call_later, 0 / 0, print))
      assert.is_false(pcall(handle.call_at, 1, nil))
    end)
  end)
end)
