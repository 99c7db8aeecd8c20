local axes = require "strobe.backtest.axis"
local dice = require "spec.support.dice"

describe("an axis", function()
  local function labels(axis)
    local list = {}
    for i, tick in ipairs(axis.ticks) do
      list[i] = tick.label
    end
    return list
  end

  it("of numbers has round ticks around them", function()
    local axis = axes.numbers(9.7, 20.2, 4)
    assert.same({ 5, 25 }, { axis.low, axis.high })
    assert.same({ "5", "10", "15", "20", "25" }, labels(axis))
    assert.same({ "0.000013", "0.000014" }, labels(axes.numbers(0.0000132, 0.0000138, 1)))
    assert.same({ "−200", "0", "200" }, labels(axes.numbers(-150, 150, 2)))
    assert.same({ "59,999.95", "60,000.00", "60,000.05" }, labels(axes.numbers(59999.95, 60000.05, 2)))
  end)

  it("of one number has room around it", function()
    assert.is_true(axes.numbers(100, 100, 4).low < 100 and axes.numbers(100, 100, 4).high > 100)
    assert.is_true(axes.numbers(0, 0, 4).low < 0 and axes.numbers(0, 0, 4).high > 0)
  end)

  it("of numbers holds them, with labels that differ, whatever they are", function()
    local random = dice(1)
    for _ = 1, 300 do
      local low = (random(2000) - 1000) * 10.0 ^ (random(16) - 10)
      local high = low + random(1000) * 10.0 ^ (random(10) - 8)
      local axis, seen = axes.numbers(low, high, 4), {}
      local margin = (axis.high - axis.low) * 1e-6 -- nobody sees that
      assert.is_true(axis.low <= low + margin and axis.high >= high - margin, ("%.17g %.17g"):format(low, high))
      assert.is_true(#axis.ticks >= 2 and #axis.ticks <= 8, ("%g %g: %d"):format(low, high, #axis.ticks))
      for _, label in ipairs(labels(axis)) do
        assert.is_nil(seen[label], label)
        seen[label] = true
      end
    end
  end)

  local BEGIN = 1618617600 -- midnight

  it("of time counts as people do", function()
    assert.same({ "00:00:00", "00:00:05", "00:00:10", "00:00:15" }, labels(axes.times(BEGIN, BEGIN + 17, 5)))
    assert.same({ "00:00", "06:00", "12:00", "18:00", "00:00" }, labels(axes.times(BEGIN, BEGIN + 86400, 5)))
    assert.same({ "15 Apr", "22 Apr", "29 Apr" }, labels(axes.times(BEGIN - 2 * 86400, BEGIN + 16 * 86400, 3)))
    assert.same({ "00:00:00.0", "00:00:00.5", "00:00:01.0" }, labels(axes.times(BEGIN, BEGIN + 1, 3)))
    assert.same({ "0:00", "0:30", "1:00" }, labels(axes.times(0, 61, 3)))
  end)

  it("of time has ticks inside its bounds, and not too many", function()
    local random = dice(2)
    for _ = 1, 300 do
      local begin = BEGIN + random(1000000) / 7
      local finish = begin + random(1000) * 10.0 ^ (random(9) - 4)
      local axis = axes.times(begin, finish, 8)
      assert.is_true(#axis.ticks <= 9)
      for _, tick in ipairs(axis.ticks) do
        assert.is_true(tick.value >= begin - 1e-3 and tick.value <= finish + 1e-3)
      end
    end
  end)

  it("of an instant is a second long", function()
    local axis = axes.times(BEGIN, BEGIN, 5)
    assert.equal(1, axis.high - axis.low)
  end)
end)
