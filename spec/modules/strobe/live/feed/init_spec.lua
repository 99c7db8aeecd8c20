local async = require "strobe.async"
local feeds = require "strobe.live.feed"

describe("feeds.open", function()
  it("refuses what is no feed's URL, with what there is", function()
    for _, url in ipairs { "", "ticks.csv", "http://localhost/", "tcp:x", ":x", "replay" } do
      local feed, message, code = feeds.open(url)
      assert.is_nil(feed)
      assert.equal("EINVAL", code)
      assert.matches("it begins with tectonic://, ws://, wss://, replay:, synthetic: or stdin:", message, 1, true)
    end
  end)

  it("returns a feed or a reason, whatever the text is", function()
    local dice = require("strobe.live.random").new(1, "urls", 1, "spec")
    local parts = { "tectonic:", "ws:", "wss:", "replay:", "synthetic:", "stdin:", "//", "/", "localhost", ":", "9001",
      "?", "#", "=", "&", "%", "%41", "rate", "seq", "broken", "idle", "book", "count",
      "a,b", "1e999", "-1", "\0", "\n",
      "é", " ", "[::1]", "@", "max", "start", "gaps", "off", "streams", "nan" }
    local opened = 0
    for _ = 1, 20000 do
      local text = { parts[dice:draw(6)] }
      for i = 2, dice:draw(10) do
        text[i] = parts[dice:draw(#parts)]
      end
      local feed, message, code = feeds.open(table.concat(text))
      opened = opened + (feed and 1 or 0)
      if not feed then
        assert.is_string(message)
        assert.is_string(code)
      end
    end
    assert.is_true(opened > 20, tostring(opened))
  end)

  it("raises for what is no URL, and for a name that cannot stand in feed:stream", function()
    assert.error_matches(function()
      feeds.open(nil)
    end, "feeds.open: a URL expected, got nil")
    for _, name in ipairs { "", "a:b", "a b", 7 } do
      assert.error_matches(function()
        feeds.open("stdin:", { name = name })
      end, "feeds.open: name: ")
    end
  end)

  it("names a feed like its scheme, unless told otherwise", function()
    assert.equal("synthetic", assert(feeds.open "SYNTHETIC:1").name)
    assert.equal("x", assert(feeds.open("synthetic:1", { name = "x" })).name)
    assert.equal("synthetic:1", assert(feeds.open "synthetic:1").url)
  end)

  it("refuses other words than on and off for gaps", function()
    assert.matches("gaps: on or off expected", select(2, feeds.open "synthetic:1?gaps=no"))
  end)
end)

describe("a feed", function()
  it("runs once at a time", function()
    local feed = assert(feeds.open "synthetic:1")
    local task = async.create_task(feed.run, feed, function() end)
    async.sleep(1)
    assert.error_matches(function()
      feed:run(function() end)
    end, "it runs already")
    feed:close()
    task:await()
  end)

  it("does not run when it was closed, and closes twice", function()
    local feed = assert(feeds.open "synthetic:1")
    feed:close()
    feed:close()
    assert.equal("ECANCELED", select(3, feed:run(function() end)))
  end)

  it("waits for its sink", function()
    local feed = assert(feeds.open "synthetic:1?rate=max&count=5")
    local began = async.time()
    feed:run(function()
      async.sleep(1)
    end)
    assert.equal(5, math.floor(async.time() - began + 0.5))
  end)

  it("passes a failure of its sink on, and the cancellation of its task", function()
    local feed = assert(feeds.open "synthetic:1?gaps=off")
    assert.error_matches(function()
      feed:run(function()
        error "no"
      end)
    end, "no")
    local task = async.create_task(feed.run, feed, function() end)
    async.sleep(1)
    task:cancel()
    local ok, e = pcall(task.await, task)
    assert.is_false(ok)
    assert.is_true(async.is(e, async.CancelledError))
  end)
end)
