local Listener = require "spec.support.listener"
local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local feeds = require "strobe.live.feed"
local net = require "strobe.net"
local tectonic = require "strobe.tectonic"

local function serve(options)
  options = options or {}
  options.port = options.port or 0
  return assert(tectonic.serve(options))
end

local function row(seq)
  return { ts = 1505177459 + seq / 1000, seq = seq, is_trade = true, is_bid = false, price = 100, size = 1 }
end

local function insert(server, book, from, to)
  for seq = from, to do
    server:insert(row(seq), book)
  end
end

local function listen(server, path, options)
  local url = ("tectonic://127.0.0.1:%d/%s%s"):format(server:port(), path, options or "")
  return Listener.new(assert(feeds.open(url)))
end

local function seqs(from, to)
  local list = {}
  for seq = from, to do
    list[#list + 1] = seq
  end
  return list
end

describe("a TectonicDB feed", function()
  it("is refused with a reason when its URL cannot be", function()
    for url, reason in pairs {
      ["tectonic://localhost:9001"] = "tectonic://HOST:PORT/BOOK expected",
      ["tectonic://localhost:9001/"] = "books expected",
      ["tectonic://localhost:9001/a,,b"] = "books expected",
      ["tectonic://localhost:9001/a,a"] = "'a' is named twice",
      ["tectonic://localhost:99999/a"] = "a host, or host:port, expected",
      ["tectonic://localhost/a?protocol=pull"] = "protocol: poll or push expected",
      ["tectonic://localhost/a?queue=0"] = "queue: a whole number",
      ["tectonic://localhost/a?speed=1"] = "there is no option 'speed'; there are: gaps, protocol, queue",
    } do
      Listener.refuses(url, reason)
    end
  end)

  it("knows its streams, and has the usual port", function()
    local feed = assert(feeds.open("tectonic://localhost/btc_usd,eth_usd", { name = "tdb" }))
    assert.same({ "btc_usd", "eth_usd" }, feed.streams)
    assert.same({ "tdb", 9001, false }, { feed.name, feed.port, feed.finite })
  end)

  for _, protocol in ipairs { "poll", "push" } do
    local options = "?protocol=" .. protocol

    describe(protocol, function()
      it("delivers the ticks of several books", function()
        local server <close> = serve()
        local listener <close> = listen(server, "a,b", options)
        server:wait_subscribers(2)
        insert(server, "a", 1, 2)
        insert(server, "b", 1, 1)
        listener:wait(3)
        local by_stream = { a = {}, b = {} }
        for _, event in ipairs(listener.events) do
          assert.same(row(event.seq), event.data)
          assert.equal(event.data.ts, event.time)
          table.insert(by_stream[event.stream], event.seq)
        end
        assert.same({ a = { 1, 2 }, b = { 1 } }, by_stream)
      end)

      it("connects again when the server comes back on its port, and tells what was lost", function()
        local server = serve()
        local port = server:port()
        local listener <close> = listen(server, "a", options)
        server:wait_subscribers(1)
        insert(server, "a", 1, 2)
        listener:wait(2)
        server:close()
        async.sleep(5)
        local again <close> = serve { port = port }
        again:wait_subscribers(1)
        insert(again, "a", 6, 7)
        listener:wait(4)
        assert.same({ 1, 2, 6, 7 }, listener:field "seq")
        local statistics = listener.feed:statistics()
        assert.same({ 1, 1, 3 }, { statistics.reconnects, statistics.gaps, statistics.lost })
        assert.is_true(listener:heard "book a: 3 lost between 2 and 6")
      end)

      it("takes numbers that begin anew after a reconnect for what they are", function()
        local server = serve()
        local port = server:port()
        local listener <close> = listen(server, "a", options)
        server:wait_subscribers(1)
        insert(server, "a", 1, 5)
        listener:wait(5)
        server:close()
        local again <close> = serve { port = port }
        again:wait_subscribers(1)
        insert(again, "a", 1, 3)
        listener:wait(8)
        local statistics = listener.feed:statistics()
        assert.same({ 0, 0 }, { statistics.gaps, statistics.duplicates })
        assert.is_true(listener:heard "book a: the numbers begin anew at 1, after 5")
      end)

      it("waits for a server that is not there yet", function()
        local place = serve()
        local port = place:port()
        place:close()
        local url = ("tectonic://127.0.0.1:%d/a%s"):format(port, options)
        local listener <close> = Listener.new(assert(feeds.open(url)))
        async.sleep(3)
        assert.is_true(listener:heard "is the server running?; trying again in")
        local server <close> = serve { port = port }
        server:wait_subscribers(1)
        insert(server, "a", 1, 1)
        listener:wait(1)
        assert.equal(0, listener.feed:statistics().reconnects)
      end)

      for name, bytes in pairs {
        nothing = "", ["half of an answer"] = "\1\0\0\0\0\0\0\0\25Subscri", garbage = ("\255"):rep(100),
        ["an error"] = "\0\0\0\0\0\0\0\0\9ERR: no.\n",
      } do
        it("goes on after a server that answered with " .. name .. " and left", function()
          local first <close> = assert(net.listen("127.0.0.1", 0))
          local port = first:port()
          local listener <close> = Listener.new(assert(feeds.open(("tectonic://127.0.0.1:%d/a%s"):format(port,
            options))))
          local peer = assert(first:accept_one())
          peer:write(bytes)
          async.sleep(0.01)
          peer:shutdown()
          async.sleep(0.01)
          peer:close()
          first:close()
          local server <close> = serve { port = port }
          server:wait_subscribers(1)
          insert(server, "a", 1, 2)
          listener:wait(2)
          assert.same({ 1, 2 }, listener:field "seq")
        end)
      end

      it("gives up a server that has fallen silent, and tries again", function()
        local listening <close> = assert(net.listen("127.0.0.1", 0))
        local url = ("tectonic://127.0.0.1:%d/a%s"):format(listening:port(), options)
        local listener <close> = Listener.new(assert(feeds.open(url)))
        local first = assert(listening:accept_one())
        assert(first:read())
        first:write("\1" .. (">s8"):pack "Subscribed to a")
        local in_time, second = async.move_on_after(60, listening.accept_one, listening)
        assert.is_true(in_time)
        assert.is_true(listener:heard "no answer within 10 s")
        first:close()
        second:close()
      end)

      it("stays with a server that has nothing to tell", function()
        local server <close> = serve()
        local listener <close> = listen(server, "a", options)
        server:wait_subscribers(1)
        async.sleep(12)
        insert(server, "a", 1, 1)
        listener:wait(1)
        assert.same({}, listener.said)
      end)

      it("passes a failure of its sink on, and leaves no connection", function()
        local server <close> = serve()
        local url = ("tectonic://127.0.0.1:%d/a,b%s"):format(server:port(), options)
        local feed = assert(feeds.open(url))
        local task = async.create_task(feed.run, feed, function()
          error("the sink", 0)
        end)
        server:wait_subscribers(2)
        insert(server, "a", 1, 1)
        local ok, e = pcall(task.await, task)
        assert.same({ false, "the sink" }, { ok, e })
        async.sleep(1)
        assert.equal(0, server:stats().connections)
      end)

      it("ends at once when it is closed, wherever it waits", function()
        local server <close> = serve()
        for _, seconds in ipairs { 0, 0.0001, 0.001, 0.01, 1 } do
          local listener <close> = listen(server, "a,b", options)
          async.sleep(seconds)
          listener.feed:close()
          listener.feed:close()
          local done, _, code = listener.task:await()
          assert.is_nil(done)
          assert.equal("ECANCELED", code)
        end
        for _, seconds in ipairs { 0, 0.0001, 0.001, 0.01, 1 } do
          local listener <close> = listen(server, "a,b", options)
          async.sleep(seconds)
          listener.task:cancel()
          assert.is_false(pcall(listener.task.await, listener.task))
        end
      end)
    end)
  end

  it("is not read while an inbox has no room", function()
    local server <close> = serve()
    local units <close> = UnitFolder.new({ ["slow.lua"] = [[return { version = 1, subscribe = { "a" },
      on_event = function(ctx, st, m) ctx:sleep(1) ctx:emit("out", m.stream_seq) end }]] },
      { inbox = { size = 8, policy = "block" } })
    units.runtime:add_feed(assert(feeds.open(("tectonic://127.0.0.1:%d/a"):format(server:port()))))
    units:start "slow"
    server:wait_subscribers(1)
    insert(server, "a", 1, 40)
    async.sleep(3.5)
    local feed = units.runtime.feeds[1]
    assert.is_true(feed:statistics().events <= 4 + 8 + 1)
    assert.is_true(server:stats().queued >= 40 - 13 - 1)
    async.sleep(40)
    assert.same(seqs(1, 40), units:values())
    assert.equal(0, feed:statistics().lost)
  end)

  it("that is pushed more than it can take loses the oldest, and tells how many", function()
    local server <close> = serve()
    local listener <close> = listen(server, "a", "?protocol=push&queue=10")
    listener.on_event = function()
      async.sleep(1)
    end
    server:wait_subscribers(1)
    insert(server, "a", 1, 1)
    listener:wait(1)
    insert(server, "a", 2, 100)
    listener:wait(11)
    assert.same({ 1, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100 }, listener:field "seq")
    assert.same({ 1, 89 }, { listener.feed:statistics().gaps, listener.feed:statistics().lost })
  end)

  it("is never connected again by a reload", function()
    local server <close> = serve()
    local text = [[return { version = 1, subscribe = { "a" },
      on_event = function(ctx, st, m) ctx:emit("out", m.stream_seq) end } -- %d]]
    local units <close> = UnitFolder.new { ["mm.lua"] = text:format(0) }
    units.runtime:add_feed(assert(feeds.open(("tectonic://127.0.0.1:%d/a?protocol=push"):format(server:port()))))
    units:start "mm"
    server:wait_subscribers(1)
    for i = 1, 20 do
      insert(server, "a", i, i)
      assert.equal("committed", units:reload("mm", text:format(i)).verdict)
    end
    async.sleep(1)
    assert.same(seqs(1, 20), units:values())
    assert.equal(1, server:stats().connections)
    assert.equal(0, units.runtime.feeds[1]:statistics().reconnects)
  end)
end)
