--- Trades: round trips of a position, from flat to flat.
--
-- What a fill adds to a position is an entry, what it takes off is an exit; a fill that turns the position closes one
-- trade and opens the next, its fee divided by size. So what a trade has won is what was received less what was paid,
-- and does not depend on which lot was sold first.

-- A position this much smaller than the largest of the trade is the rounding of its sizes.
local ROUNDING = 1e-9
-- So is what was won or lost, by what was turned over.
local NOISE = 1e-13
-- Closed trades that are kept for the list; all are counted.
local MOST = 10000

---@class strobe.backtest.Trade
---@field symbol string
---@field side "long"|"short"
---@field size number      the largest position
---@field entry number     average price
---@field exit number      average price; while it is open, what is left counts at the last price
---@field opened number    time
---@field closed? number   time; nil: it is open
---@field seconds number   how long it took, or takes
---@field fees number
---@field pnl number       fees taken off
---@field fills integer

---@class strobe.backtest.Trades
---@field list strobe.backtest.Trade[] closed ones, in the order of their ends
---@field omitted integer closed ones that are not in the list
---@field closed integer
---@field won integer
---@field lost integer
---@field gains number   of all that won
---@field losses number  of all that lost, 0 or more
---@field best? number
---@field worst? number
---@field open table<string, table> by symbol
---@field private most integer
local Trades = {}
Trades.__index = Trades

local trades = {}

---@param most? integer closed trades that are kept (10,000)
---@return strobe.backtest.Trades
function trades.new(most)
  return setmetatable({
    list = {}, omitted = 0, closed = 0, won = 0, lost = 0, gains = 0, losses = 0, seconds = 0, open = {},
    most = most or MOST,
  }, Trades)
end

local function begin(symbol, signed, time)
  return {
    symbol = symbol, sign = signed > 0 and 1 or -1, opened = time, position = 0, size = 0, fees = 0, fills = 0,
    entry_size = 0, entry_value = 0, exit_size = 0, exit_value = 0,
  }
end

-- What the trade looks like when the rest of its position is worth `price` each.
local function describe(trip, time, price)
  local left = math.abs(trip.position)
  local exit_size, exit_value = trip.exit_size + left, trip.exit_value + left * price
  local pnl = trip.sign * (exit_value - trip.entry_value) - trip.fees
  return {
    symbol = trip.symbol, side = trip.sign > 0 and "long" or "short", size = trip.size,
    entry = trip.entry_value / trip.entry_size, exit = exit_value / exit_size,
    opened = trip.opened, seconds = time - trip.opened, fees = trip.fees, fills = trip.fills,
    pnl = math.abs(pnl) > (exit_value + trip.entry_value) * NOISE and pnl or 0,
  }
end

local function count(self, trade)
  self.closed = self.closed + 1
  self.seconds = self.seconds + trade.seconds
  if trade.pnl > 0 then
    self.won, self.gains = self.won + 1, self.gains + trade.pnl
  elseif trade.pnl < 0 then
    self.lost, self.losses = self.lost + 1, self.losses - trade.pnl
  end
  self.best = math.max(self.best or trade.pnl, trade.pnl)
  self.worst = math.min(self.worst or trade.pnl, trade.pnl)
end

local function close(self, trip, time)
  trip.position = 0
  self.open[trip.symbol] = nil
  local trade = describe(trip, time, 0)
  trade.closed = time
  count(self, trade)
  if #self.list < self.most then
    table.insert(self.list, trade)
  else
    self.omitted = self.omitted + 1
  end
end

local function enter(trip, signed, price, fee)
  local size = math.abs(signed)
  trip.entry_size, trip.entry_value = trip.entry_size + size, trip.entry_value + size * price
  trip.position = trip.position + signed
  trip.size = math.max(trip.size, math.abs(trip.position))
  trip.fees, trip.fills = trip.fees + fee, trip.fills + 1
end

local function leave(trip, signed, price, fee)
  local size = math.abs(signed)
  trip.exit_size, trip.exit_value = trip.exit_size + size, trip.exit_value + size * price
  trip.position = trip.position + signed
  trip.fees, trip.fills = trip.fees + fee, trip.fills + 1
end

--- A fill.
---@param symbol string
---@param signed number size; below 0: sold
---@param price number
---@param fee number
---@param time number
function Trades:fill(symbol, signed, price, fee, time)
  local trip = self.open[symbol]
  if trip and (signed > 0) ~= (trip.sign > 0) then
    local left = math.abs(trip.position)
    local over = math.abs(signed) - left
    if over <= trip.size * ROUNDING then
      leave(trip, signed, price, fee)
      if over >= -trip.size * ROUNDING then
        close(self, trip, time)
      end
      return
    end
    local share = left / math.abs(signed)
    leave(trip, -trip.position, price, fee * share)
    close(self, trip, time)
    signed, fee, trip = signed * (1 - share), fee * (1 - share), nil
  end
  trip = trip or begin(symbol, signed, time)
  self.open[symbol] = trip
  enter(trip, signed, price, fee)
end

--- The trades that are open, as if they ended now.
---@param time number
---@param prices table<string, number> the last of each symbol
---@return strobe.backtest.Trade[] sorted by symbol
function Trades:unfinished(time, prices)
  local list = {}
  for symbol, trip in pairs(self.open) do
    list[#list + 1] = describe(trip, time, prices[symbol])
  end
  table.sort(list, function(a, b)
    return a.symbol < b.symbol
  end)
  return list
end

return trades
