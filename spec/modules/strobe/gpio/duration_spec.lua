local duration = require "strobe.gpio.duration"
local errors = require "spec.support.errors"

describe("a duration", function()
  it("is the nearest whole number of nanoseconds", function()
    assert.same({ 0, 1, 1500000000, 100 },
      { duration.ns("t", 0), duration.ns("t", 6e-10), duration.ns("t", 1.5), duration.ns("t", 1e-7) })
    assert.equal("integer", math.type(duration.ns("t", 0.1)))
    assert.equal(0.25, duration.seconds(250000000))
  end)

  it("is refused when it is none, or beyond the end of time", function()
    for _, given in ipairs { -1, 0 / 0, math.huge, 1e10, "1", {} } do
      assert.matches("t: 0 seconds or more expected, got ", errors.raised_by(duration.ns, "t", given))
    end
  end)
end)
