--- Matching: a market as one party has seen it so far, and that party's orders that rest in it. The rules:
--
-- 1. A market order takes the other side of the book, the best price first. What the book does not hold is cancelled;
--    if it holds nothing, the order is refused. Without any book it fills whole at the last trade's price.
-- 2. A limit order takes what is no worse than its price, in the same way. What is left rests. Without any book it
--    fills whole at the last trade's price when that is no worse.
-- 3. An order that rests has before it in the queue what the book showed at its price when it came. Trades at the
--    price, and levels that shrink below it, bring it forward; then trades at the price fill it, with what they have
--    left.
-- 4. A trade beyond its price fills it whole: all who waited at the price must have been served.
-- 5. A level of the other side that comes to its price or beyond fills it with the level's size.
-- 6. Orders at a better price come first, then older ones. What rests fills at its own price, and pays as a maker;
--    what takes pays as a taker. Our orders do not meet each other.
-- 7. What we take off a level is gone until the feed tells of that level again.

local amount = require "strobe.broker.amount"
local Book = require "strobe.broker.book"

---@class strobe.broker.Market
---@field time? number of its last event
---@field books table<string, strobe.broker.Book>
---@field resting table<string, {buy: table[], sell: table[]}> orders by symbol, those that are served first in front
local Market = {}
Market.__index = Market

--- Makes one that nothing is known of.
---@return strobe.broker.Market
function Market.new()
  return setmetatable({ books = {}, resting = {} }, Market)
end

local function sides_of(book, order)
  if order.side == "buy" then
    return book.asks, book.bids
  end
  return book.bids, book.asks
end

local function no_price(order)
  local text = "order %s: no price of %s is known: its ticks have not come, or the stream has another name"
  return nil, text:format(order.id, order.symbol), "ENODATA"
end

-- The whole, at the price of the last trade.
local function at_last(book, order)
  local last = book.last
  if not last then
    return no_price(order)
  elseif order.price and (last - order.price) * order.sign > 0 then
    return {}, order.size
  end
  return { { order.size, last } }, 0
end

--- What an order that came now would take.
---@param order table as the ledger knows it
---@return {[1]: integer, [2]: number}[]? fills sizes in units and prices; nil when it is refused
---@return integer|string left units, or the message
---@return string? code "ENODATA"
function Market:quote(order)
  local book = self.books[order.symbol]
  if not book then
    if order.kind == "limit" then
      return {}, order.size
    end
    return no_price(order)
  end
  local other, own = sides_of(book, order)
  if not other[1] and not own[1] and (book.last or order.kind == "market") then
    return at_last(book, order)
  elseif not other[1] and order.kind == "market" then
    local text = "order %s: the book of %s has no %s"
    return nil, text:format(order.id, order.symbol, order.side == "buy" and "asks" or "bids"), "ENODATA"
  end
  return Book.offers(other, order.size, order.price)
end

--- An order takes what it was quoted.
---@param order table
---@param fills {[1]: integer, [2]: number}[]
function Market:take(order, fills)
  local book = self.books[order.symbol]
  if book then
    Book.take(sides_of(book, order), fills)
  end
end

--- What is before an order at its price.
---@param order table
---@return integer units
function Market:queue(order)
  local book = self.books[order.symbol]
  if not book then
    return 0
  end
  local _, own = sides_of(book, order)
  return own.sizes[order.price] or 0
end

--- Lets an order rest.
---@param order table
function Market:rest(order)
  local resting = self.resting[order.symbol]
  if not resting then
    resting = { buy = {}, sell = {} }
    self.resting[order.symbol] = resting
  end
  local list, at = resting[order.side], 1
  for i = #list, 1, -1 do
    local better = (list[i].price - order.price) * order.sign
    if better > 0 or better == 0 and list[i].number < order.number then
      at = i + 1
      break
    end
  end
  table.insert(list, at, order)
end

--- Takes an order out that rests.
---@param order table
function Market:remove(order)
  local resting = self.resting[order.symbol]
  local list = resting and resting[order.side] or {}
  for i, other in ipairs(list) do
    if other == order then
      table.remove(list, i)
      return
    end
  end
end

local function fill(fills, order, size)
  fills = fills or {}
  fills[#fills + 1] = { order, size }
  return fills
end

-- Orders of a side that a trade reaches; `size` is what can be filled at its own price.
local function match_trade(fills, list, price, size)
  local ours = 0
  for _, order in ipairs(list) do
    local beyond = (order.price - price) * order.sign
    if beyond < 0 then
      break
    elseif beyond > 0 then
      fills = fill(fills, order, order.left)
    else
      local queue = math.min(order.ahead, size)
      order.ahead = order.ahead - queue
      local here = math.min(size - queue - ours, order.left)
      if here > 0 then
        fills, ours = fill(fills, order, here), ours + here
      end
    end
  end
  return fills
end

-- Orders that a new level of the other side meets.
local function match_level(fills, list, side, price, size)
  for _, order in ipairs(list) do
    if (order.price - price) * order.sign < 0 or size <= 0 then
      break
    end
    local here = math.min(size, order.left)
    fills, size = fill(fills, order, here), size - here
  end
  if fills then
    Book.set(side, price, size)
  end
  return fills
end

-- A level of their own side is as large as this now.
local function bring_forward(list, price, size)
  for _, order in ipairs(list) do
    if order.price == price then
      order.ahead = math.min(order.ahead, size)
    elseif (order.price - price) * order.sign < 0 then
      return
    end
  end
end

--- A tick: what it fills of the orders that rest. They are not changed but for their place in the queue.
---@param symbol string
---@param tick strobe.tectonic.Tick
---@return {[1]: table, [2]: integer}[]? fills orders and sizes in units; nil when there are none
function Market:tick(symbol, tick)
  local book = self.books[symbol]
  if not book then
    book = Book.new()
    self.books[symbol] = book
  end
  local resting = self.resting[symbol]
  if tick.is_trade then
    book.last = tick.price
    local size = amount.of(tick.size)
    if not resting or size < 1 then
      return nil
    end
    return match_trade(match_trade(nil, resting.buy, tick.price, size), resting.sell, tick.price, size)
  end
  local side, size = book:apply(tick)
  if resting then
    bring_forward(tick.is_bid and resting.buy or resting.sell, tick.price, size)
    return match_level(nil, tick.is_bid and resting.sell or resting.buy, side, tick.price, size)
  end
end

return Market
