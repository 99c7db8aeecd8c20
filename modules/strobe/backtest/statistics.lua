--- The totals of a run.

local statistics = {}

---@class strobe.backtest.Totals
---@field start number      equity at the beginning
---@field equity number     at the end
---@field pnl number        the difference: realised and unrealised
---@field total_return? number pnl as a share of the starting equity; nil without any
---@field realised number   of closed trades, fees taken off
---@field unrealised number of trades that are open: as if they ended at the last price
---@field fees number
---@field turnover number   size times price of all fills
---@field trades integer    closed
---@field open integer      not closed
---@field won integer
---@field lost integer
---@field win_rate? number  share of the closed trades that won; nil without any
---@field profit_factor? number what was won by what was lost; nil when nothing was lost
---@field gains number
---@field losses number
---@field average? number   of closed trades
---@field best? number
---@field worst? number
---@field trade_seconds? number how long a closed trade took on average
---@field exposure number   share of the time with a position
---@field orders? integer
---@field fills integer
---@field ticks integer

local function share(part, whole)
  return whole > 0 and part / whole or nil
end

local function unrealised(recorder)
  local sum = 0
  for _, trade in ipairs(recorder.now and recorder.trades:unfinished(recorder.now, recorder.last) or {}) do
    sum = sum + trade.pnl
  end
  return sum
end

local function count_open(recorder)
  local count = 0
  for _ in pairs(recorder.trades.open) do
    count = count + 1
  end
  return count
end

--- Counts them.
---@param recorder strobe.backtest.Recorder
---@return strobe.backtest.Totals
function statistics.totals(recorder)
  local trades, seconds = recorder.trades, recorder.begin and recorder.now - recorder.begin or 0
  local equity, realised = recorder.equity:last() or recorder.start, trades.gains - trades.losses
  return {
    start = recorder.start, equity = equity, pnl = equity - recorder.start,
    total_return = share(equity - recorder.start, recorder.start),
    realised = realised, unrealised = unrealised(recorder), fees = recorder.fees, turnover = recorder.turnover,
    trades = trades.closed, open = count_open(recorder), won = trades.won, lost = trades.lost,
    win_rate = share(trades.won, trades.closed), profit_factor = share(trades.gains, trades.losses),
    gains = trades.gains, losses = trades.losses, average = share(realised, trades.closed),
    best = trades.best, worst = trades.worst, trade_seconds = share(trades.seconds, trades.closed),
    exposure = share(recorder.exposed, seconds) or 0, orders = recorder.orders,
    fills = recorder.fill_count, ticks = recorder.ticks,
  }
end

return statistics
