local Strategy = require "spec.support.strategy"
local rules = require "spec.support.strategy_rules"
local market = require "spec.support.market"

describe("the strategy ema_cross", function()
  local PARAMETERS = { fast = 1, slow = 2, size = 3 }

  local function orders_of(parameters, prices)
    local strategy <close> = Strategy.new("ema_cross", { parameters = parameters })
    strategy:offer("btc_usd", market.trades(prices))
    return strategy.orders, strategy:state()
  end

  it("buys when the fast average rises above the slow one, and sells twice as much when it falls below", function()
    -- At 4 s: fast 106.32, slow 103.93. At 5 s: fast 96.00, slow 98.45. The fill between them is an event, too.
    local orders, state = orders_of(PARAMETERS, { 100, 100, 100, 100, 110, 90 })
    assert.same({
      "1618677821.000 ema_cross ema_cross/5/1 buy btc_usd 3 at market",
      "1618677822.000 ema_cross ema_cross/7/1 sell btc_usd 6 at market",
    }, orders)
    assert.equal(-3, state.position)
    assert.near(100 + 10 * (1 - math.exp(-1)) * math.exp(-1) - 10 * (1 - math.exp(-1)), state.fast, 1e-9)
  end)

  it("is out instead of short when it is told to", function()
    local orders, state = orders_of({ fast = 1, slow = 2, size = 3, short = false }, { 100, 100, 100, 100, 110, 90 })
    assert.matches("sell btc_usd 3 at market$", orders[2])
    assert.equal(0, state.position)
  end)

  it("does nothing before its averages mean something", function()
    assert.same({}, (orders_of({ fast = 1, slow = 20 }, { 100, 110, 90, 130, 80 })))
  end)

  it("does nothing while the averages are close", function()
    assert.same({}, (orders_of({ fast = 1, slow = 2, band = 3 }, { 100, 100, 100, 100, 110, 105 })))
  end)

  for sentence, rule in pairs(rules("ema_cross", { fast = 1, slow = 4 }, { fast = 2, slow = 3 })) do
    it(sentence, rule)
  end
end)
