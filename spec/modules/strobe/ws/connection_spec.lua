local async = require "strobe.async"
local collect = require("spec.support.collector").collect
local net = require "strobe.net"
local start = require("spec.support.tasks").start
local turn = require("spec.support.tasks").turn
local websocket = require "spec.support.websocket"
local ws = require "strobe.core.ws"

local FIN, MIB, PING, PONG, TEXT = websocket.FIN, websocket.MIB, websocket.PING, websocket.PONG, websocket.TEXT
local bare, frame, keep, kinds = websocket.bare, websocket.frame, websocket.keep, websocket.kinds
local numbers, open, ours, pair = websocket.numbers, websocket.open, websocket.ours, websocket.pair
local read_frame, receive_all, text = websocket.read_frame, websocket.receive_all, websocket.text

-- An `it` that closes what was opened.
local function story(name, f)
  it(name, websocket.closing(f))
end

-- f() is refused with a message that matches.
local function refused(pattern, f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  assert.matches(pattern, message)
end

for kind, connect in pairs(kinds) do
  describe("a WebSocket over a " .. kind, function()
    story("carries text and bytes of any size both ways", function()
      local client, server = pair(connect)
      for _, size in ipairs { 0, 1, 125, 126, 127, 65535, 65536, 100000, MIB } do
        local data = ("0123456789abcdef"):rep(size // 16 + 1):sub(1, size)
        for from, to in pairs { [client] = server, [server] = client } do
          for _, is_text in ipairs { true, false } do
            from:send(data, is_text)
            local got, got_text = to:receive()
            assert.is_true(data == got)
            assert.equal(is_text, got_text)
          end
        end
      end
    end)

    story("keeps the order, and loses nothing to a slow receiver", function()
      local client, server = pair(connect)
      local sender = async.create_task(function()
        for i = 1, 20000 do
          assert(client:send(("%d:%s"):format(i, ("x"):rep(i % 100)), true))
          assert(client:drain())
        end
        client:send_close(1000)
      end)
      for i = 1, 20000 do
        assert.equal(tostring(i), server:receive():match "^(%d+):")
        if i % 1000 == 0 then
          async.sleep(0.01)
        end
      end
      assert.is_nil(server:receive())
      sender:await()
    end)

    story("reads on when its full queue is taken from", function()
      local client, server = pair(connect, { queue = 4 })
      for i = 1, 100 do
        client:send(tostring(i), true)
      end
      async.sleep(1)
      assert.equal(4, (server:buffered()))
      client:send_close()
      assert.same(numbers(1, 100), receive_all(server))
    end)

    story("makes who sends wait for a peer that does not receive", function()
      local client, server = pair(connect, { queue = 1 })
      local count = 0
      local sender = async.create_task(function()
        for _ = 1, 1000 do
          client:send(("x"):rep(16 * 1024))
          assert(client:drain())
          count = count + 1
        end
        client:send_close()
      end)
      async.sleep(1)
      assert.equal("websocket drain", sender:state())
      local _, queued = client:buffered()
      assert.is_true(queued > 8 * 1024 and queued < 64 * 1024)
      assert.equal(1000, #receive_all(server))
      sender:await()
      assert.equal(1000, count)
    end)

    story("is drained at once when all can go", function()
      local client, server = pair(connect)
      client:send(("x"):rep(40 * 1024))
      assert.is_true(client:drain())
      assert.equal(40 * 1024, #server:receive())
    end)

    story("closes from either side, with code and reason", function()
      for turned = 1, 2 do
        local one, other = pair(connect)
        if turned == 2 then
          one, other = other, one
        end
        assert.is_true(one:send_close(4001, "enough"))
        assert.equal("closing", one:state())
        assert.is_nil(other:receive())
        assert.is_nil(one:receive())
        one:wait_closed()
        other:wait_closed()
        assert.same({ 4001, "enough", 4001, "" }, { one:ending() })
        assert.same({ 4001, "", 4001, "enough" }, { other:ending() })
        assert.equal("closed", one:state())
        assert.equal("<WebSocket closed>", tostring(other))
      end
    end)

    story("closes when both begin at once", function()
      local client, server = pair(connect)
      client:send_close(3001, "c")
      server:send_close(3002, "s")
      client:wait_closed()
      server:wait_closed()
      assert.same({ 3001, "c", 3002, "s" }, { client:ending() })
      assert.same({ 3002, "s", 3001, "c" }, { server:ending() })
    end)

    story("that was sent much before the Close gets it all there", function()
      local client, server = pair(connect)
      for _ = 1, 16 do
        client:send(("x"):rep(MIB))
      end
      client:send_close()
      async.sleep(1)
      for _ = 1, 16 do
        assert.equal(MIB, #server:receive())
      end
      assert.is_nil(server:receive())
      assert.equal(1005, (server:ending()))
    end)

    story("of a peer that vanishes in the middle of a frame ends with 1006", function()
      for _, how in ipairs { "close", "abort", "shutdown" } do
        local server, raw = bare(nil, connect)
        raw:send(text("whole") .. text("half"):sub(1, 7))
        async.sleep(0.1)
        raw[how](raw)
        assert.equal("whole", (server:receive()))
        assert.is_nil(server:receive())
        assert.equal(1006, (server:ending()))
        assert.is_nil((select(3, server:ending())))
        assert.equal("EPIPE", select(3, server:send "x"))
        assert.equal("EPIPE", select(3, server:drain()))
        server:wait_closed()
      end
    end)

    story("that was dropped without a close ends for its peer", function()
      local left, right = connect()
      local server = open(right, "server")
      assert(ws.open(left, "client", MIB, 100, 16)):send "last words"
      turn()
      collect()
      receive_all(server)
      assert.equal(1006, (server:ending()))
    end)

    story("that is aborted ends for both", function()
      local client, server = pair(connect)
      local receiver = start(client.receive, client)
      client:send "never sent"
      client:abort()
      client:abort()
      assert.is_nil(receiver:await())
      assert.is_nil(server:receive())
      client:wait_closed()
      server:wait_closed()
      assert.equal(1006, (client:ending()))
      assert.same({ 0, 0 }, { client:buffered() })
    end)

    story("has answers for who pings while nobody receives", function()
      local server, raw = bare(nil, connect)
      raw:send(frame(FIN | PING, "one") .. text "a" .. frame(FIN | PING, "") .. frame(FIN | PING, "two"))
      assert.same({ FIN | PONG, "one" }, { read_frame(raw) })
      assert.same({ FIN | PONG, "" }, { read_frame(raw) })
      assert.same({ FIN | PONG, "two" }, { read_frame(raw) })
      assert.equal("a", (server:receive()))
    end)

    story("keeps few pongs for a peer that does not read them, and the newest", function()
      local server, raw = bare(nil, connect)
      local last = ("0"):rep(125)
      local flood = async.create_task(function()
        for _ = 1, 100 do
          assert(raw:write(frame(FIN | PING, ("x"):rep(125)):rep(1000)))
        end
        raw:write(frame(FIN | PING, last))
      end)
      async.sleep(1)
      local _, queued = server:buffered()
      assert.is_true(queued <= 65 * 1024)
      local payload
      repeat
        payload = select(2, read_frame(raw))
      until payload == last
      flood:await()
    end)
  end)
end

describe("a WebSocket", function()
  describe("send", function()
    story("of many messages in one turn writes once", function()
      local server, raw = bare()
      for i = 1, 100 do
        server:send(tostring(i), true)
      end
      assert.equal(0, (raw:buffered()))
      local bytes = raw:read()
      assert.equal(9 * 3 + 90 * 4 + 5, #bytes)
    end)

    story("of much does not wait for the end of the turn", function()
      local server, raw = bare()
      server:send(("x"):rep(100000))
      assert.equal(64 * 1024, (raw:buffered()))
    end)

    story("in fragments makes one message", function()
      local client, server = pair()
      client:send_fragment("a", true, false)
      client:ping "between"
      client:send_fragment("", true, false)
      client:send_fragment("b", true, true)
      assert.same({ "ab", true }, { server:receive() })
    end)

    story("of an encoded frame is what a broadcast does", function()
      local clients, servers = {}, {}
      for i = 1, 3 do
        clients[i], servers[i] = pair()
      end
      for _, is_text in ipairs { true, false } do
        local encoded = ws.encode("to all", is_text)
        for i = 1, 3 do
          assert.is_true(servers[i]:send_encoded(encoded))
          assert.same({ "to all", is_text }, { clients[i]:receive() })
        end
      end
      local encoded = ws.encode("x", true)
      refused("a client masks each frame anew", clients[1].send_encoded, clients[1], encoded)
      servers[1]:send_close()
      assert.equal("EPIPE", select(3, servers[1]:send_encoded(encoded)))
    end)

    story("after send_close fails with EPIPE", function()
      local client = pair()
      client:send_close()
      for _, method in ipairs { "send", "send_fragment", "ping", "pong" } do
        assert.equal("EPIPE", select(3, client[method](client, "x")))
      end
      assert.is_true(client:send_close())
    end)

    story("to a peer that has gone fails, though messages of it wait to be taken", function()
      local server, raw = bare { queue = 1 }
      raw:send(text "1" .. text "2" .. text "3")
      raw:close()
      server:send "x"
      turn()
      assert.equal("EPIPE", select(3, server:send "x"))
      assert.equal("EPIPE", select(3, server:drain()))
      assert.same(numbers(1, 3), receive_all(server))
      assert.same({ 1006, "broken pipe" }, ours(server))
    end)

    story("may be drained by many tasks", function()
      local client, server = pair(nil, { queue = 1 })
      local tasks = {}
      for i = 1, 3 do
        tasks[i] = start(function()
          client:send(("x"):rep(200000))
          return client:drain()
        end)
      end
      for _ = 1, 3 do
        server:receive()
      end
      for _, task in ipairs(tasks) do
        assert.is_true(task:await())
      end
    end)

    story("that waits for room ends when the connection does", function()
      local server, raw = bare()
      server:send(("x"):rep(MIB))
      local t = start(server.drain, server)
      raw:send(websocket.close(1001))
      assert.same({ nil, "send: broken pipe", "EPIPE" }, { t:await() })
    end)
  end)

  describe("receive", function()
    story("gives what came before the Close, then nothing, however often", function()
      local server, raw = bare { queue = 2 }
      raw:send(text "1" .. text "2" .. text "3" .. text "4" .. websocket.close(1000, "done"))
      raw:shutdown()
      async.sleep(1)
      assert.equal("open", server:state())
      assert.same(numbers(1, 4), receive_all(server))
      assert.equal(0, select("#", server:receive()))
      server:wait_closed()
      assert.equal(0, select("#", server:receive()))
      assert.same({ 1000, "", 1000, "done" }, { server:ending() })
    end)

    story("still gives what comes after our Close", function()
      local server, raw = bare()
      server:send_close(1000)
      raw:send(text "late" .. websocket.close(1000))
      assert.same({ "late" }, receive_all(server))
    end)

    story("gives what came in time also after the connection has closed", function()
      local client, server = pair()
      client:send "a"
      client:send_close()
      server:wait_closed()
      assert.equal("closed", server:state())
      assert.same({ "a" }, receive_all(server))
    end)

    story("is for one task at a time, also while a message is on its way to that", function()
      local client, server = pair()
      local first = start(server.receive, server)
      refused("another task is receiving from this WebSocket already", server.receive, server)
      client:send "for the first"
      turn()
      local second = async.create_task(pcall, server.receive, server)
      assert.equal("for the first", (first:await()))
      second:cancel()
      pcall(second.await, second)
    end)

    story("puts frames together that come byte by byte", function()
      local server, raw = bare()
      local bytes = text "one" .. frame(TEXT, "t") .. frame(FIN | PING, "p") .. frame(FIN, "wo")
      for i = 1, #bytes do
        raw:send(bytes:sub(i, i))
        turn()
      end
      assert.equal("one", (server:receive()))
      assert.equal("two", (server:receive()))
      assert.same({ FIN | PONG, "p" }, { read_frame(raw) })
    end)

    story("reads what had come with the handshake", function()
      local left, right = net.pipe()
      keep(left):send(text "early")
      turn()
      assert.equal("early", (open(right, "server"):receive()))
    end)
  end)

  describe("cancelling", function()
    local function cancelled(task)
      task:cancel()
      local ok, e = pcall(task.await, task)
      assert.is_false(ok)
      assert.is_true(async.is(e, async.CancelledError))
    end

    story("receive loses no message", function()
      local client, server = pair()
      cancelled(start(server.receive, server))
      local t = start(server.receive, server)
      t:cancel()
      client:send "a"
      assert.equal("a", (server:receive()))
      pcall(t.await, t)
    end)

    story("a receive whose message has come leaves that to the next", function()
      local server, raw = bare()
      local t = start(server.receive, server)
      raw:send(text "a")
      t:cancel()
      assert.equal("a", (server:receive()))
      assert.is_false(pcall(t.await, t))
      raw:send(text "b")
      assert.equal("b", (server:receive()))
    end)

    story("drain or wait_closed leaves the connection usable", function()
      local client, server = pair(nil, { queue = 1 })
      client:send "x"
      client:send(("y"):rep(MIB))
      cancelled(start(client.drain, client))
      cancelled(start(client.wait_closed, client))
      client:send "z"
      assert.equal("x", (server:receive()))
      assert.equal(MIB, #server:receive())
      assert.equal("z", (server:receive()))
      assert.is_true(client:drain())
    end)
  end)

  describe("open", function()
    story("takes the stream over", function()
      local left, right = net.pipe()
      open(left, "client")
      refused("a protocol on top of it has taken it over", left.read, left)
      keep(right)
    end)

    story("refuses limits and roles that are none", function()
      local left, right = keep(net.pipe())
      refused("invalid option 'peer'", ws.open, left, "peer", 1, 1, 1)
      for _, bad in ipairs { 0, -1 } do
        refused("a limit above 0 expected", ws.open, left, "server", bad, 1, 1)
        refused("a limit above 0 expected", ws.open, left, "server", 1, bad, 1)
        refused("a limit above 0 expected", ws.open, left, "server", 1, 1, bad)
      end
      refused("a limit above 0 expected", ws.open, left, "server", 1, 1, 1 << 32)
      assert.is_true(left:send "still a stream")
      assert.equal("still a stream", right:read())
    end)

    story("refuses a stream that was closed, or that a task still reads", function()
      local left, right = keep(net.pipe())
      local reader = start(right.read, right)
      refused("a task still uses this stream", ws.open, right, "server", 1, 1, 1)
      left:close()
      reader:await()
      assert.equal("EPIPE", select(3, ws.open(left, "server", 1, 1, 1)))
    end)

    story("on a stream that has ended ends with 1006", function()
      local left, right = net.pipe()
      left:close()
      turn()
      local server = open(right, "server")
      assert.is_nil(server:receive())
      assert.equal(1006, (server:ending()))
    end)
  end)
end)
