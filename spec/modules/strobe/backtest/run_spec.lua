local Folder = require "spec.support.folder"
local Strategy = require "spec.support.strategy"
local backtest = require "strobe.backtest"
local broker = require "strobe.broker"
local child = require "spec.support.child"
local feeds = require "strobe.live.feed"
local json = require "strobe.json"
local market = require "spec.support.market"
local program = require("strobe.core.host").program

local RECORDED = "../shared/data/ticks.csv"

describe("a back-test", function()
  local function csv_of(ticks)
    local rows = { "book,ts,seq,is_trade,is_bid,price,size" }
    for i, tick in ipairs(ticks) do
      rows[i + 1] = ("btc_usd,%.3f,%d,%s,%s,%.14g,%.14g"):format(tick.ts, tick.seq, tick.is_trade and "t" or "f",
        tick.is_bid and "t" or "f", tick.price, tick.size)
    end
    return table.concat(rows, "\n") .. "\n"
  end

  -- What follows from the fills alone: no trade, no curve, only sums.
  local function sums_of(fills)
    local sums = { cash = 0, fees = 0, turnover = 0, position = 0, count = #fills }
    for _, fill in ipairs(fills) do
      local sign = fill.side == "buy" and 1 or -1
      sums.cash = sums.cash - sign * fill.size * fill.price - fill.fee
      sums.fees, sums.turnover = sums.fees + fill.fee, sums.turnover + fill.size * fill.price
      sums.position = sums.position + sign * fill.size
    end
    return sums
  end

  -- The figures hang together, and are those of the fills and the account.
  local function check(result, fills, account, start)
    local totals, sums = result.totals, sums_of(fills)
    local last = result.prices[1].points[#result.prices[1].points][2]
    assert.near(start + sums.cash, account.cash, 1e-6)
    assert.near(start + sums.cash + sums.position * last, totals.equity, 1e-6)
    assert.near(totals.equity - start, totals.pnl, 1e-6)
    assert.near(totals.pnl, totals.realised + totals.unrealised, 1e-6)
    -- The broker's own book lacks what we took from it, so its middle may be a little off that of the feed.
    assert.near(account.equity, totals.equity, math.abs(sums.position) * last * 1e-3 + 1e-6)
    assert.near(sums.fees, totals.fees, 1e-6)
    assert.near(sums.turnover, totals.turnover, 1e-6)
    assert.equal(sums.count, totals.fills)
    assert.is_true(totals.won + totals.lost <= totals.trades)
    assert.is_true(result.drawdown.depth >= 0 and totals.exposure >= 0 and totals.exposure <= 1)
    local pnl, open = 0, 0
    for _, trade in ipairs(result.trades) do
      pnl, open = pnl + trade.pnl, open + (trade.closed and 0 or (trade.side == "long" and 1 or -1))
      assert.is_true(trade.seconds >= 0 and trade.size > 0)
    end
    assert.near(totals.pnl, pnl, 1e-6)
    assert.equal(open ~= 0, math.abs(sums.position) > 1e-9)
  end

  local function run(name, parameters, path)
    local feed = assert(feeds.open("replay:" .. path))
    local strategy <close> = Strategy.new(name, { parameters = parameters, feeds = { feed } })
    local recorder = backtest.Recorder()
    recorder:attach(strategy.runtime, strategy.paper)
    strategy.runtime:run_feeds()
    assert(strategy.runtime:wait_feeds())
    local result = recorder:finish()
    check(result, strategy.paper:fills(), strategy.paper:account(), 10000)
    assert.equal(feed:statistics().events, result.totals.ticks)
    assert.equal("replay:" .. path, result.feed)
    assert.same({ name, "committed" }, { result.units[1].name, result.units[1].reloads[1].verdict })
    return result
  end

  local STRATEGIES = {
    ema_cross = { fast = 1, slow = 4 }, mean_reversion = { back = 3 }, market_maker = { spread = 0.03 },
  }

  for name, parameters in pairs(STRATEGIES) do
    it("of " .. name .. " has the figures of its fills", function()
      local folder <close> = Folder.new { ["ticks.csv"] = csv_of(market.ticks(21, 400)) }
      local result = run(name, parameters, folder.path .. "/ticks.csv")
      assert.is_true(result.totals.fills > 0 and result.totals.orders >= 1)
      for parameter, value in pairs(parameters) do
        assert.equal(value, result.units[1].parameters[parameter])
      end
    end)

    it("of " .. name .. " on a recorded market has the figures of its fills", function()
      local file = io.open(RECORDED, "rb")
      if not file then
        pending("there is no recording at " .. RECORDED)
      end
      file:close()
      local settings = { symbol = "cbp_skl_usd" }
      for parameter, value in pairs(parameters) do
        settings[parameter] = value
      end
      if name == "market_maker" then
        settings.tick, settings.skew = 0.0001, 0.001
      end
      local result = run(name, settings, RECORDED)
      assert.is_true(result.totals.fills > 0)
      assert.equal("cbp_skl_usd", result.prices[1].symbol)
      assert.near(30.7, result.time.seconds, 0.1)
    end)
  end

  it("follows the times of events, however far the feed is ahead of the units", function()
    local function recorded(each)
      local strategy <close> = Strategy.new("mean_reversion", { parameters = { back = 3, enter = 1.5 } })
      local recorder = backtest.Recorder()
      recorder:attach(strategy.runtime, strategy.paper)
      strategy:offer("btc_usd", market.ticks(24, 400), each)
      return recorder:finish()
    end
    local paced, hurried = recorded(true), recorded(false)
    assert.is_true(paced.totals.trades > 3)
    for _, name in ipairs { "totals", "drawdown", "sharpe", "trades", "fills" } do
      assert.same(paced[name], hurried[name], name)
    end
    assert.same(paced.equity[#paced.equity], hurried.equity[#hurried.equity])
  end)

  it("tells when parameters were changed, and how", function()
    local strategy <close> = Strategy.new("ema_cross", { parameters = { fast = 1, slow = 4 } })
    local recorder, ticks = backtest.Recorder(), market.ticks(23, 100)
    recorder:attach(strategy.runtime, strategy.paper)
    strategy:offer("btc_usd", { table.unpack(ticks, 1, 200) })
    strategy:reload { fast = 2, slow = 4, short = false }
    strategy:offer("btc_usd", { table.unpack(ticks, 201) })
    local unit = recorder:finish().units[1]
    assert.same({ fast = 2, slow = 4, short = false, band = 0.01, size = 1, symbol = "btc_usd" }, unit.parameters)
    local reload = unit.reloads[2]
    assert.same({ 2, "committed", { "fast 1 → 2", "short true → false" } }, { reload.generation, reload.verdict,
      { table.unpack(reload.changes) } })
    assert.near(ticks[200].ts, reload.time, 1e-3)
    assert.same({ "ema_cross.lua" }, { table.unpack(reload.files) })
  end)

  it("goes on where the account of a journal is", function()
    local paper <close> = assert(broker.Paper { cash = 100 })
    local function level(is_bid, price)
      paper:tick("btc_usd", { ts = 1, seq = 1, is_trade = false, is_bid = is_bid, price = price, size = 10 }, 1)
    end
    level(true, 9)
    level(false, 10)
    assert(paper:place { id = "1", symbol = "btc_usd", side = "buy", size = 2 })
    local strategy <close> = Strategy.new "monitor"
    local recorder = backtest.Recorder()
    recorder:attach(strategy.runtime, paper)
    recorder:event("btc_usd", { is_trade = true, price = 12, size = 1 }, 2)
    level(true, 13)
    level(false, 14)
    assert(paper:place { id = "2", symbol = "btc_usd", side = "sell", size = 2 })
    local result = recorder:finish()
    assert.same({ 100, 106, 1, 6, 1 }, { result.totals.start, result.totals.equity, result.totals.trades,
      result.trades[1].pnl, result.totals.orders })
  end)

  -- The figures of the report are those of the journal, read anew.
  it("by the command writes a report beside a journal which says the same", function()
    if not pcall(require, "strobe.live.command") or not pcall(require, "strobe.broker.journal") then
      pending "this build has no strobe live, or no journal of orders"
    end
    local function read(path)
      local file <close> = assert(io.open(path, "rb"))
      return file:read "a"
    end
    local folder <close> = Folder.new(Strategy.files("market_maker", STRATEGIES.market_maker, {
      ["ticks.csv"] = csv_of(market.ticks(22, 150)),
    }))
    local process <close> = child.spawn(program, { "--clock=virtual", "live", folder.path .. "/market_maker.lua",
      "--feed", "replay:" .. folder.path .. "/ticks.csv", "--broker", "paper:" .. folder.path .. "/orders.journal",
      "--cash", "10000", "--fee", "0.001", "--report", folder.path .. "/out.html" })
    assert.equal(0, process:wait(), process.output.stderr)
    local result = assert(json.decode(read(folder.path .. "/out.json")))
    assert.matches("^<!doctype html>.*<svg.*</html>\n$", read(folder.path .. "/out.html"))
    local paper <close> = assert(broker.Paper { journal = folder.path .. "/orders.journal" })
    local fills, totals = paper:fills(), result.totals
    local sums = sums_of(fills)
    assert.is_true(#fills > 0)
    assert.same({ #fills, paper:placed() }, { totals.fills, totals.orders })
    assert.near(sums.turnover, totals.turnover, 1e-6)
    local last = result.prices[1].points[#result.prices[1].points][2]
    assert.near(10000 + sums.cash + sums.position * last, totals.equity, 1e-6)
    assert.near(sums.turnover * 0.001, totals.fees, 1e-6)
    for i, fill in ipairs(fills) do
      local told = result.fills[i]
      assert.same({ fill.order, fill.side, fill.size, fill.price }, { told.order, told.side, told.size, told.price })
      assert.near(fill.time, told.time, 1e-3)
    end
  end)
end)
