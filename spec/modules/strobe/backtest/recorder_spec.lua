local backtest = require "strobe.backtest"
local dice = require "spec.support.dice"

describe("a recorder", function()
  local function trade(price)
    return { is_trade = true, price = price, size = 1 }
  end

  local function fill(side, size, price, time, fee)
    return { symbol = "btc", side = side, size = size, price = price, time = time, fee = fee }
  end

  -- Steps: {time, price} is a tick, a table with `side` a fill.
  local function run(options, steps)
    local recorder = backtest.Recorder(options)
    for _, step in ipairs(steps) do
      if step.side then
        recorder:fill(step)
      else
        recorder:event("btc", trade(step[2]), step[1])
      end
    end
    return recorder:finish()
  end

  it("of nothing has a result, too", function()
    local result = backtest.Recorder():finish()
    local totals = result.totals
    assert.same({ 0, 0, 0, 0, 0, 0 }, { totals.pnl, totals.trades, totals.fills, totals.ticks, totals.exposure,
      result.time.seconds })
    assert.same({}, { totals.win_rate, totals.profit_factor, totals.total_return, result.sharpe.value })
    assert.same({ {}, {}, {}, {} }, { { table.unpack(result.equity) }, { table.unpack(result.trades) },
      { table.unpack(result.prices) }, { table.unpack(result.fills) } })
  end)

  it("of ticks without a trade stays at its capital", function()
    local result = run({ cash = 500 }, { { 10, 100 }, { 20, 150 } })
    assert.same({ 500, 0, 0, 2 }, { result.totals.equity, result.totals.pnl, result.totals.total_return,
      result.totals.ticks })
    assert.same({ { 10, 500 }, { 20, 500 } }, { table.unpack(result.equity) })
    assert.same({ current = 0, depth = 0 }, result.drawdown)
    assert.same({ "btc", false }, { result.prices[1].symbol, result.prices[1].traded })
  end)

  it("counts one trade to the cent", function()
    -- Bought 2 at 100 for a fee of 1, worth 210, then 190; sold at 120 for a fee of 1.
    local result = run({ cash = 1000 }, {
      { 0, 100 }, fill("buy", 2, 100, 10, 1), { 20, 105 }, { 30, 95 }, { 40, 120 }, fill("sell", 2, 120, 40, 1),
      { 100, 90 },
    })
    local totals = result.totals
    assert.same({ 1038, 38, 0.038 }, { totals.equity, totals.pnl, totals.total_return })
    assert.same({ 38, 0, 2, 440 }, { totals.realised, totals.unrealised, totals.fees, totals.turnover })
    assert.same({ 1, 1, 0, 1 }, { totals.trades, totals.won, totals.lost, totals.win_rate })
    assert.is_nil(totals.profit_factor)
    assert.near(0.3, totals.exposure, 1e-12)
    assert.same({ 2, 5 }, { totals.fills, totals.ticks })
    assert.same({ { 0, 1000 }, { 10, 1000 - 1 }, { 20, 1009 }, { 30, 989 }, { 40, 1039 }, { 40, 1038 }, { 100, 1038 } },
      { table.unpack(result.equity) })
    -- From 1009 at 20 to 989 at 30, back at 40.
    assert.same({ current = 1, depth = 20, share = 20 / 1009, peak = 1009, begin = 20, low = 30, recovered = 40 },
      result.drawdown)
    assert.same({ begin = 0, finish = 100, seconds = 100 }, result.time)
  end)

  it("counts a losing day", function()
    -- +10, -30, -20: 40 lost net.
    local result = run({ cash = 100 }, {
      { 0, 50 }, fill("buy", 1, 50, 1), { 2, 60 }, fill("sell", 1, 60, 2),
      fill("sell", 1, 60, 3), { 4, 90 }, fill("buy", 1, 90, 4),
      fill("buy", 1, 90, 5), { 6, 70 }, fill("sell", 1, 70, 6),
    })
    local totals = result.totals
    assert.same({ -40, -0.4, 3, 1, 2 }, { totals.pnl, totals.total_return, totals.trades, totals.won, totals.lost })
    assert.near(0.2, totals.profit_factor, 1e-12)
    assert.near(1 / 3, totals.win_rate, 1e-12)
    assert.near(-40 / 3, totals.average, 1e-12)
    assert.same({ 10, -30 }, { totals.best, totals.worst })
    -- 110 until the short sale at 3, which alone changes nothing.
    assert.same({ 50, 110, 3, 6, nil }, { result.drawdown.depth, result.drawdown.peak, result.drawdown.begin,
      result.drawdown.low, result.drawdown.recovered })
    assert.equal(50, result.drawdown.current)
  end)

  it("values a position that is open at the end at the last price", function()
    local result = run({}, { { 0, 10 }, fill("sell", 4, 10, 1, 0.5), { 3, 7 } })
    local totals = result.totals
    assert.same({ 11.5, 11.5, 0, 11.5, 0, 1 }, { totals.pnl, totals.equity, totals.realised, totals.unrealised,
      totals.trades, totals.open })
    assert.is_nil(totals.total_return)
    local open = result.trades[1]
    assert.same({ "short", 4, 10, 7, 1, 2, 11.5 }, { open.side, open.size, open.entry, open.exit, open.opened,
      open.seconds, open.pnl })
    assert.is_nil(open.closed)
  end)

  it("values what was bought before any price came at what was paid", function()
    local result = run({ cash = 10 }, { fill("buy", 1, 10, 5, 1), { 6, 12 } })
    assert.same({ { 5, 10 }, { 5, 9 }, { 6, 11 } }, { table.unpack(result.equity) })
  end)

  it("takes prices from where it is told to", function()
    local recorder = backtest.Recorder { mark = function(stream, data)
      return stream:upper(), data.last
    end }
    recorder:event("eth", { last = 5 }, 1)
    recorder:event("eth", { other = 1 }, 2)
    local result = recorder:finish()
    assert.same({ "ETH", { { 1, 5 } } }, { result.prices[1].symbol, { table.unpack(result.prices[1].points) } })
    assert.equal(2, result.totals.ticks)
  end)

  it("takes the middle of the book when there is one, as the broker does", function()
    local recorder = backtest.Recorder()
    for time, tick in ipairs {
      { is_trade = true, price = 105, size = 1 }, { is_trade = false, is_bid = true, price = 100, size = 3 },
      { is_trade = false, is_bid = false, price = 104, size = 3 }, { is_trade = true, price = 104, size = 1 },
      { is_trade = false, is_bid = false, price = 104, size = 0 },
    } do
      recorder:event("btc", tick, time)
    end
    recorder:event("btc", "text", 6)
    assert.same({ { 1, 105 }, { 2, 105 }, { 3, 102 }, { 4, 102 }, { 5, 104 } },
      { table.unpack(recorder:finish().prices[1].points) })
  end)

  it("ends once", function()
    local recorder = backtest.Recorder()
    recorder:event("btc", trade(1), 1)
    assert.equal(recorder:finish(), recorder:finish())
  end)

  it("names the option that is wrong", function()
    assert.error_matches(function()
      backtest.Recorder { cash = "much" }
    end, "cash: a number expected")
    assert.error_matches(function()
      backtest.Recorder { mark = 5 }
    end, "mark: a function expected")
  end)

  it("keeps no more than its limits, and says what it left out", function()
    local recorder = backtest.Recorder { most = { points = 20, trades = 5, fills = 7 } }
    for i = 1, 1000 do
      recorder:event("btc", trade(i % 10), i)
      recorder:fill(fill(i % 2 == 0 and "sell" or "buy", 1, 10, i))
    end
    for i = 1, 100 do
      recorder:event("other" .. i, trade(1), 1000)
    end
    local result = recorder:finish()
    assert.is_true(#result.equity <= 80 and #result.prices[1].points <= 80)
    assert.same({ 5, 495, 500 }, { #result.trades, result.trades_omitted, result.totals.trades })
    assert.same({ 7, 993, 1000 }, { #result.fills, result.fills_omitted, result.totals.fills })
    assert.equal(32, #result.prices)
  end)

  -- The model knows every value, and counts in whole numbers.
  local Model = {}
  Model.__index = Model

  function Model:fill(step)
    local was = self.position
    local signed = step.side == "buy" and step.size or -step.size
    self.cash, self.fees = self.cash - signed * step.price - step.fee, self.fees + step.fee
    self.position, self.price = was + signed, self.price or step.price
    if self.position == 0 then
      self.won = self.won + (was ~= 0 and self.cash > self.base and 1 or 0)
      self.lost = self.lost + (was ~= 0 and self.cash < self.base and 1 or 0)
      self.base = self.cash
    end
  end

  local function model_of(cash, steps)
    local model = setmetatable({ cash = cash, base = cash, position = 0, fees = 0, won = 0, lost = 0 }, Model)
    local peak, depth, exposed, before, equity = cash, 0, 0, 0, cash
    for _, step in ipairs(steps) do
      local time = step.time or step[1]
      exposed = exposed + (model.position ~= 0 and time - before or 0)
      before = time
      if step.side then
        model:fill(step)
      else
        model.price = step[2]
      end
      equity = model.cash + model.position * model.price
      peak = math.max(peak, equity)
      depth = math.max(depth, peak - equity)
    end
    return { equity, depth, model.fees, model.won, model.lost, exposed, model.position ~= 0 and 1 or 0 }
  end

  it("agrees with a model that keeps everything", function()
    for seed = 1, 60 do
      local random, steps, position, time = dice(seed), { { 0, 100 } }, 0, 0
      for _ = 1, random(300) do
        time = time + random(5) - 1
        if random(3) > 1 then
          steps[#steps + 1] = { time, 50 + random(100) }
        else
          -- Never through zero: how a fee is divided then is not the model's matter.
          local sign = position == 0 and (random(2) * 2 - 3) or random(2) == 1 and position // math.abs(position)
            or -(position // math.abs(position))
          local size = position * sign < 0 and random(math.abs(position)) or random(4)
          position = position + sign * size
          steps[#steps + 1] = fill(sign > 0 and "buy" or "sell", size, 50 + random(100), time, random(3) - 1)
        end
      end
      local result = run({ cash = 1000, most = { points = 16 } }, steps)
      local totals = result.totals
      assert.same(model_of(1000, steps), { totals.equity, result.drawdown.depth, totals.fees, totals.won, totals.lost,
        math.floor(totals.exposure * result.time.seconds + 0.5), totals.open }, "seed " .. seed)
      assert.near(totals.pnl, totals.realised + totals.unrealised, 1e-6)
    end
  end)
end)
