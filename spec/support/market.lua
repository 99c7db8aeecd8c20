--- Made-up markets for specs: ticks of a book that is never crossed, and trades at its best prices.

local dice = require "spec.support.dice"

local market = {}

-- Prices are counted in cents here, so that they are exact.
local CENTS, DEPTH = 100, 5

local function tick(state, is_trade, is_bid, price, size)
  state.seq = state.seq + 1
  table.insert(state.ticks, {
    ts = state.ms / 1000, seq = state.seq, is_trade = is_trade, is_bid = is_bid, price = price / CENTS, size = size,
  })
end

local function set_level(state, is_bid, price, size)
  local side = is_bid and state.bids or state.asks
  if (side[price] or 0) ~= size then
    side[price] = size > 0 and size or nil
    tick(state, false, is_bid, price, size)
  end
end

-- The levels of a side that are in nobody's way any more, or too far off.
local function clear(state, is_bid, from, to)
  local gone = {}
  for price in pairs(is_bid and state.bids or state.asks) do
    gone[#gone + 1] = (price < from or price > to) and price or nil
  end
  table.sort(gone)
  for _, price in ipairs(gone) do
    set_level(state, is_bid, price, 0)
  end
end

-- The book around a middle price: bids below, asks above.
local function quote(state)
  local middle, random = state.middle, state.random
  clear(state, true, middle - 2 * DEPTH, middle - 1)
  clear(state, false, middle + 1, middle + 2 * DEPTH)
  for step = 1, DEPTH do
    set_level(state, true, middle - step, state.bids[middle - step] or random(9))
    set_level(state, false, middle + step, state.asks[middle + step] or random(9))
  end
end

-- The price follows a wave, and chance.
local function move(state, n)
  local slope = math.sin(n / 60) > 0 and 1 or -1
  state.middle = math.max(20 * DEPTH, state.middle + (state.random(4) == 1 and slope or 0) + state.random(5) - 3)
end

--- Ticks of one market: `count` moments, of some ticks each, whose times are often the same.
---@param seed integer
---@param count integer
---@return strobe.tectonic.Tick[]
function market.ticks(seed, count)
  local random = dice(seed)
  local state = { ticks = {}, seq = 0, ms = 1618677817000, middle = 10000, bids = {}, asks = {}, random = random }
  for n = 1, count do
    state.ms = state.ms + random(400) - 1
    move(state, n)
    quote(state)
    if random(2) == 1 then
      local is_bid = random(2) == 1
      tick(state, true, is_bid, state.middle + (is_bid and -1 or 1), random(5))
    end
  end
  return state.ticks
end

--- Trades at these prices, one second apart or at the times that are given: {time, price}.
---@param prices (number|number[])[]
---@return strobe.tectonic.Tick[]
function market.trades(prices)
  local ticks = {}
  for i, price in ipairs(prices) do
    local at = type(price) == "table" and price[1] or i - 1
    ticks[i] = { ts = 1618677817 + at, seq = i, is_trade = true, is_bid = true, size = 1,
      price = type(price) == "table" and price[2] or price }
  end
  return ticks
end

return market
