local Strategy = require "spec.support.strategy"
local rules = require "spec.support.strategy_rules"

describe("the strategy market_maker", function()
  local PARAMETERS = { spread = 0.2, skew = 0.05, requote = 0.02 }

  local function level(seq, is_bid, price, size)
    return { ts = 1618677817 + seq, seq = seq, is_trade = false, is_bid = is_bid, price = price, size = size or 5 }
  end

  local function trade(seq, price, size)
    return { ts = 1618677817 + seq, seq = seq, is_trade = true, is_bid = true, price = price, size = size or 1 }
  end

  local function run(parameters, ticks)
    local strategy <close> = Strategy.new("market_maker", { parameters = parameters })
    strategy:offer("btc_usd", ticks)
    local orders = {}
    for i, order in ipairs(strategy.orders) do
      orders[i] = order:gsub("^[%d.]+ market_maker ", ""):gsub("[%d.]+$", function(price)
        return ("%.10g"):format(price)
      end)
    end
    return orders, strategy:state(), strategy
  end

  it("quotes both sides of the middle price, once", function()
    local orders = run(PARAMETERS, { level(1, true, 99.95), level(2, false, 100.05), level(3, true, 99.90) })
    assert.same({ "market_maker/2/1 buy btc_usd 1 at 99.9", "market_maker/2/2 sell btc_usd 1 at 100.1" }, orders)
  end)

  it("quotes lower when it has bought", function()
    local orders, state = run(PARAMETERS, { level(1, true, 99.95), level(2, false, 100.05), trade(3, 99.80) })
    -- Event 3 is the fill, at our price; then the middle is 100, less 0.05 for the unit we hold.
    assert.same({
      "market_maker/2/1 buy btc_usd 1 at 99.9", "market_maker/2/2 sell btc_usd 1 at 100.1",
      "market_maker/4/1 buy btc_usd 1 at 99.85", "cancel market_maker/2/2", "market_maker/4/3 sell btc_usd 1 at 100.05",
    }, orders)
    assert.equal(1, state.position)
  end)

  it("does not buy beyond its limit", function()
    local orders, state = run({ spread = 0.2, skew = 0, most = 1 }, { level(1, true, 99.95), level(2, false, 100.05),
      trade(3, 99.80), trade(4, 99.80) })
    assert.same({ "market_maker/2/1 buy btc_usd 1 at 99.9", "market_maker/2/2 sell btc_usd 1 at 100.1" }, orders)
    assert.same({ 1, nil }, { state.position, state.quotes.buy })
  end)

  it("moves its quotes with the price", function()
    local orders = run(PARAMETERS, { level(1, true, 99.95), level(2, false, 100.05), level(3, true, 100.01),
      level(4, true, 100.03), level(5, true, 100.04) })
    -- The middle is 100.03, 100.04, 100.045: a move of 0.02 is not worth it, one of 0.03 is.
    assert.same({ "cancel market_maker/2/1", "market_maker/3/2 buy btc_usd 1 at 99.93", "cancel market_maker/2/2",
      "market_maker/3/4 sell btc_usd 1 at 100.13" }, { table.unpack(orders, 3) })
  end)

  it("never takes what others offer", function()
    local orders = run({ spread = 0.001, tick = 0.01 }, { level(1, true, 99.99), level(2, false, 100) })
    assert.same({ "market_maker/2/1 buy btc_usd 1 at 99.99", "market_maker/2/2 sell btc_usd 1 at 100" }, orders)
  end)

  it("keeps a quote of which a part was filled", function()
    local orders, state = run({ spread = 0.2, skew = 0, size = 4 }, { level(1, true, 99.95), level(2, false, 100.05),
      trade(3, 99.90, 1) })
    assert.equal(2, #orders)
    assert.same({ 1, 3 }, { state.position, state.quotes.buy.left })
  end)

  it("takes its quotes back when it stops, and not when it is reloaded", function()
    local strategy <close> = Strategy.new("market_maker", { parameters = PARAMETERS })
    strategy:offer("btc_usd", { level(1, true, 99.95), level(2, false, 100.05) })
    strategy:reload(PARAMETERS)
    assert.equal(2, #strategy.paper:orders())
    strategy.runtime:close()
    assert.same({}, strategy.paper:orders())
    assert.same({ "cancel market_maker/2/1", "cancel market_maker/2/2" }, { table.unpack(strategy.orders, 3) })
  end)

  it("takes all back after a rollback, and quotes anew", function()
    local strategy <close> = Strategy.new("market_maker", { parameters = PARAMETERS })
    strategy:offer("btc_usd", { level(1, true, 99.95), level(2, false, 100.05) })
    strategy:reload { spread = 0.5, skew = 0.05, requote = 0.02 }
    strategy:offer("btc_usd", { level(3, true, 99.97) })
    strategy.runtime:rollback "market_maker"
    strategy:offer("btc_usd", { level(4, true, 99.98) })
    local resting = {}
    for _, order in ipairs(strategy.paper:orders()) do
      resting[order.id] = true
    end
    local quotes = strategy:state().quotes
    assert.same({ [quotes.buy.id] = true, [quotes.sell.id] = true }, resting)
  end)

  for sentence, rule in pairs(rules("market_maker", { spread = 0.03 }, { spread = 0.05 })) do
    it(sentence, rule)
  end
end)
