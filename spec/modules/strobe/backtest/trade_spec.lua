local trades = require "strobe.backtest.trade"

describe("trades", function()
  local book

  before_each(function()
    book = trades.new()
  end)

  it("go from flat to flat", function()
    book:fill("btc", 2, 100, 0.5, 10)
    assert.equal(0, book.closed)
    book:fill("btc", -2, 110, 0.5, 30)
    assert.same({ {
      symbol = "btc", side = "long", size = 2, entry = 100, exit = 110, opened = 10, closed = 30, seconds = 20,
      fees = 1, fills = 2, pnl = 19,
    } }, book.list)
    assert.same({ 1, 1, 0, 19, 0 }, { book.closed, book.won, book.lost, book.gains, book.losses })
  end)

  it("may be short", function()
    book:fill("btc", -3, 50, 0, 1)
    book:fill("btc", 3, 60, 0, 2)
    assert.equal("short", book.list[1].side)
    assert.equal(-30, book.list[1].pnl)
    assert.same({ 0, 1, 30 }, { book.won, book.lost, book.losses })
  end)

  it("average what was bought and sold in parts", function()
    book:fill("btc", 1, 100, 0, 1)
    book:fill("btc", 3, 104, 0, 2)
    book:fill("btc", -2, 110, 0, 3)
    book:fill("btc", -2, 90, 0, 4)
    local trade = book.list[1]
    assert.same({ 4, 103, 100, -12, 4 }, { trade.size, trade.entry, trade.exit, trade.pnl, trade.fills })
  end)

  it("are two when a fill turns the position, its fee by size", function()
    book:fill("btc", 1, 100, 0, 1)
    book:fill("btc", -4, 120, 8, 2)
    assert.same({ 2, 18 }, { book.list[1].fees, book.list[1].pnl })
    local open = book:unfinished(5, { btc = 110 })
    assert.same({ {
      symbol = "btc", side = "short", size = 3, entry = 120, exit = 110, opened = 2, seconds = 3, fees = 6, fills = 1,
      pnl = 24,
    } }, open)
  end)

  it("end although sizes have no exact sum", function()
    book:fill("btc", 0.1, 10, 0, 1)
    book:fill("btc", 0.2, 10, 0, 2)
    book:fill("btc", -0.3, 11, 0, 3)
    assert.equal(1, book.closed)
    assert.same({}, book:unfinished(4, {}))
    book:fill("btc", -0.3, 11, 0, 5)
    book:fill("btc", 0.1, 10, 0, 6)
    book:fill("btc", 0.2, 10, 0, 7)
    assert.equal(2, book.closed)
  end)

  it("of several symbols are apart", function()
    book:fill("b", 1, 10, 0, 1)
    book:fill("a", -1, 20, 0, 2)
    book:fill("b", -1, 12, 0, 3)
    assert.equal("b", book.list[1].symbol)
    assert.equal("a", book:unfinished(4, { a = 19 })[1].symbol)
  end)

  it("without a difference neither won nor lost", function()
    book:fill("btc", 1, 10, 0, 1)
    book:fill("btc", -1, 10, 0, 2)
    assert.same({ 1, 0, 0 }, { book.closed, book.won, book.lost })
    book:fill("btc", 1, 99.96, 0.039984, 3)
    book:fill("btc", -1, 100.04, 0.040016, 4) -- 1.25e-14, as binary fractions
    assert.same({ 2, 0, 0, 0 }, { book.closed, book.won, book.lost, book.list[2].pnl })
  end)

  it("are all counted, and listed up to a number", function()
    book = trades.new(3)
    for i = 1, 10 do
      book:fill("btc", 1, 10, 0, i)
      book:fill("btc", -1, 10 + i, 0, i)
    end
    assert.same({ 3, 7, 10, 55 }, { #book.list, book.omitted, book.closed, book.gains })
    assert.same({ 10, 1 }, { book.best, book.worst })
  end)
end)
