local Market = require "strobe.broker.matching"
local amount = require "strobe.broker.amount"

local function level(is_bid, price, size)
  return { ts = 0, seq = 0, is_trade = false, is_bid = is_bid, price = price, size = size }
end

local function trade(price, size)
  return { ts = 0, seq = 0, is_trade = true, is_bid = true, price = price, size = size }
end

local function market_of(...)
  local market = Market.new()
  for _, tick in ipairs { ... } do
    market:tick("btc", tick)
  end
  return market
end

local count = 0

local function order(side, size, price)
  count = count + 1
  return {
    id = "o" .. count, number = count, symbol = "btc", side = side, sign = side == "buy" and 1 or -1,
    kind = price and "limit" or "market", size = amount.of(size), left = amount.of(size), price = price, ahead = 0,
  }
end

-- What an order takes, in numbers: {size, price}…, and what is left.
local function take(market, value)
  local fills, left, code = market:quote(value)
  if not fills then
    return nil, left, code
  end
  market:take(value, fills)
  for _, fill in ipairs(fills) do
    fill[1] = amount.number(fill[1])
  end
  return fills, amount.number(left)
end

-- Lets an order rest, as the broker does.
local function rest(market, value)
  value.ahead = market:queue(value)
  market:rest(value)
  return value
end

-- What a tick fills: sizes by id.
local function filled(market, tick)
  local sizes = {}
  for _, fill in ipairs(market:tick("btc", tick) or {}) do
    sizes[fill[1].id] = amount.number(fill[2])
    fill[1].left = fill[1].left - fill[2]
  end
  return sizes
end

describe("a market order", function()
  it("takes the other side, the best price first", function()
    local market = market_of(level(false, 102, 5), level(false, 101, 1), level(true, 100, 2), level(true, 99, 9))
    assert.same({ { 1, 101 }, { 2, 102 } }, (take(market, order("buy", 3))))
    assert.same({ { 2, 100 }, { 1, 99 } }, (take(market, order("sell", 3))))
  end)

  it("takes no more than there is", function()
    local fills, left = take(market_of(level(false, 101, 1)), order("buy", 3))
    assert.same({ { 1, 101 } }, fills)
    assert.equal(2, left)
  end)

  it("does not take the same twice until the feed tells of it again", function()
    local market = market_of(level(false, 101, 1), level(false, 102, 1))
    take(market, order("buy", 1))
    assert.same({ { 1, 102 } }, (take(market, order("buy", 1))))
    market:tick("btc", level(false, 101, 1))
    assert.same({ { 1, 101 } }, (take(market, order("buy", 1))))
  end)

  it("fills at the last trade's price when there is no book", function()
    assert.same({ { 3, 100.5 } }, (take(market_of(trade(99, 1), trade(100.5, 1)), order("buy", 3))))
  end)

  it("is refused when nothing is known, or that side is empty", function()
    local _, message, code = take(Market.new(), order("buy", 1))
    assert.equal("ENODATA", code)
    assert.matches("no price of btc is known", message)
    _, message, code = take(market_of(level(true, 100, 1), trade(100, 1)), order("buy", 1))
    assert.equal("ENODATA", code)
    assert.matches("the book of btc has no asks", message)
  end)

  it("knows nothing of a level that was removed", function()
    local fills = take(market_of(level(false, 101, 1), level(false, 102, 1), level(false, 101, 0)), order("buy", 1))
    assert.same({ { 1, 102 } }, fills)
  end)
end)

describe("a limit order", function()
  it("takes what is no worse than its price", function()
    local market = market_of(level(false, 101, 1), level(false, 102, 1), level(false, 103, 1))
    local fills, left = take(market, order("buy", 5, 102))
    assert.same({ { 1, 101 }, { 1, 102 } }, fills)
    assert.equal(3, left)
    fills, left = take(market_of(level(true, 101, 1)), order("sell", 1, 102))
    assert.same({}, fills)
    assert.equal(1, left)
  end)

  it("takes at the last trade's price when there is no book and that is no worse", function()
    assert.same({ { 1, 100 } }, (take(market_of(trade(100, 1)), order("buy", 1, 101))))
    assert.same({}, (take(market_of(trade(100, 1)), order("buy", 1, 99))))
    assert.same({}, (take(Market.new(), order("buy", 1, 99))))
  end)
end)

describe("an order that rests", function()
  it("waits until all before it in the queue are served", function()
    local market = market_of(level(true, 100, 3))
    local mine = rest(market, order("buy", 2, 100))
    assert.same({}, filled(market, trade(100, 2)))
    assert.same({ [mine.id] = 1 }, filled(market, trade(100, 2)))
    assert.same({ [mine.id] = 1 }, filled(market, trade(100, 5)))
  end)

  it("moves forward when the level becomes smaller than what was before it", function()
    local market = market_of(level(true, 100, 30))
    local mine = rest(market, order("buy", 2, 100))
    market:tick("btc", level(true, 100, 1))
    assert.same({ [mine.id] = 1 }, filled(market, trade(100, 2)))
  end)

  it("is filled whole when the market trades beyond its price", function()
    local market = market_of(level(true, 100, 30), level(false, 101, 5))
    local bid, ask = rest(market, order("buy", 2, 100)), rest(market, order("sell", 3, 101))
    assert.same({ [bid.id] = 2 }, filled(market, trade(99.9, 0.1)))
    market:remove(bid)
    assert.same({ [ask.id] = 3 }, filled(market, trade(101.1, 0.1)))
  end)

  it("meets a level of the other side that comes to its price, with that level's size", function()
    local market = market_of(level(true, 100, 1))
    local mine = rest(market, order("buy", 2, 100))
    assert.same({ [mine.id] = 1.5 }, filled(market, level(false, 99, 1.5)))
    assert.same({}, filled(market, level(false, 100.5, 9)))
    assert.same({ [mine.id] = 0.5 }, filled(market, level(false, 100, 9)))
    assert.same({ { 8.5, 100 } }, (take(market, order("buy", 8.5, 100))))
  end)

  it("comes after a better price, and after older ones at the same", function()
    local market = market_of(trade(105, 1))
    local worse, old = rest(market, order("buy", 1, 99)), rest(market, order("buy", 1, 100))
    local new = rest(market, order("buy", 1, 100))
    assert.same({ [old.id] = 1, [new.id] = 0.5 }, filled(market, trade(100, 1.5)))
    market:remove(old)
    assert.same({ [new.id] = 0.5, [worse.id] = 0.5 }, filled(market, level(false, 98, 1)))
  end)

  it("is not touched by trades and levels on its own side of the price", function()
    local market = market_of(trade(105, 1))
    rest(market, order("buy", 1, 100))
    rest(market, order("sell", 1, 110))
    assert.same({}, filled(market, trade(100.5, 100)))
    assert.same({}, filled(market, level(true, 100.5, 100)))
    assert.same({}, filled(market, level(false, 109, 100)))
    assert.same({}, filled(market, trade(99, 0)))
  end)
end)
