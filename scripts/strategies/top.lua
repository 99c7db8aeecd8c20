-- The top of an order book, kept from its ticks: what strategies here know of a market.
--
--   local top = require "top"
--   st.book = st.book or top.new()            -- plain data, so it lives in st and survives a reload
--   top.apply(st.book, tick)
--   local bid, ask, mid = top.prices(st.book)

local top = {}

-- Prices that are kept on each side; the others are far away.
local DEPTH = 100

-- bids and asks are lists of prices, the best one last; last is the price of the last trade.
function top.new()
  return { bids = {}, asks = {}, last = nil }
end

-- Where a price stands in its side, or would stand. sign: 1 for bids, -1 for asks.
local function find(side, price, sign)
  local low, high = 1, #side + 1
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

local function insert(side, at, price)
  table.insert(side, at, price)
  if #side > DEPTH then
    table.remove(side, 1)
  end
end

-- One tick: a trade, or the new size at a price of the book (0: nothing is left there).
function top.apply(book, tick)
  if tick.is_trade then
    book.last = tick.price
    return
  end
  local side, other, sign = book.bids, book.asks, 1
  if not tick.is_bid then
    side, other, sign = book.asks, book.bids, -1
  end
  local at = find(side, tick.price, sign)
  local known = side[at] == tick.price
  if tick.size == 0 and known then
    table.remove(side, at)
  elseif tick.size > 0 and not known then
    insert(side, at, tick.price)
    -- Nobody bids more than somebody asks: what is in the way is gone, and the feed has not said so.
    while other[1] and (tick.price - other[#other]) * sign >= 0 do
      other[#other] = nil
    end
  end
end

-- The best bid and ask, and the price in the middle; without a book that is the last trade's. nil: not known yet.
function top.prices(book)
  local bid, ask = book.bids[#book.bids], book.asks[#book.asks]
  return bid, ask, bid and ask and (bid + ask) / 2 or book.last
end

return top
