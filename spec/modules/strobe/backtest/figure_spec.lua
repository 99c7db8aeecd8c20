local figures = require "strobe.backtest.figure"

describe("figures", function()
  -- What a function makes of values, as a list of texts.
  local function each(f, ...)
    local texts = {}
    for i, value in ipairs { ... } do
      texts[i] = f(value)
    end
    return texts
  end

  it("of money have cents, and four figures when they are small", function()
    assert.same({ "0.00", "12.35", "1,234,567.89", "−1,000.00", "0.05000", "0.001235", "1.235e−5", "−1.000e−12" },
      each(figures.amount, 0, 12.345678, 1234567.891, -1000, 0.05, 0.00123456, 0.0000123456, -1e-12))
    assert.same({ "+5.00", "−5.00", "0.00" }, each(figures.change, 5, -5, 0))
    assert.equal("–", figures.amount(nil))
  end)

  it("of prices have all their figures and no zeros behind", function()
    assert.same({ "660.5", "0.00001306", "62,179.209", "100", "1,234,567.9", "0", "−0.5" },
      each(figures.exact, 660.5, 0.00001306, 62179.20915, 100, 1234567.891, 0, -0.5))
  end)

  it("show what is no number as such", function()
    assert.same({ "inf", "-inf", "nan" }, { figures.exact(math.huge), figures.amount(-math.huge),
      (figures.exact(0 / 0):gsub("-", "")) })
  end)

  it("of shares are per cents", function()
    assert.same({ "50.0 %", "5.00 %", "−12.3 %", "0.00 %" }, each(figures.percent, 0.5, 0.05, -0.123, 0))
  end)

  it("of spans have two units", function()
    assert.same({ "0.42 s", "12.5 s", "3 min 20 s", "2 h 05 min", "4 d 3 h" },
      each(figures.span, 0.42, 12.5, 200.7, 7500, 4 * 86400 + 3 * 3600 + 59))
  end)

  it("of times are UTC, or count from the start", function()
    assert.equal("2021-04-17 16:43:37.119", figures.date(1618677817.119, 3))
    assert.equal("16:43:37", figures.clock(1618677817.119))
    assert.equal("16:44:00.000", figures.clock(1618677839.9999, 3))
    assert.same({ "0:05", "2:03", "1:00:01" }, each(figures.date, 5, 123, 3601))
    assert.equal("0:00.500", figures.clock(0.5, 3))
  end)
end)
