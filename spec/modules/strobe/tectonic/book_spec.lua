local book = require "strobe.tectonic.book"

local function tick(ts)
  return { ts = ts, seq = 1, is_trade = false, is_bid = true, price = 1.0, size = 2.0 }
end

local function filled(last, limit)
  local one = book.new("btc", { limit = limit })
  for ts = 1, last do
    one:append(tick(ts))
  end
  return one
end

local function times(ticks)
  local list = {}
  for i, value in ipairs(ticks) do
    list[i] = value.ts
  end
  return list
end

describe("book", function()
  describe("append", function()
    it("counts rows and keeps them in order of arrival", function()
      local one = filled(3)
      one:append(tick(2))
      assert.equal(4, one:count())
      assert.equal(4, one.total)
      assert.same({ 1, 2, 3, 2 }, times(one:first()))
    end)

    it("drops the oldest row of a full book, counts it, and still counts it in total", function()
      local one = filled(5, 3)
      assert.same({ 3, 4, 5 }, times(one:first()))
      assert.equal(3, one:count())
      assert.equal(2, one:dropped())
      assert.equal(5, one.total)
    end)
  end)

  describe("first and last", function()
    it("give the oldest and the newest rows", function()
      local one = filled(5)
      assert.same({ 1, 2 }, times(one:first(2)))
      assert.same({ 4, 5 }, times(one:last(2)))
    end)

    it("give what there is when asked for more, and nothing when asked for none", function()
      local one = filled(2)
      assert.same({ 1, 2 }, times(one:first(9)))
      assert.same({ 1, 2 }, times(one:last(9)))
      assert.same({}, one:last(0))
      assert.same({}, one:first(0))
    end)
  end)

  describe("range", function()
    it("excludes both bounds", function()
      assert.same({ 3, 4 }, times(filled(6):range(2, 5)))
    end)

    it("finds rows between whole seconds to the millisecond", function()
      local one = book.new("btc")
      for _, ts in ipairs { 1505177459, 1505177459.001, 1505177459.999, 1505177460 } do
        one:append(tick(ts))
      end
      assert.same({ 1505177459.001, 1505177459.999 }, times(one:range(1505177459, 1505177460)))
    end)

    it("finds nothing outside the rows, or the wrong way round", function()
      assert.same({}, filled(3):range(10, 20))
      assert.same({}, filled(3):range(3, 1))
      assert.same({}, book.new("btc"):range(0, 9))
    end)
  end)

  describe("flush", function()
    it("hands over the rows, keeps the total and empties the memory", function()
      local one, written = filled(3), {}
      assert.is_true(one:flush(function(name, ticks)
        written = { name, times(ticks) }
        return true
      end))
      assert.same({ "btc", { 1, 2, 3 } }, written)
      assert.equal(0, one:count())
      assert.equal(3, one.total)
    end)

    it("keeps the rows when they could not be written", function()
      local one = filled(3)
      local ok, message, code = one:flush(function()
        return nil, "disk full"
      end)
      assert.is_nil(ok)
      assert.equal("disk full", message)
      assert.equal("EIO", code)
      assert.equal(3, one:count())
    end)

    it("does not bother the writer with an empty book", function()
      assert.is_true(book.new("btc"):flush(function()
        error("not to be called")
      end))
    end)
  end)

  describe("clear", function()
    it("forgets the rows in memory and counts only the flushed ones", function()
      local one = filled(3)
      one:flush(function() return true end)
      one:append(tick(4))
      assert.equal(4, one.total)
      one:clear()
      assert.equal(0, one:count())
      assert.equal(3, one.total)
    end)

    it("starts a book that was never flushed from nothing", function()
      local one = filled(3)
      one:clear()
      assert.equal(0, one.total)
      one:append(tick(4))
      assert.same({ 4 }, times(one:first()))
    end)
  end)

  describe("levels", function()
    it("replays the rows in memory, then follows the book", function()
      local one = filled(1)
      assert.equal('{"price_decimals":10,"bids":{"10000000000":2.0},"asks":{}}', one:levels():to_json())
      local change = tick(2)
      change.size = 3.5
      one:append(change)
      assert.equal('{"price_decimals":10,"bids":{"10000000000":3.5},"asks":{}}', one:levels():to_json())
    end)
  end)
end)
