--- What every strategy must keep to, whatever it does: its orders follow from the ticks alone.

local assert = require "luassert"
local Strategy = require "spec.support.strategy"
local market = require "spec.support.market"

--- Rules for one, as functions by sentences for `it`. parameters: so that it does something on 300 moments of a made-up
--- market; other: those it is given later.
return function(name, parameters, other)
  local function text_of(strategy)
    return table.concat(strategy.orders, "\n") .. "\n" .. table.concat(strategy.lines, "\n")
  end

  local function run(seed, how)
    local strategy <close> = Strategy.new(name, { parameters = parameters })
    how(strategy, market.ticks(seed, 300))
    assert.same({}, strategy.logged)
    return text_of(strategy), strategy:state()
  end

  -- The ticks before and after one at which something happens in between.
  local function split(ticks, at)
    return { table.unpack(ticks, 1, at) }, { table.unpack(ticks, at + 1) }
  end

  local function plainly(strategy, ticks)
    strategy:offer("btc_usd", ticks)
  end

  local rules = {}

  rules["does the same when ticks queue as when it is through with each"] = function()
    for seed = 1, 5 do
      local text, state = run(seed, plainly)
      assert.is_true(#text > 50)
      local text_of_each, state_of_each = run(seed, function(strategy, ticks)
        strategy:offer("btc_usd", ticks, true)
      end)
      assert.equal(text, text_of_each)
      assert.same(state, state_of_each)
    end
  end

  rules["does the same when it is reloaded in the middle as when not"] = function()
    for seed = 1, 5 do
      local text, state = run(seed, plainly)
      for _, at in ipairs { 1, 100, 517, 518, 700 } do
        local reloaded, state_of_reloaded = run(seed, function(strategy, ticks)
          local before, after = split(ticks, at)
          strategy:offer("btc_usd", before)
          assert.equal("committed", strategy:reload(parameters).verdict)
          strategy:offer("btc_usd", after)
        end)
        assert.equal(text, reloaded)
        assert.same(state, state_of_reloaded)
      end
    end
  end

  rules["takes other parameters over while it runs, and keeps its position"] = function()
    local strategy <close> = Strategy.new(name, { parameters = parameters })
    local before, after = split(market.ticks(3, 300), 500)
    strategy:offer("btc_usd", before)
    local state = strategy:state()
    local report = strategy:reload(other)
    assert.equal("committed", report.verdict)
    assert.same({}, report.warnings)
    assert.same(state, strategy:state())
    local shown = strategy.runtime.units[name].run.generation.contract.parameters
    for parameter, value in pairs(other) do
      assert.equal(value, shown[parameter])
    end
    strategy:offer("btc_usd", after)
    assert.not_equal((run(3, plainly)), text_of(strategy))
  end

  return rules
end
