local Backoff = require "strobe.live.feed.backoff"

describe("the pauses between attempts", function()
  it("grow up to half a minute, and vary", function()
    local backoff, longest = Backoff.new(), 0.1
    for _ = 1, 20 do
      local pause = backoff:next()
      assert.is_true(pause >= longest / 2 and pause <= longest, ("%g of %g"):format(pause, longest))
      longest = math.min(longest * 2, 30)
    end
    local different = {}
    for _ = 1, 20 do
      different[backoff:next()] = true
    end
    assert.is_truthy(next(different, next(different)))
  end)

  it("begin anew when data have come", function()
    local backoff = Backoff.new()
    for _ = 1, 10 do
      backoff:next()
    end
    backoff:reset()
    assert.is_true(backoff:next() <= 0.1)
  end)
end)
