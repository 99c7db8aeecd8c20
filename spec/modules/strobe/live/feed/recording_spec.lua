local json = require "strobe.json"
local recordings = require "strobe.live.feed.recording"

local TICKS = "book,ts,seq,is_trade,is_bid,price,size\r\na,1618677817.119,1,f,t,0.5,2\nbroken\n"
  .. "b,1618677818,2,true,false,1e-7,4"
local BARS = "\xEF\xBB\xBFtime,symbol,close\n1618677817,A,1.5\n\n1618677818,B\n1618677819,C,x\n"
local MESSAGES = '\xEF\xBB\xBF\n{"at":5,"message":{"stream":"s","data":{"n":1}}}\n{"n":2}\n{\n'
  .. '{"book":"b","ts":6,"seq":1,"is_trade":true,"is_bid":true,"price":1,"size":1}\n'

-- All events of pieces as text, and what was said.
local function read(pieces, options)
  local events, said = {}, {}
  local recording = recordings.new("r", "feed", options or {}, function(text, ...)
    said[#said + 1] = text:format(...)
  end)
  local function hand(stream, data, at, seq, first)
    events[#events + 1] = ("%s %s %s %s %s"):format(stream, at, seq, first, json.encode(data))
  end
  for _, piece in ipairs(pieces) do
    assert(recording:feed(piece, hand))
  end
  assert(recording:finish(hand))
  assert(recording:finish(hand))
  table.sort(events)
  return events, said
end

local function cut(text, size)
  local pieces = {}
  for from = 1, #text, size do
    pieces[#pieces + 1] = text:sub(from, from + size - 1)
  end
  return pieces
end

describe("a recording", function()
  it("is the same whole, split and byte by byte", function()
    for _, text in ipairs { TICKS, BARS, MESSAGES } do
      local events, said = read { text }
      assert.is_true(#events >= 2 and #said == 1)
      for size = 1, 40 do
        local again, said_again = read(cut(text, size))
        assert.equal(#events, #again)
        for i, event in ipairs(events) do
          assert.equal(event:match "^%S+ %S+ %S+", again[i]:match "^%S+ %S+ %S+")
        end
        assert.same(said, said_again)
      end
    end
  end)

  it("counts its lines, whatever they are", function()
    for text, place in pairs { [TICKS] = "r:3: ", [BARS] = "r:4: 3 fields expected, got 2", [MESSAGES] = "r:4: " } do
      local _, said = read { text }
      assert.matches(place, said[1], 1, true)
    end
  end)

  it("refuses a header that is none", function()
    local events, said = read { "1,2,3\n4,5,6\n" }
    assert.same({}, events)
    assert.equal(2, #said)
    assert.matches("a header with names of columns, expected", said[1], 1, true)
  end)

  it("survives bytes of any kind", function()
    local dice = require("strobe.live.random").new(1, "recording", 1, "spec")
    for _, first in ipairs { "", "{", "a,", TICKS, BARS, MESSAGES } do
      for _ = 1, 40 do
        local bytes = { first }
        for i = 2, 300 do
          bytes[i] = string.char(dice:draw(4) == 1 and 10 or dice:draw(3) == 1 and 44 or dice:draw(0, 255))
        end
        local recording = recordings.new("r", "feed", { broken = "100000" }, function() end)
        local text = table.concat(bytes)
        for _, piece in ipairs(cut(text, dice:draw(50))) do
          assert(recording:feed(piece, function(stream)
            assert.is_string(stream)
          end))
        end
        assert(recording:finish(function() end))
      end
    end
  end)

  it("passes on what its receiver raises", function()
    local recording = recordings.new("r", "feed", {}, function() end)
    local ok, e = pcall(recording.feed, recording, TICKS, function()
      error { mine = true }
    end)
    assert.is_false(ok)
    assert.is_true(e.mine)
  end)
end)
