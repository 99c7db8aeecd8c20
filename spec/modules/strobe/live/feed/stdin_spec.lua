local async = require "strobe.async"
local feeds = require "strobe.live.feed"
local net = require "strobe.net"
local streams = require "strobe.async.streams"

-- What comes of these pieces on the standard input, of which a pipe takes the place.
local function read(pieces, options)
  local left, right = net.pipe()
  local events, said = {}, {}
  local feed = assert(feeds.open("stdin:" .. (options or "")))
  feed.stream = streams.StreamReader(right)
  feed.log = function(_, text)
    said[#said + 1] = text
  end
  local task = async.create_task(feed.run, feed, function(stream, data, at, seq)
    events[#events + 1] = { stream = stream, data = data, time = at, seq = seq }
  end)
  for _, piece in ipairs(pieces) do
    left:write(piece)
    async.sleep(0.01)
  end
  left:close()
  local done, message, code = task:await()
  right:close()
  return events, { done = done, message = message, code = code, said = said, feed = feed }
end

local CSV = "book,ts,seq,is_trade,is_bid,price,size\na,1618677817.119,1,f,t,0.5,2\na,1618677818,2,t,f,0.25,4\n"

describe("a feed of the standard input", function()
  it("refuses what stands behind its colon", function()
    local _, message, code = feeds.open "stdin:ticks.csv"
    assert.equal("EINVAL", code)
    assert.matches("nothing expected behind 'stdin:'", message)
    assert.equal("EINVAL", select(3, feeds.open "stdin:#broken=x"))
  end)

  it("takes CSV in pieces, cut anywhere, and without a last line's end", function()
    for _, pieces in ipairs { { CSV }, { CSV:sub(1, 50), CSV:sub(51) }, { (CSV:gsub("\n$", "")) } } do
      local events, result = read(pieces)
      assert.is_true(result.done)
      assert.same({ { stream = "a", time = 1618677817.119, seq = 1, data = { ts = 1618677817.119, seq = 1,
        is_trade = false, is_bid = true, price = 0.5, size = 2 } }, { stream = "a", time = 1618677818, seq = 2,
        data = { ts = 1618677818, seq = 2, is_trade = true, is_bid = false, price = 0.25, size = 4 } } }, events)
    end
  end)

  it("takes JSON lines, which have the time at which they come", function()
    local events = read { '{"n":1}\n{"n"', ':2}\n\n[{"n":3},{"n":4}]\n' }
    local numbers = {}
    for i, event in ipairs(events) do
      numbers[i] = event.data.n
      assert.equal("stdin", event.stream)
    end
    assert.same({ 1, 2, 3, 4 }, numbers)
    assert.is_true(events[2].time > events[1].time)
  end)

  it("skips and reports broken lines", function()
    local events, result = read { '{"n":1}\n{"n"\n7\n{"n":2}\n' }
    assert.equal(2, #events)
    assert.equal(2, result.feed:statistics().broken)
    assert.matches("stdin:2: ", result.said[1], 1, true)
    assert.matches("stdin:3: a JSON object expected", result.said[2], 1, true)
    local _, strict = read({ '{"n":1}\nx\n' }, "#broken=0")
    assert.equal("EPROTO", strict.code)
  end)

  it("ends when it is closed, wherever it waits", function()
    local left, right = net.pipe()
    local feed = assert(feeds.open "stdin:")
    feed.stream = streams.StreamReader(right)
    local task = async.create_task(feed.run, feed, function() end)
    async.sleep(1)
    feed:close()
    assert.equal("ECANCELED", select(3, task:await()))
    left:close()
    right:close()
  end)
end)
