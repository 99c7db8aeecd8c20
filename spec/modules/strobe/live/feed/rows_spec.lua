local rows = require "strobe.live.feed.rows"

-- Events of a text as {stream, time, seq, data}, and the broken lines.
local function parse(text, options)
  local events, broken = {}, {}
  local parser = rows.new("feed", options or {}, function(line)
    broken[#broken + 1] = line
  end)
  parser:parse(text, function(stream, data, at, seq)
    events[#events + 1] = { stream, at, seq, data }
  end)
  return events, broken
end

describe("rows of CSV", function()
  it("are never made of two broken lines", function()
    local good = "a,1,1,t,f,1,1\n"
    for _, text in ipairs {
      "a\n,1,1,t,f,1,1\n", "a,1\n,1,t,f,1,1\n", "a,1,1,t,f,1\n,1\n", "x\na,1,1,t\n,f,1,1\n", "a,1,1,t,f,\n1,1\n",
    } do
      local events = parse(good .. text .. good)
      assert.equal(2, #events, text)
    end
  end)

  it("of a tick keep integers and floats apart, as they are written", function()
    local events = parse "a,1618677817,1,t,f,5,0.0\n"
    local data = events[1][4]
    assert.same({ "integer", "float", "integer" }, { math.type(data.price), math.type(data.size), math.type(data.seq) })
  end)

  it("leave a line alone that has no end yet", function()
    local parser = rows.new("feed", {}, error)
    assert.equal(15, parser:parse("a,1,1,t,f,1,1\na,1,1,t,f,1,", function() end))
  end)

  it("of another table have their values", function()
    local events, broken = parse "seq,is_bid,name,v\n7,t,t,0.5\n8,f,x,true\n"
    assert.same({}, broken)
    assert.same({ "feed", nil, 7, { seq = 7, is_bid = true, name = "t", v = 0.5 } }, events[1])
    assert.same({ "feed", nil, 8, { seq = 8, is_bid = false, name = "x", v = true } }, events[2])
  end)

  it("with a time that is none are broken", function()
    local _, broken = parse "time,v\nnow,1\n2021-02-30,1\n1618677817,1\n"
    assert.same({ 2, 3 }, broken)
  end)
end)
