local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local feeds = require "strobe.live.feed"
local json = require "strobe.json"
local tectonic = require "strobe.tectonic"
local ws = require "strobe.ws"

-- A unit that tells of each event what `expression` says.
local function teller(subscribe, expression)
  return ([[return { version = 1, subscribe = { %s }, on_event = function(ctx, st, m) ctx:emit("out", %s) end }]])
    :format(subscribe, expression or "m.stream .. ' ' .. m.stream_seq")
end

local function add(units, url, name, options)
  local feed = assert(feeds.open(url, { name = name }))
  units.runtime:add_feed(feed, options)
  return feed
end

local function rows(from, to, step)
  local text = { "book,ts,seq,is_trade,is_bid,price,size\n" }
  for i = from, to, step do
    text[#text + 1] = ("b%d,%d,%d,t,f,1,1\n"):format(from, 1618677817 + i, (i - from) // step + 1)
  end
  return table.concat(text)
end

local function heard(units, text)
  for _, line in ipairs(units.logged or {}) do
    if line[2]:find(text, 1, true) then
      return true
    end
  end
  return false
end

describe("a runtime with feeds", function()
  it("delivers a stream by its name, and by that of its feed", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = teller '"a", "two:b"' }
    add(units, "synthetic:1?book=a&count=2", "one", { held = true })
    add(units, "synthetic:1?book=b&count=2", "two", { held = true })
    assert.equal("committed", units:start("mm").verdict)
    units.runtime:run_feeds()
    assert.is_true(units.runtime:wait_feeds())
    assert.same({ "a 1", "two:b 1", "a 2", "two:b 2" }, units:values())
  end)

  it("refuses a stream that no feed has, and names the nearest", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = teller '"btc_usdt"' }
    add(units, "synthetic:1?book=btc_usd,btc_eur,eth_usd,ltc_gbp", "one")
    local report = units:start "mm"
    assert.equal("rejected:subscribe", report.verdict)
    local expected = "no feed has a stream 'btc_usdt'; the nearest of 5: 'btc_usd', 'eth_usd', 'btc_eur'"
    assert.matches(expected, report.error, 1, true)
    units:write("mm.lua", teller '"one:btc_usdt"')
    report = units:start "mm"
    assert.equal("rejected:subscribe", report.verdict)
    assert.matches("feed 'one' has no stream 'btc_usdt'; the nearest of 4: 'btc_usd'", report.error, 1, true)
  end)

  it("refuses a name that two feeds have, and says what to write", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = teller '"a"' }
    add(units, "synthetic:1?book=a", "one")
    add(units, "synthetic:2?book=a", "two")
    local report = units:start "mm"
    assert.equal("rejected:subscribe", report.verdict)
    assert.matches("the stream 'a' is of 2 feeds: say 'one:a' or 'two:a'", report.error, 1, true)
  end)

  it("takes any name when a feed may have any, and warns when two turn out to have it", function()
    local function serve()
      return assert(ws.serve(function(connection)
        for n = 1, 3 do
          connection:send(json.encode { stream = "a", data = { n = n } })
        end
        connection:recv()
      end, "127.0.0.1", 0))
    end
    local one <close> = serve()
    local two <close> = serve()
    local units <close> = UnitFolder.new { ["mm.lua"] = teller('"a"', "m.data.n") }
    units:start "mm"
    add(units, ("ws://127.0.0.1:%d/"):format(one:port()), "one")
    add(units, ("ws://127.0.0.1:%d/"):format(two:port()), "two")
    async.sleep(1)
    assert.equal(6, #units:values())
    assert.is_true(heard(units, "the stream 'a' comes from the feeds"))
  end)

  it("raises for a second feed of the same name", function()
    local units <close> = UnitFolder.new {}
    add(units, "synthetic:1")
    assert.error_matches(function()
      add(units, "synthetic:2")
    end, "there is a feed 'synthetic' already")
  end)

  it("merges recordings by their times, and begins with the earliest", function()
    local units <close> = UnitFolder.new {
      ["one.csv"] = rows(10, 50, 20), ["two.csv"] = rows(0, 40, 20),
      ["mm.lua"] = teller('"b0", "b10"',
        "m.stream .. ' ' .. m.time - 1618677817 .. ' ' .. tostring(m.time == ctx:now())"),
    }
    units:start "mm"
    add(units, "replay:" .. units.folder.path .. "/one.csv", "one")
    add(units, "replay:" .. units.folder.path .. "/two.csv", "two")
    assert.is_true(units.runtime:wait_feeds())
    assert.same({ "b0 0 true", "b10 10 true", "b0 20 true", "b10 30 true", "b0 40 true", "b10 50 true" },
      units:values())
  end)

  it("tells each event to who looks on, before the units", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = teller '"a"' }
    units:start "mm"
    local seen = {}
    units.runtime:observe(function(stream, data, time, seq)
      seen[#seen + 1] = { stream, data.seq, time, seq, #units.sent }
    end)
    add(units, "synthetic:1?book=a&count=2")
    units.runtime:wait_feeds()
    assert.same({ { "a", 1, 1577836800, 1, 0 }, { "a", 2, 1577836800.1, 2, 1 } }, seen)
  end)

  it("waits for feeds until their last event is processed", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = [[return { version = 1, subscribe = { "a" },
      on_event = function(ctx, st, m) ctx:sleep(7) ctx:emit("out", m.seq) end }]] }
    units:start "mm"
    add(units, "synthetic:1?book=a&count=3")
    units.runtime:wait_feeds()
    assert.same({ 1, 2, 3 }, units:values())
  end)

  it("tells why a feed has ended too early", function()
    local units <close> = UnitFolder.new { ["r.csv"] = "book,ts,seq,is_trade,is_bid,price,size\nx\n" }
    add(units, "replay:" .. units.folder.path .. "/r.csv#broken=0")
    local done, message, code = units.runtime:wait_feeds()
    assert.is_nil(done)
    assert.matches("r.csv:2: ", message, 1, true)
    assert.equal("EPROTO", code)
    assert.is_true(heard(units, "feed replay ends: "))
  end)

  it("reports a failure of who looks on, and goes on", function()
    local units <close> = UnitFolder.new {}
    units.runtime:observe(function()
      error "an observer"
    end)
    add(units, "synthetic:1?count=1")
    local done, message = units.runtime:wait_feeds()
    assert.is_nil(done)
    assert.matches("an observer", message)
  end)

  it("leaves nothing behind when it closes in the midst", function()
    local server <close> = assert(tectonic.serve { port = 0 })
    for _, seconds in ipairs { 0, 0.001, 0.1, 3 } do
      local units <close> = UnitFolder.new { ["r.csv"] = rows(0, 1000, 1), ["mm.lua"] = teller '"replay:b0"' }
      add(units, "replay:" .. units.folder.path .. "/r.csv")
      add(units, ("tectonic://127.0.0.1:%d/a,b"):format(server:port()))
      add(units, "synthetic:1", "later", { held = true })
      units:start "mm"
      async.sleep(seconds)
      units.runtime:close()
      units.runtime:close()
    end
  end)

  it("has a slow unit lose its own events only, when the oldest may be dropped", function()
    local units <close> = UnitFolder.new({
      ["slow.lua"] = [[return { version = 1, subscribe = { "a" }, on_event = function(ctx) ctx:sleep(1) end }]],
      ["fast.lua"] = teller('"a"', "m.stream_seq"),
    }, { inbox = { size = 16, policy = "drop_oldest" } })
    units:start "slow"
    units:start "fast"
    add(units, "synthetic:1?book=a&rate=100&count=1000")
    async.sleep(10.5)
    assert.equal(1000, #units:values())
    local slow = units.runtime.units.slow.inbox
    assert.equal(0, units.runtime.units.fast.inbox.dropped)
    assert.is_true(slow.dropped > 900 and #slow <= 16)
  end)

  it("loses and doubles nothing when a unit is reloaded while the feed waits for room", function()
    local text = [[return { version = 1, subscribe = { "a" },
      on_event = function(ctx, st, m) ctx:sleep(0.01) ctx:emit("out", "%s" .. m.stream_seq) end } -- %d]]
    local units <close> = UnitFolder.new({ ["x.lua"] = text:format("x", 0), ["y.lua"] = text:format("y", 0) },
      { inbox = { size = 4, policy = "block" }, probation = { off = true } })
    units:start "x"
    units:start "y"
    add(units, "synthetic:1?book=a&rate=max&count=300")
    for i = 1, 10 do
      units:reload("x", text:format("x", i))
      async.sleep(0.1)
    end
    units.runtime:wait_feeds()
    local counts = {}
    for _, value in ipairs(units:values()) do
      counts[value] = (counts[value] or 0) + 1
    end
    for seq = 1, 300 do
      assert.equal(1, counts["x" .. seq])
      assert.equal(1, counts["y" .. seq])
    end
  end)
end)

describe("a back-test with sockets open", function()
  it("sees the same times as one without", function()
    local net = require "strobe.net"
    local text = [[return { version = 1, subscribe = { "b0" },
      init = function(ctx) ctx:timer("beat", 2.5, function() ctx:emit("out", "beat " .. ctx:now() - 1618677817) end)
      end,
      on_event = function(ctx, st, m)
        if m.stream_seq == 4 then ctx:sleep(1.2) end
        ctx:emit("out", m.stream_seq .. " " .. ctx:now() - 1618677817)
      end }]]
    local values = {}
    for _, is_open in ipairs { false, true } do
      local server = is_open and assert(net.listen("127.0.0.1", 0))
      local units <close> = UnitFolder.new { ["r.csv"] = rows(0, 8, 1), ["mm.lua"] = text }
      add(units, "replay:" .. units.folder.path .. "/r.csv", "r", { held = true })
      units:start "mm"
      units.runtime:run_feeds()
      assert.is_true(units.runtime:wait_feeds())
      values[#values + 1] = units:values()
      if server then
        server:close()
      end
    end
    assert.same(values[1], values[2])
    assert.is_true(#values[1] == 9 + 3)
  end)
end)
