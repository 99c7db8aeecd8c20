local subscriber = require "strobe.tectonic.subscriber"

local function counters()
  return { published = 0, delivered = 0, dropped = 0, discarded = 0 }
end

describe("subscriber", function()
  describe("poll", function()
    it("gives updates in order, then nothing", function()
      local one = subscriber.new("btc", 10, counters())
      one:offer("a")
      one:offer("b")
      assert.equal(2, one:queued())
      assert.equal("a", one:poll())
      assert.equal("b", one:poll())
      assert.is_nil(one:poll())
      assert.equal(2, one.delivered)
    end)

    it("has lost the oldest updates when the queue was full, and tells how many", function()
      local sums = counters()
      local one = subscriber.new("btc", 2, sums)
      for i = 1, 5 do
        one:offer("update " .. i)
      end
      assert.equal(3, one.dropped)
      assert.equal("update 4", one:poll())
      assert.equal("update 5", one:poll())
      assert.same({ published = 5, delivered = 2, dropped = 3, discarded = 0 }, sums)
    end)
  end)

  describe("push", function()
    it("gets every update at once, and may refuse one", function()
      local sums, got = counters(), {}
      local one = subscriber.new("btc", 2, sums, function(update)
        got[#got + 1] = update
        return update ~= "b"
      end)
      one:offer("a")
      one:offer("b")
      one:offer("c")
      assert.same({ "a", "b", "c" }, got)
      assert.same({ published = 3, delivered = 2, dropped = 1, discarded = 0 }, sums)
      assert.equal(0, one:queued())
    end)

    it("counts as taken when it returns nothing", function()
      local one = subscriber.new("btc", 2, counters(), function() end)
      one:offer("a")
      assert.equal(1, one.delivered)
    end)

    it("is never called again after it raised", function()
      local sums, calls = counters(), 0
      local one = subscriber.new("btc", 2, sums, function()
        calls = calls + 1
        error("broken pipe", 0)
      end)
      one:offer("a")
      one:offer("b")
      assert.equal(1, calls)
      assert.equal("broken pipe", one.failure)
      assert.is_true(one.closed)
      assert.same({ published = 1, delivered = 0, dropped = 1, discarded = 0 }, sums)
    end)
  end)

  describe("close", function()
    it("counts what was queued as discarded, once", function()
      local sums = counters()
      local one = subscriber.new("btc", 9, sums)
      one:offer("a")
      one:offer("b")
      one:close()
      one:close()
      one:offer("c")
      assert.is_nil(one:poll())
      assert.same({ published = 2, delivered = 0, dropped = 0, discarded = 2 }, sums)
    end)
  end)
end)
