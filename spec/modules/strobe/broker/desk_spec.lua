local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local broker = require "strobe.broker"

-- Ticks of a market: levels and trades.
local function level(is_bid, price, size)
  return { ts = 0, seq = 0, is_trade = false, is_bid = is_bid, price = price, size = size }
end

local function trade(price, size)
  return { ts = 0, seq = 0, is_trade = true, is_bid = true, price = price, size = size }
end

-- A unit that says all it hears, and does as it is told by events of the stream "orders".
local TALKER = [[
  return { version = 1, subscribe = { "btc", "orders", "fills" }, on_event = function(ctx, st, m)
    if m.stream == "orders" then
      local order = m.data
      local effect = ctx.orders[order[1] ](ctx.orders, order[2], order[3], order[4])
      ctx:emit("out", effect.id)
    elseif m.stream == "fills" then
      ctx:emit("out", ("fill of %s: %g at %g, position %g"):format(m.data.order, m.data.size, m.data.price,
        ctx.orders:position "btc"))
    else
      ctx:emit("out", (m.data.is_trade and "trade" or "level") .. " " .. m.data.price)
    end
  end }]]

local function market(options)
  local units = UnitFolder.new { ["mm.lua"] = TALKER }
  local paper = assert(broker.Paper(options))
  paper:attach(units.runtime)
  assert(units:start("mm").verdict == "committed")
  return units, paper
end

describe("orders of a unit", function()
  it("are filled by its ticks, and it hears of that before the next event", function()
    local units <close>, paper = market { fee = 0.001 }
    units:offer("btc", level(false, 101, 2), level(true, 100, 2))
    units:offer("orders", { "buy", "btc", 1 })
    units:offer("btc", level(false, 102, 2))
    assert.same({ "level 101", "level 100", "mm/3/1", "fill of mm/3/1: 1 at 101, position 1", "level 102" },
      units:values())
    assert.equal(-101 - 0.101, paper:account().cash)
  end)

  it("meet the market as the unit has seen it, however many ticks wait", function()
    local units <close> = market()
    units.runtime:offer("btc", level(false, 101, 2))
    units.runtime:offer("orders", { "buy", "btc", 1 })
    units.runtime:offer("btc", level(false, 101, 0))
    units.runtime:offer("btc", level(false, 150, 2))
    async.sleep(0.1)
    assert.same({ "level 101", "mm/2/1", "fill of mm/2/1: 1 at 101, position 1", "level 101", "level 150" },
      units:values())
  end)

  it("that rest are filled before the unit hears of the tick that does it", function()
    local units <close> = market()
    units:offer("btc", level(true, 99, 5))
    units:offer("orders", { "buy", "btc", 1, 100 })
    units:offer("btc", trade(99.5, 0.1))
    assert.same({ "level 99", "mm/2/1", "fill of mm/2/1: 1 at 100, position 1", "trade 99.5" }, units:values())
  end)

  it("can be cancelled", function()
    local units <close>, paper = market()
    units:offer("orders", { "sell", "btc", 1, 100 })
    assert.equal("mm/1/1", paper:orders()[1].id)
    units:offer("orders", { "cancel", "mm/1/1" })
    assert.same({}, paper:orders())
  end)
end)
