local Strategy = require "spec.support.strategy"
local rules = require "spec.support.strategy_rules"
local market = require "spec.support.market"

describe("the strategy mean_reversion", function()
  -- Around 100 for six seconds; the deviation is below 1 then.
  local function orders_of(parameters, ...)
    local strategy <close> = Strategy.new("mean_reversion", { parameters = parameters })
    strategy:offer("btc_usd", market.trades { 100, 101, 100, 101, 100, 101, ... })
    return strategy.orders, strategy:state()
  end

  it("buys far below the average, and leaves when the price is back", function()
    local orders, state = orders_of({ back = 2 }, 90, 100, 100)
    assert.same({
      "1618677823.000 mean_reversion mean_reversion/7/1 buy btc_usd 1 at market",
      "1618677824.000 mean_reversion mean_reversion/9/1 sell btc_usd 1 at market",
    }, orders)
    assert.equal(0, state.position)
  end)

  it("sells far above it", function()
    local orders, state = orders_of({ back = 2 }, 110)
    assert.matches("sell btc_usd 1 at market$", orders[1])
    assert.equal(-1, state.position)
  end)

  it("stays while the price stays away", function()
    local orders, state = orders_of({ back = 2 }, 90, 80)
    assert.equal(1, #orders)
    assert.equal(1, state.position)
  end)

  it("gives up what does not come back in time", function()
    local orders, state = orders_of({ back = 2, longest = 1 }, 90, 80)
    assert.same({ 2, 0 }, { #orders, state.position })
  end)

  it("does nothing before its average means something", function()
    assert.same({}, (orders_of({ back = 10 }, 90, 80)))
  end)

  for sentence, rule in pairs(rules("mean_reversion", { back = 3 }, { back = 3, enter = 1.5 })) do
    it(sentence, rule)
  end
end)
