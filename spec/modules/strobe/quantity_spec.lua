local quantity = require "strobe.quantity"

local function check(f, expected)
  for input, text in pairs(expected) do
    assert.equal(text, f(input))
  end
end

describe("a quantity", function()
  it("of time has three digits, and the unit that suits it", function()
    check(quantity.duration, {
      [0] = "0 s", [1e-9] = "1.00 ns", [3.5e-7] = "350 ns", [1.5e-5] = "15.0 µs", [0.00123] = "1.23 ms",
      [0.0999] = "99.9 ms", [0.5] = "500 ms", [1] = "1.00 s", [59.94] = "59.9 s", [59.96] = "1m 0s", [90.4] = "1m 30s",
      [3600] = "1h 0m", [7384] = "2h 3m", [86400 * 3 + 3600 * 5] = "3d 5h", [-2] = "-2.00 s",
      [math.huge] = "for ever", [1e-12] = "0 s",
    })
    assert.equal("-", quantity.duration(nil))
    assert.equal("-", quantity.duration(0 / 0))
  end)

  it("of things is grouped", function()
    check(quantity.count, {
      [0] = "0", [7] = "7", [999] = "999", [1000] = "1,000", [1234567] = "1,234,567", [-4321] = "-4,321", [12.0] = "12",
      [math.huge] = "inf",
    })
    assert.equal("-", quantity.count(nil))
  end)

  it("of bytes is in units of 1024", function()
    check(quantity.bytes, {
      [0] = "0 B", [1023] = "1023 B", [1024] = "1.00 KiB", [34.5 * 1024 ^ 2] = "34.5 MiB", [2 ^ 31] = "2.00 GiB",
      [-2048] = "-2.00 KiB",
    })
    assert.equal("-", quantity.bytes(nil))
  end)

  it("of rates and parts says what it is of", function()
    check(quantity.rate, { [0] = "0/s", [0.25] = "0.25/s", [12.34] = "12.3/s", [435400.4] = "435,400/s" })
    check(quantity.percent, { [0] = "0%", [0.004] = "0.4%", [0.0001] = "<0.1%", [0.5] = "50%", [1] = "100%" })
    assert.equal("-", quantity.rate(nil))
    assert.equal("-", quantity.percent(nil))
    assert.equal("1 task", quantity.noun(1, "task"))
    assert.equal("1,000 boxes", quantity.noun(1000, "box", "boxes"))
  end)
end)
