--- The paper broker: ticks matched and orders filled per second, and orders per second through a journal.
-- usage: strobe broker.lua [TICKS [ORDERS]]
-- The journal is in $TMPDIR or /tmp; what its fsync costs is what that disk takes. IN_FLIGHT orders wait at once.
local async = require "strobe.async"
local broker = require "strobe.broker"
local fs = require "strobe.async.fs"
local measure = dofile((arg[0]:match("^.*/") or "") .. "measure.lua")

local IN_FLIGHT, LEVELS = 64, 50
local ticks, orders = tonumber(arg[1] or 200000), tonumber(arg[2] or 20000)

-- A walk: levels near the middle change, every tenth tick is a trade.
local function draw_ticks(count)
  local list, middle = {}, 10000
  math.randomseed(1)
  for i = 1, count do
    middle = middle + math.random(-1, 1)
    local is_bid, is_trade = i % 2 == 0, i % 10 == 0
    local away = is_trade and 0 or math.random(LEVELS)
    list[i] = { ts = i / 1000, seq = i, is_trade = is_trade, is_bid = is_bid,
      price = (middle + (is_bid and -away or away)) / 100, size = is_trade and 1 or math.random(0, 5) }
  end
  return list
end

local list = draw_ticks(ticks)

local function replay(resting)
  local paper = broker.Paper {}
  for i = 1, resting do
    paper:place { id = "far" .. i, symbol = "btc", side = "buy", size = 1, price = i / 100 }
  end
  for i = 1, #list do
    paper:tick("btc", list[i], i)
  end
end

local function place(paper, from, to)
  for i = from, to do
    assert(paper:place { id = "o" .. i, symbol = "btc", side = i % 2 == 0 and "buy" or "sell", size = 1 })
  end
end

local function trade(journal)
  local paper <close> = assert(broker.Paper { journal = journal, fee = 0.0004 })
  paper:tick("btc", { ts = 1, seq = 1, is_trade = true, is_bid = true, price = 100, size = 1 })
  local share, waiting = orders // IN_FLIGHT, {}
  for i = 1, IN_FLIGHT do
    waiting[i] = async.create_task(place, paper, (i - 1) * share + 1, i * share)
  end
  async.gather(table.unpack(waiting))
end

local function trade_with_journal()
  local path = assert(fs.mkdtemp()) .. "/orders.journal"
  trade(path)
  fs.rmtree((path:match "^(.*)/"))
end

local count = orders // IN_FLIGHT * IN_FLIGHT
measure.result("broker_ticks", ticks / measure.best(function() replay(0) end), "ticks/s")
measure.result("broker_ticks_resting", ticks / measure.best(function() replay(100) end), "ticks/s")
measure.result("broker_orders", count / measure.best(trade), "orders/s")
measure.result("broker_orders_journal", count / measure.best(trade_with_journal), "orders/s")
