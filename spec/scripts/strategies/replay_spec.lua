local Folder = require "spec.support.folder"
local Strategy = require "spec.support.strategy"
local async = require "strobe.async"
local dice = require "spec.support.dice"
local feeds = require "strobe.live.feed"
local market = require "spec.support.market"
local tectonic = require "strobe.tectonic"

local STRATEGIES = {
  ema_cross = { fast = 1, slow = 4 },
  mean_reversion = { back = 3 },
  market_maker = { spread = 0.03 },
  monitor = { every = 3 },
}

describe("a strategy", function()
  -- Writes down what its feed brings, as a recording.
  local function record(strategy)
    local rows = { "book,ts,seq,is_trade,is_bid,price,size" }
    strategy.runtime:observe(function(stream, tick)
      rows[#rows + 1] = ("%s,%.17g,%d,%s,%s,%.17g,%.17g"):format(stream, tick.ts, tick.seq,
        tick.is_trade and "t" or "f", tick.is_bid and "t" or "f", tick.price, tick.size)
    end)
    return rows
  end

  local function outcome(strategy)
    local account, orders = strategy.paper:account(), strategy:text_of_orders()
    return {
      orders = orders .. "\n" .. table.concat(strategy.lines, "\n"), cash = account.cash, equity = account.equity,
      state = strategy:state(),
    }
  end

  local function replay(name, parameters, rows)
    local folder <close> = Folder.new { ["ticks.csv"] = table.concat(rows, "\n") .. "\n" }
    local feed = assert(feeds.open("replay:" .. folder.path .. "/ticks.csv"))
    local strategy <close> = Strategy.new(name, { parameters = parameters, feeds = { feed } })
    strategy.runtime:run_feeds()
    assert(strategy.runtime:wait_feeds())
    assert.equal(#rows - 1, feed:statistics().events)
    return outcome(strategy)
  end

  -- The ticks come late, in bursts and with pauses, as over a network.
  local function arrive(seed, ticks, deliver)
    local random = dice(seed)
    for _, tick in ipairs(ticks) do
      if random(10) == 1 then
        async.sleep(random(300) / 1000)
      end
      deliver(tick)
    end
    async.sleep(1)
  end

  local function live(name, parameters, seed)
    local strategy <close> = Strategy.new(name, { parameters = parameters })
    local rows = record(strategy)
    arrive(seed, market.ticks(seed, 300), function(tick)
      strategy.runtime:offer("btc_usd", tick, nil, tick.seq)
    end)
    return outcome(strategy), rows
  end

  local function live_from_server(name, parameters, seed)
    local server <close> = assert(tectonic.serve { port = 0 })
    local feed = assert(feeds.open(("tectonic://127.0.0.1:%d/btc_usd?protocol=push"):format(server:port())))
    local strategy <close> = Strategy.new(name, { parameters = parameters, feeds = { feed } })
    local rows, ticks = record(strategy), market.ticks(seed, 60)
    strategy.runtime:run_feeds()
    server:wait_subscribers(1)
    arrive(seed, ticks, function(tick)
      server:insert(tick, "btc_usd")
    end)
    while #rows <= #ticks do
      async.sleep(0.01)
    end
    return outcome(strategy), rows
  end

  for name, parameters in pairs(STRATEGIES) do
    for seed = 11, 13 do
      it(("%s gives the same orders live and in a replay of the same ticks, byte for byte (%d)"):format(name, seed),
        function()
          local expected, rows = live(name, parameters, seed)
          assert.is_true(#expected.orders > 50)
          assert.same(expected, replay(name, parameters, rows))
        end)
    end

    it(name .. " does so with what came from a server", function()
      local expected, rows = live_from_server(name, parameters, 15)
      assert.is_true(#expected.orders > 50)
      assert.same(expected, replay(name, parameters, rows))
    end)
  end

  local has_journal = pcall(require, "strobe.broker.journal")

  it("leaves the same journal, byte for byte", function()
    if not has_journal then
      pending "this build has no journal of orders"
    end
    local folder <close> = Folder.new {}
    local function run(path, how)
      local strategy <close> = Strategy.new("market_maker", { parameters = STRATEGIES.market_maker,
        broker = { time = "tick", cash = 10000, journal = folder.path .. path } })
      how(strategy)
      async.sleep(1)
      strategy.paper:close()
      local file <close> = assert(io.open(folder.path .. path, "rb"))
      return file:read "a"
    end
    local ticks = market.ticks(16, 100)
    local first = run("/live", function(strategy)
      arrive(16, ticks, function(tick)
        strategy.runtime:offer("btc_usd", tick, nil, tick.seq)
      end)
    end)
    assert.is_true(#first > 1000)
    assert.equal(first, run("/replay", function(strategy)
      strategy:offer("btc_usd", ticks)
    end))
  end)
end)
