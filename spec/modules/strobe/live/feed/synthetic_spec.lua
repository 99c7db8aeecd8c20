local Listener = require "spec.support.listener"
local feeds = require "strobe.live.feed"
local time = require "strobe.core.time"

-- All ticks of a walk, as texts.
local function walk(url)
  local feed, ticks = assert(feeds.open(url)), {}
  assert.is_true(feed:run(function(stream, data, at, seq)
    assert.equal(data.seq, seq)
    assert.equal(data.ts, at)
    ticks[#ticks + 1] = ("%s %.3f %d %s %s %.2f %.2f"):format(stream, data.ts, data.seq, data.is_trade, data.is_bid,
      data.price, data.size)
  end))
  return ticks, feed
end

describe("a synthetic feed", function()
  it("is refused with a reason when its URL cannot be", function()
    for url, reason in pairs {
      ["synthetic:x"] = "a whole number as seed expected",
      ["synthetic:1.5"] = "a whole number as seed expected",
      ["synthetic:1?rate=0"] = "rate: ticks a second above 0, or max expected",
      ["synthetic:1?rate=nan"] = "rate: ",
      ["synthetic:1?count=0"] = "count: a whole number of 1 or more expected",
      ["synthetic:1?count=1.5"] = "count: ",
      ["synthetic:1?start=-1"] = "start: seconds since 1970 expected",
      ["synthetic:1?book=,"] = "book: at least one name expected",
      ["synthetic:1?books=a"] = "there is no option 'books'; there are: book, count, gaps, rate, start",
    } do
      Listener.refuses(url, reason)
    end
  end)

  it("has the same ticks for the same seed, for ever", function()
    local ticks = walk "synthetic:7?count=1000&book=a,b&rate=100"
    assert.same(ticks, (walk "synthetic:7?count=1000&book=a,b&rate=100"))
    assert.not_same(ticks, (walk "synthetic:8?count=1000&book=a,b&rate=100"))
    assert.same({
      "a 1577836800.000 1 true true 100.01 7.76", "a 1577836800.010 2 false false 100.02 2.05",
    }, { ticks[1], ticks[2] })
  end)

  it("comes at its rate", function()
    local began = time.now()
    walk "synthetic:1?count=101&rate=50"
    assert.equal(2, math.floor((time.now() - began) * 1000 + 0.5) / 1000)
  end)

  it("comes as fast as it goes at the rate max", function()
    local began = time.now()
    local ticks, feed = walk "synthetic:1?count=5000&rate=max&start=1700000000"
    assert.equal(began, time.now())
    assert.equal(5000, #ticks)
    local statistics = feed:statistics()
    assert.same({ 5000, 5000, 5000, 0 }, { statistics.events, statistics.done, statistics.total, statistics.gaps })
    assert.equal(1700000004.999, statistics.last)
  end)

  it("knows its streams, and whether it ends", function()
    local feed = assert(feeds.open "synthetic:1?book=a,b")
    assert.same({ "a", "b" }, feed.streams)
    assert.is_false(feed.finite)
    assert.is_nil(feed:statistics().total)
    assert.is_true(assert(feeds.open "synthetic:?count=1").finite)
  end)
end)
