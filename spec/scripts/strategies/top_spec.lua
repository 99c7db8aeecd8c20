local dice = require "spec.support.dice"

describe("the top of a book", function()
  local top, book

  before_each(function()
    top = dofile "scripts/strategies/top.lua"
    book = top.new()
  end)

  local function level(is_bid, price, size)
    top.apply(book, { is_trade = false, is_bid = is_bid, price = price, size = size })
  end

  it("is not known at first, then the last trade, then the middle of both sides", function()
    assert.same({ n = 3 }, table.pack(top.prices(book)))
    top.apply(book, { is_trade = true, price = 7, size = 1 })
    assert.same({ nil, nil, 7, n = 3 }, table.pack(top.prices(book)))
    level(true, 5, 1)
    assert.same({ 5, nil, 7, n = 3 }, table.pack(top.prices(book)))
    level(false, 8, 1)
    assert.same({ 5, 8, 6.5, n = 3 }, table.pack(top.prices(book)))
  end)

  it("goes to the next price when the best is gone", function()
    for _, price in ipairs { 3, 5, 4 } do
      level(true, price, 1)
    end
    level(true, 5, 0)
    assert.equal(4, (top.prices(book)))
    level(true, 9, 0)
    level(true, 4, 2)
    assert.equal(4, (top.prices(book)))
  end)

  it("believes the newer of two prices that exclude each other", function()
    level(false, 10, 1)
    level(false, 11, 1)
    level(false, 12, 1)
    level(true, 11, 1)
    assert.same({ 11, 12, 11.5, n = 3 }, table.pack(top.prices(book)))
    level(false, 11, 1)
    assert.same({ nil, 11, nil, n = 3 }, table.pack(top.prices(book)))
  end)

  it("keeps a hundred prices of a side, the best ones", function()
    for price = 1, 500 do
      level(true, price, 1)
      level(false, 1000 + price, 1)
    end
    assert.same({ 100, 100, 401 }, { #book.bids, #book.asks, book.bids[1] })
    assert.same({ 500, 1001 }, { (top.prices(book)), (select(2, top.prices(book))) })
  end)

  it("agrees with a model that searches", function()
    for seed = 1, 30 do
      local random, bids, asks = dice(seed), {}, {}
      book = top.new()
      for _ = 1, 200 do
        local is_bid = random(2) == 1
        local price, size = (is_bid and 0 or 50) + random(50), random(3) - 1
        level(is_bid, price, size)
        ;(is_bid and bids or asks)[price] = size > 0 and size or nil
        local bid, ask
        for known in pairs(bids) do
          bid = math.max(bid or known, known)
        end
        for known in pairs(asks) do
          ask = math.min(ask or known, known)
        end
        assert.same({ bid, ask }, { (top.prices(book)), (select(2, top.prices(book))) })
      end
    end
  end)
end)
