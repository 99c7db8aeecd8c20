local dice = require "spec.support.dice"
local ratios = require "strobe.backtest.sharpe"

describe("the Sharpe ratio", function()
  it("is mean by deviation of what each period won", function()
    local sharpe = ratios.new()
    -- Equity at the ends of the seconds: 102, 101, 104, 104. Changes: 2, -1, 3, 0; mean 1, squares 10.
    for _, point in ipairs { { 0, 100 }, { 0.5, 102 }, { 1.5, 101 }, { 2.9, 104 }, { 4, 104 } } do
      sharpe:add(point[1], point[2])
    end
    local result = sharpe:result()
    assert.same({ 1, 4 }, { result.period, result.periods })
    assert.near(1 / math.sqrt(10 / 3), result.value, 1e-12)
    assert.is_nil(result.annual)
  end)

  it("counts the periods in which nothing came", function()
    local sharpe = ratios.new()
    sharpe:add(0, 0)
    sharpe:add(0.5, 10)
    sharpe:add(10, 10)
    assert.equal(10, sharpe:result().periods)
    assert.near(1 / math.sqrt(10), sharpe:result().value, 1e-12) -- 10, then nine times 0: mean 1, deviation √10
  end)

  it("has no value when nothing changed, or too little came", function()
    assert.same({ period = 1, periods = 0 }, ratios.new():result())
    local sharpe = ratios.new()
    for time = 0, 10 do
      sharpe:add(time, 100)
    end
    assert.same({ period = 1, periods = 10 }, sharpe:result())
    sharpe = ratios.new()
    sharpe:add(0, 1)
    sharpe:add(1, 2)
    assert.is_nil(sharpe:result().value)
  end)

  for period, periods_per_year in pairs { [60] = 525600, [3600] = 8760, [86400] = 365 } do
    it("is of the longest period that came 30 times: " .. period .. " s", function()
      local sharpe, random, equity, changes = ratios.new(), dice(period), 1000, {}
      local count = period == 60 and 1700 or 40
      sharpe:add(0, equity)
      for i = 1, count do
        local before = equity
        equity = equity + random(21) - 10
        changes[i] = equity - before
        sharpe:add((i - 0.5) * period, equity)
      end
      sharpe:add(count * period, equity)
      local result = sharpe:result()
      assert.equal(period, result.period)
      local mean, squares = 0, 0
      for _, change in ipairs(changes) do
        mean = mean + change / #changes
      end
      for _, change in ipairs(changes) do
        squares = squares + (change - mean) ^ 2
      end
      local expected = mean / math.sqrt(squares / (#changes - 1))
      if period ~= 60 then
        assert.near(expected, result.value, 1e-9)
        assert.near(expected * math.sqrt(periods_per_year), result.annual, 1e-9)
      end
    end)
  end
end)
