local charts = require "strobe.backtest.chart"

describe("a chart", function()
  local function draw(options)
    options.name, options.class, options.left = options.name or "Equity", "equity", 50
    options.begin, options.finish = options.begin or 0, options.finish or 100
    return charts.draw(options)
  end

  local function count(text, pattern)
    return select(2, text:gsub(pattern, ""))
  end

  it("goes through its points from left to right", function()
    local svg = draw { points = { { 0, 10 }, { 50, 20 }, { 100, 10 } } }
    assert.equal("M50.0 232.0L513.0 12.0L976.0 232.0", svg:match 'class="line" d="([^"]*)"')
  end)

  it("of one point is a dot", function()
    local svg = draw { points = { { 0, 10 } }, begin = 0, finish = 0 }
    assert.equal(1, count(svg, "<circle"))
    assert.is_nil(svg:find('class="line"', 1, true))
  end)

  it("marks what was bought and sold, and what covers another mark once", function()
    local fills = {}
    for i = 1, 100 do
      fills[i] = { time = 50, price = 15, side = i % 2 == 0 and "buy" or "sell", size = i }
    end
    local svg = draw { points = { { 0, 10 }, { 100, 20 } }, fills = fills }
    assert.equal(1, count(svg, 'class="buy"'))
    assert.equal(1, count(svg, 'class="sell"'))
    assert.matches("<title>sell 1 at 15, 0:50.000</title>", svg, 1, true)
  end)

  it("has room for fills beyond the curve, and for the base", function()
    local fills = { { time = 1, price = 30, side = "buy", size = 1 } }
    local svg = draw { points = { { 0, 10 }, { 100, 10.5 } }, fills = fills, base = 0 }
    for y in svg:gmatch 'y1="([%-%d.]+)"' do
      assert.is_true(tonumber(y) >= 0 and tonumber(y) <= 260)
    end
    assert.equal(1, count(svg, 'class="base"'))
    assert.matches(">30</text>", svg)
  end)

  it("is well-formed whatever its names are", function()
    local svg = draw { points = { { 0, 1 }, { 1, 2 } }, name = [[<script>"'&]] .. "\0\27" }
    assert.matches('aria-label="&lt;script&gt;&quot;&#39;&amp;"', svg, 1, true)
    assert.equal(count(svg, "<text"), count(svg, "</text>"))
    assert.is_nil(svg:find "nan" or svg:find "inf")
  end)

  it("leaves room for its longest label", function()
    local short = charts.margin { points = { { 0, 1 }, { 1, 9 } } }
    assert.is_true(charts.margin { points = { { 0, 0.000001 }, { 1, 0.000002 } } } > short + 30)
  end)
end)
