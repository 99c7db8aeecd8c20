local Strategy = require "spec.support.strategy"
local rules = require "spec.support.strategy_rules"
local market = require "spec.support.market"

describe("the strategy monitor", function()
  local function lines_of(parameters, prices)
    local strategy <close> = Strategy.new("monitor", { parameters = parameters })
    strategy:offer("btc_usd", market.trades(prices))
    assert.same({}, strategy.orders)
    return strategy.lines
  end

  it("says every few seconds what was traded, and when the price has moved", function()
    assert.same({
      "btc_usd 104 bid - ask -: 5 ticks, 5 trades, volume 5, low 100, high 104",
      "btc_usd 110 bid - ask -: 2 ticks, 2 trades, volume 2, low 109, high 110",
      "btc_usd ALERT: +5.77 % in 5 s",
    }, lines_of({}, { 100, 101, 102, 103, 104, { 5, 109 }, { 6, 110 }, { 11, 111 } }))
  end)

  it("is silent until then", function()
    assert.same({}, lines_of({}, { 100, 101, 102, 103, 104 }))
  end)

  it("looks at the market it is told to", function()
    assert.same({}, lines_of({ symbol = "eth_usd" }, { 100, { 10, 101 } }))
  end)

  for sentence, rule in pairs(rules("monitor", { every = 3 }, { every = 4 })) do
    it(sentence, rule)
  end
end)
