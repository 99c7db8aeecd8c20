local json = require "strobe.json"
local messages = require "strobe.live.feed.message"

-- The events of a message as {stream, data, time, seq, first}.
local function take(text, options)
  local events = {}
  local taken = messages.new("feed", options or {}):take(json.decode(text), 100, function(...)
    events[#events + 1] = { ... }
  end)
  return taken and events
end

describe("a message", function()
  it("of a combined stream is an event of that", function()
    assert.same({ { "a@trade", { e = "trade", t = 5 }, 100, 5, 5 } },
      take '{"stream":"a@trade","data":{"e":"trade","t":5}}')
    assert.same({ { "a@aggTrade", { e = "aggTrade", a = 6 }, 100, 6, 6 } },
      take '{"stream":"a@aggTrade","data":{"e":"aggTrade","a":6}}')
  end)

  it("without a stream is an event of the feed", function()
    assert.same({ { "feed", { price = 1 }, 100 } }, take '{"price":1}')
    assert.same({ { "feed", { e = "depthUpdate", U = 1, u = 3 }, 100, 3, 1 } }, take '{"e":"depthUpdate","U":1,"u":3}')
  end)

  it("that answers a request is none", function()
    assert.same({}, take '{"result":null,"id":1}')
    assert.same({}, take '{"error":{"code":2},"id":1}')
  end)

  it("is read along the paths of the options", function()
    local options = { stream = "a.s", seq = "a.n", first = "a.f", data = "a.d", time = "a.t" }
    assert.same({ { "x", 7, 1614009104.208, 9, 8 } },
      take('{"a":{"s":"x","n":9,"f":"8","d":7,"t":1614009104208}}', options))
    assert.same({ { "7", { z = 1 }, 1, 2, 2 } },
      take('{"a":{"s":7,"n":"2","d":{"z":1},"t":"1970-01-01T00:00:01Z"}}', options))
  end)

  it("where a path leads nowhere is of the feed, unnumbered, and of now", function()
    local options = { stream = "a.s", seq = "a.n", time = "a.t" }
    for _, text in ipairs { '{}', '{"a":5}', '{"a":null}', '{"a":{"s":{},"n":1.5,"t":"x"}}', '{"a":{"s":null}}' } do
      local events = take(text, options)
      assert.equal(1, #events)
      assert.same({ "feed", 100 }, { events[1][1], events[1][3] }, text)
      assert.is_nil(events[1][4])
    end
  end)

  it("that is an array is an event for each object", function()
    assert.same({ { "feed", { n = 1 }, 100 }, { "feed", { n = 2 }, 100 } }, take '[{"n":1},{"n":2}]')
  end)

  it("that is neither object nor array of objects is refused", function()
    for _, text in ipairs { "7", '"x"', "null", "true", "[1]" } do
      assert.is_nil(take(text))
    end
  end)
end)
