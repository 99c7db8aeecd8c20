local levels = require "strobe.tectonic.levels"

local function level(side, price, size)
  return { ts = 1, seq = 1, is_trade = false, is_bid = side == "bid", price = price, size = size }
end

local function trade(side, price, size)
  local value = level(side, price, size)
  value.is_trade = true
  return value
end

describe("levels", function()
  describe("apply", function()
    it("sets and removes levels on their side", function()
      local depth = levels.new(10)
      depth:apply(level("bid", 1, 5))
      depth:apply(level("bid", 2, 1))
      depth:apply(level("ask", 3, 7))
      depth:apply(level("bid", 2, 0))
      assert.equal('{"price_decimals":10,"bids":{"10000000000":5.0},"asks":{"30000000000":7.0}}', depth:to_json())
    end)

    it("takes a trade off its level, and ignores one without a level", function()
      local depth = levels.new(10)
      depth:apply(level("ask", 3, 7))
      depth:apply(trade("ask", 3, 2.5))
      depth:apply(trade("bid", 3, 1))
      assert.equal('{"price_decimals":10,"bids":{},"asks":{"30000000000":4.5}}', depth:to_json())
    end)

    it("keeps a bounded number of prices on each side and counts the rest", function()
      local depth = levels.new(2)
      for price = 1, 4 do
        depth:apply(level("bid", price, 1))
        depth:apply(level("ask", price, 1))
      end
      assert.equal(4, depth.dropped)
      depth:apply(level("bid", 1, 0))
      depth:apply(level("bid", 1, 0))
      depth:apply(level("bid", 3, 1))
      depth:apply(level("bid", 4, 1))
      assert.equal('{"price_decimals":10,"bids":{"20000000000":1.0,"30000000000":1.0},'
        .. '"asks":{"10000000000":1.0,"20000000000":1.0}}', depth:to_json())
      assert.equal(5, depth.dropped)
    end)
  end)

  describe("to_json", function()
    it("sorts prices as numbers and cuts them off after ten decimals", function()
      local depth = levels.new(10)
      depth:apply(level("ask", 10, 1))
      depth:apply(level("ask", 9, 1))
      depth:apply(level("ask", 0.001939, 22.85))
      assert.equal('{"price_decimals":10,"bids":{},"asks":{"19389999":22.850000381469727,'
        .. '"90000000000":1.0,"100000000000":1.0}}', depth:to_json())
    end)

    it("stops at the largest and smallest price the original can hold", function()
      local depth = levels.new(10)
      depth:apply(level("bid", 3e38, 1))
      depth:apply(level("bid", -1, 1))
      assert.equal('{"price_decimals":10,"bids":{"0":1.0,"18446744073709551615":1.0},"asks":{}}',
        depth:to_json())
    end)
  end)
end)
