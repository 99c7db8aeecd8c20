--- The book of a symbol as its ticks tell it: the size at each price, bids and asks.
--
-- A tick that is no trade sets the size of its price, 0 removes it. What we take is gone from it until the feed tells
-- of that price again. A level that reaches the other side takes away those that it reaches: they are of the past, and
-- where a feed did not say so they would be offers that nobody makes. A side is a list of prices, the best one last, so
-- that what happens near the best is cheap.

local amount = require "strobe.broker.amount"

-- Prices on each side; beyond these the worst is forgotten.
local LIMIT = 10000

local UNITS, floor = amount.UNITS, math.floor

---@class strobe.broker.Side
---@field sizes table<number, integer> units by price
---@field sign 1|-1 1 for bids: higher is better
---@field [integer] number prices, the best one last

---@class strobe.broker.Book
---@field bids strobe.broker.Side
---@field asks strobe.broker.Side
---@field last? number price of the last trade
local Book = {}
Book.__index = Book

--- Makes an empty one.
---@return strobe.broker.Book
function Book.new()
  return setmetatable({ bids = { sizes = {}, sign = 1 }, asks = { sizes = {}, sign = -1 } }, Book)
end

-- The first place whose price is not worse.
local function find(side, price)
  local sign, low, high = side.sign, 1, #side + 1
  if side[1] and (side[#side] - price) * sign < 0 then
    return high
  end
  while low < high do
    local middle = (low + high) // 2
    if (side[middle] - price) * sign < 0 then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

--- Sets the size of a price.
---@param side strobe.broker.Side
---@param price number
---@param size integer units; 0 removes it
function Book.set(side, price, size)
  local sizes = side.sizes
  local known = sizes[price]
  if size > 0 then
    sizes[price] = size
    if not known then
      table.insert(side, find(side, price), price)
      if #side > LIMIT then
        sizes[table.remove(side, 1)] = nil
      end
    end
  elseif known then
    sizes[price] = nil
    table.remove(side, find(side, price))
  end
end

--- A change of a level.
---@param tick strobe.tectonic.Tick
---@return strobe.broker.Side side that has changed
---@return integer size units
function Book:apply(tick)
  local side, other, price = self.asks, self.bids, tick.price
  if tick.is_bid then
    side, other = other, side
  end
  local size, known = floor(tick.size * UNITS + 0.5), side.sizes[price]
  if known and size > 0 then
    side.sizes[price] = size
    return side, size -- it has reached nothing before
  elseif known or size > 0 then
    Book.set(side, price, size)
  end
  local best = other[#other]
  while size > 0 and best and (best - price) * side.sign <= 0 do
    Book.set(other, best, 0)
    best = other[#other]
  end
  return side, size
end

--- What is offered, the best price first, up to a limit.
---@param side strobe.broker.Side
---@param size integer units
---@param limit? number the worst price
---@return {[1]: integer, [2]: number}[] offers sizes and prices
---@return integer left units
function Book.offers(side, size, limit)
  local offers = {}
  for at = #side, 1, -1 do
    local price = side[at]
    if size <= 0 or limit and (price - limit) * side.sign < 0 then
      break
    end
    local here = math.min(size, side.sizes[price])
    offers[#offers + 1] = { here, price }
    size = size - here
  end
  return offers, size
end

--- Takes offers.
---@param side strobe.broker.Side
---@param offers {[1]: integer, [2]: number}[]
function Book.take(side, offers)
  for _, offer in ipairs(offers) do
    local price = offer[2]
    if side.sizes[price] then -- else it was the last trade's
      Book.set(side, price, side.sizes[price] - offer[1])
    end
  end
end

--- The last known price: the middle of the book, else the last trade's.
---@return number?
function Book:mark()
  local bid, ask = self.bids[#self.bids], self.asks[#self.asks]
  if bid and ask then
    return (bid + ask) / 2
  end
  return self.last
end

return Book
