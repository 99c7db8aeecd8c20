local Book = require "strobe.broker.book"
local amount = require "strobe.broker.amount"
local dice = require "spec.support.dice"

local function level(is_bid, price, size)
  return { is_trade = false, is_bid = is_bid, price = price, size = size }
end

describe("a book", function()
  it("has its best prices last, whatever comes, and no price twice", function()
    local random, book, model = dice(3), Book.new(), { [true] = {}, [false] = {} }
    for _ = 1, 5000 do
      local is_bid, price, size = random(2) == 1, random(60), random(4) - 1
      price = is_bid and price or price + 60
      book:apply(level(is_bid, price, size))
      model[is_bid][price] = size > 0 and amount.of(size) or nil
    end
    for is_bid, sizes in pairs(model) do
      local side, prices = is_bid and book.bids or book.asks, {}
      for price in pairs(sizes) do
        prices[#prices + 1] = price
      end
      table.sort(prices, function(a, b)
        return (a - b) * side.sign < 0
      end)
      assert.same(sizes, side.sizes)
      assert.same(prices, table.move(side, 1, #side, 1, {}))
    end
  end)

  it("forgets the worst prices when there are too many", function()
    local book = Book.new()
    for price = 1, 10100 do
      book:apply(level(true, price, 1))
      book:apply(level(false, price + 20000, 1))
    end
    assert.equal(10000, #book.bids)
    assert.same({ 101, 10100 }, { book.bids[1], book.bids[#book.bids] })
    assert.same({ 30000, 20001 }, { book.asks[1], book.asks[#book.asks] })
    assert.is_nil(book.asks.sizes[30100])
    assert.is_nil(book.bids.sizes[100])
  end)

  it("loses the levels of the other side that a new one reaches", function()
    local book = Book.new()
    for price = 101, 105 do
      book:apply(level(false, price, 1))
    end
    book:apply(level(true, 103, 1))
    assert.same({ 105, 104 }, table.move(book.asks, 1, #book.asks, 1, {}))
    book:apply(level(true, 105, 0))
    assert.equal(2, #book.asks)
    book:apply(level(false, 102, 1))
    assert.same({}, table.move(book.bids, 1, #book.bids, 1, {}))
    assert.equal(102, book.asks[#book.asks])
  end)

  it("is marked at its middle, else at the last trade", function()
    local book = Book.new()
    assert.is_nil(book:mark())
    book.last = 7
    book:apply(level(true, 5, 1))
    assert.equal(7, book:mark())
    book:apply(level(false, 6, 1))
    assert.equal(5.5, book:mark())
  end)
end)
