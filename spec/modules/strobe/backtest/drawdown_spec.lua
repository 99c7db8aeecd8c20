local dice = require "spec.support.dice"
local drawdowns = require "strobe.backtest.drawdown"

describe("drawdown", function()
  local function of(values)
    local drawdown = drawdowns.new()
    for time, equity in ipairs(values) do
      drawdown:add(time, equity)
    end
    return drawdown
  end

  it("is nothing while equity rises", function()
    local drawdown = of { 10, 10, 11, 15 }
    assert.equal(0, drawdown.current)
    assert.is_nil(drawdown.deepest)
  end)

  it("tells when the deepest fall began, was lowest and ended", function()
    --                   1    2    3    4   5    6    7    8    9
    local drawdown = of { 100, 120, 110, 90, 100, 120, 119, 130, 125 }
    assert.same({ depth = 30, peak = 120, begin = 2, low = 4, recovered = 6 }, drawdown.deepest)
    assert.equal(5, drawdown.current)
  end)

  it("counts from the last of several equal peaks", function()
    assert.equal(3, of({ 5, 7, 7, 6 }).deepest.begin)
  end)

  it("goes on at the end when the peak was not reached again", function()
    local drawdown = of { 100, 40, 60 }
    assert.same({ depth = 60, peak = 100, begin = 1, low = 2 }, drawdown.deepest)
    assert.equal(40, drawdown.current)
  end)

  it("of debts is a fall like any other", function()
    assert.same({ depth = 5, peak = -5, begin = 1, low = 2 }, of({ -5, -10 }).deepest)
  end)

  it("is the largest loss between any two times", function()
    for seed = 1, 50 do
      local random, values, most = dice(seed), {}, 0
      for i = 1, 60 do
        values[i] = random(100)
        for before = 1, i - 1 do
          most = math.max(most, values[before] - values[i])
        end
      end
      assert.equal(most, of(values).deepest.depth, "seed " .. seed)
    end
  end)
end)
