local backtest = require "strobe.backtest"
local statistics = require "strobe.backtest.statistics"

-- The totals after ticks {time, price} and fills {time, side, size, price, fee}.
local function totals_of(options, steps)
  local recorder = backtest.Recorder(options)
  for _, step in ipairs(steps) do
    if step[3] then
      recorder:fill { symbol = "btc", time = step[1], side = step[2], size = step[3], price = step[4], fee = step[5] }
    else
      recorder:event("btc", { is_trade = true, price = step[2], size = 1 }, step[1])
    end
  end
  return statistics.totals(recorder)
end

describe("the totals of a run", function()
  it("of nothing are zeros, and no shares of nothing", function()
    local totals = totals_of({ cash = 100 }, {})
    assert.same({ 100, 100, 0, 0, 0, 0, 0 }, { totals.start, totals.equity, totals.pnl, totals.total_return,
      totals.fees, totals.trades, totals.exposure })
    assert.same({}, { totals.win_rate, totals.profit_factor, totals.average, totals.best, totals.trade_seconds })
    assert.is_nil(totals_of({}, {}).total_return)
  end)

  it("tell what was won and lost, with and without fees, and how long it took", function()
    local totals = totals_of({ cash = 1000 }, {
      { 0, 100 },
      { 10, "buy", 1, 100, 1 }, { 20, "sell", 1, 130, 1 }, -- won 28
      { 30, "sell", 2, 130, 2 }, { 60, "buy", 2, 135, 2 }, -- lost 14
      { 100, 135 },
    })
    assert.same({ 2, 1, 1, 0 }, { totals.trades, totals.won, totals.lost, totals.open })
    assert.same({ 28, 14, 14, 2, 0.5 }, { totals.gains, totals.losses, totals.realised, totals.profit_factor,
      totals.win_rate })
    assert.same({ 28, -14, 7, 20 }, { totals.best, totals.worst, totals.average, totals.trade_seconds })
    assert.same({ 6, 760, 4, 2 }, { totals.fees, totals.turnover, totals.fills, totals.ticks })
    assert.same({ 1014, 14, 0.014, 0.4 }, { totals.equity, totals.pnl, totals.total_return, totals.exposure })
  end)

  it("count what is open at the last price, apart from what was realised", function()
    local totals = totals_of({}, { { 0, 100 }, { 1, "buy", 2, 100, 1 }, { 2, 110 } })
    assert.same({ 1, 0, 19, 0, 19 }, { totals.open, totals.trades, totals.unrealised, totals.realised, totals.pnl })
    assert.is_nil(totals.profit_factor)
  end)

  it("have no factor of gains when nothing was lost", function()
    local totals = totals_of({}, { { 0, "buy", 1, 100 }, { 1, "sell", 1, 101 } })
    assert.same({ 1, nil, 1 }, { totals.gains, totals.profit_factor, totals.win_rate })
  end)
end)
