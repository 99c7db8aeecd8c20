local lines = require "strobe.live.feed.lines"

local function parse(text, options)
  local events, broken = {}, {}
  local parser = lines.new("feed", options or {}, function(line, why)
    broken[#broken + 1] = line .. ": " .. why
  end)
  local from = parser:parse(text, function(stream, data, at, seq)
    events[#events + 1] = { stream, at, seq, data }
  end)
  return events, broken, from
end

describe("JSON lines", function()
  it("are messages with the time they came, ticks, or messages as they came", function()
    local events = parse('{"at":5.5,"message":{"stream":"s","data":{"e":"trade","t":9}}}\r\n'
      .. '{"book":"b","ts":6,"seq":1,"is_trade":true,"is_bid":false,"price":1,"size":2}\n{"x":1}\n')
    assert.same({ "s", 5.5, 9, { e = "trade", t = 9 } }, events[1])
    assert.same({ "b", 6, 1, { ts = 6, seq = 1, is_trade = true, is_bid = false, price = 1, size = 2 } }, events[2])
    assert.same({ "feed", nil, nil, { x = 1 } }, events[3])
  end)

  it("that are neither are broken, with a reason", function()
    local _, broken = parse('7\n"x"\nnull\n{"a"\n[1]\n'
      .. '{"book":"b","ts":-6,"seq":1,"is_trade":true,"is_bid":false,"price":1,"size":2}\n')
    assert.equal(6, #broken)
    assert.matches("^1: a JSON object expected", broken[1])
    assert.matches("^6: ts: seconds since 1970 expected", broken[6])
  end)

  it("leave a line alone that has no end yet", function()
    local events, _, from = parse '{"x":1}\n{"x":'
    assert.same({ 1, 9 }, { #events, from })
  end)
end)
