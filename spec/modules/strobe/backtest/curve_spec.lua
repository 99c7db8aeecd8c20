local curves = require "strobe.backtest.curve"
local dice = require "spec.support.dice"

describe("a curve", function()
  local function filled(most, values)
    local curve = curves.new(most)
    for _, value in ipairs(values) do
      curve:add(value[1], value[2])
    end
    return curve
  end

  it("has all values while there is room", function()
    local values = { { 1, 10 }, { 2, 12 }, { 5, 9 }, { 5.5, 9 } }
    assert.same(values, filled(10, values):points())
  end)

  it("has the first, both extremes and the last of one instant", function()
    local values = { { 1, 5 }, { 1, 2 }, { 1, 9 }, { 1, 7 } }
    assert.same(values, filled(10, values):points())
    assert.same({ { 1, 5 } }, filled(10, { { 1, 5 }, { 1, 5 } }):points())
  end)

  it("has no points without values", function()
    assert.same({}, curves.new():points())
    assert.is_nil(curves.new():last())
  end)

  it("takes a time before the last one for the last one", function()
    assert.same({ { 3, 1 }, { 3, 2 } }, filled(10, { { 3, 1 }, { 2, 2 } }):points())
  end)

  it("keeps a spike that lasts for one value of a million", function()
    local curve = curves.new(50)
    for i = 1, 100000 do
      curve:add(i, i == 61234 and 1000 or i == 80001 and -1000 or 0)
    end
    local seen = {}
    for _, point in ipairs(curve:points()) do
      seen[point[2]] = point[1]
    end
    assert.equal(61234, seen[1000])
    assert.equal(80001, seen[-1000])
  end)

  -- The model: every value is at hand.
  it("stays bounded and invents nothing, however the values come", function()
    for seed = 1, 40 do
      local random = dice(seed)
      local most, time = 3 + random(20), 0
      local curve, known, low, high, last = curves.new(most), {}, math.huge, -math.huge, nil
      for _ = 1, random(2000) do
        time = time + (random(10) == 1 and random(100000) or random(3) - 1) / 8
        last = random(1000) - 500
        curve:add(time, last)
        known[time .. " " .. last] = true
        low, high = math.min(low, last), math.max(high, last)
      end
      local points, least, largest, before = curve:points(), math.huge, -math.huge, -math.huge
      assert.is_true(#points <= 4 * most)
      for _, point in ipairs(points) do
        assert.is_true(known[point[1] .. " " .. point[2]], "seed " .. seed)
        assert.is_true(point[1] >= before)
        before, least, largest = point[1], math.min(least, point[2]), math.max(largest, point[2])
      end
      assert.same({ low, high, last }, { least, largest, curve:last() })
      assert.same({ time, last }, points[#points])
    end
  end)
end)
