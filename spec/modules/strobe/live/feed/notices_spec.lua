local Notices = require "strobe.live.feed.notices"

describe("the notices of a feed", function()
  it("are so many, and then a number", function()
    local said = {}
    local notices = Notices.new(function(level, text)
      said[#said + 1] = level .. ": " .. text
    end)
    for i = 1, 1000 do
      notices:tell("warning", "gap %d", i)
    end
    assert.equal(10, #said)
    assert.equal("warning: gap 1", said[1])
    notices:flush()
    notices:flush()
    assert.equal(11, #said)
    assert.matches("990 more such lines", said[11])
  end)
end)
