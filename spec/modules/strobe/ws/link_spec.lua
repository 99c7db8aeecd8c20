local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local start = require("spec.support.tasks").start
local turn = require("spec.support.tasks").turn
local websocket = require "spec.support.websocket"

local BINARY, CLOSE, FIN = websocket.BINARY, websocket.CLOSE, websocket.FIN
local MIB, PING, PONG, TEXT = websocket.MIB, websocket.PING, websocket.PONG, websocket.TEXT
local bare, frame, numbers, ours = websocket.bare, websocket.frame, websocket.numbers, websocket.ours
local pair, read_close, read_frame = websocket.pair, websocket.read_close, websocket.read_frame
local receive_all, text = websocket.receive_all, websocket.text

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

describe("the link of a WebSocket", function()
  describe("the peer's mistake", function()
    local mistakes = {
      { "an unmasked frame", "\x81\x01x", 1002, "unmasked frame from a client" },
      { "a reserved bit", frame(FIN | 0x40 | TEXT, "x"), 1002, "reserved bit set" },
      { "a reserved opcode", frame(FIN | 3, ""), 1002, "reserved opcode" },
      { "a continuation of nothing", frame(FIN, "x"), 1002, "continuation of no message" },
      { "a ping in pieces", frame(PING, "x"), 1002, "fragmented control frame" },
      { "text that is none", text "\xff", 1007, "text is not UTF-8" },
      { "a message beyond the limit", frame(FIN | BINARY, ("x"):rep(1001)):sub(1, 8), 1009, "message too big" },
      { "a Close with an invalid code", websocket.close(1005), 1002, "invalid close code" },
    }

    for _, mistake in ipairs(mistakes) do
      local what, bytes, code, reason = table.unpack(mistake)
      story(("%s ends the connection with %d"):format(what, code), function()
        local server, raw = bare { message = 1000 }
        raw:send(text "before" .. bytes)
        assert.equal("before", (server:receive()))
        assert.is_nil(server:receive())
        assert.equal("ended", server:state())
        assert.same({ code, reason }, read_close(raw))
        assert.equal("", raw:read())
        assert.same({ code, reason, nil, "" }, { server:ending() })
        raw:close()
        server:wait_closed()
      end)
    end

    story("is answered, and what it goes on to send is thrown away", function()
      local server, raw = bare()
      local flood = async.create_task(raw.write, raw, "\x81\x01" .. ("x"):rep(4 * MIB))
      assert.equal(1002, read_close(raw)[1])
      assert.is_true(flood:await())
      raw:close()
      server:wait_closed()
    end)

    story("ends the connection although the peer stays: after close_timeout", function()
      local server, raw = bare()
      raw:send "\x81\x01x"
      local began = async.time()
      server:wait_closed()
      assert.equal(10, async.time() - began)
    end)

    story("of too many fragments is answered by 1009", function()
      local _, raw = bare { fragments = 2 }
      raw:send(frame(TEXT, "a") .. frame(0, "b") .. frame(FIN, "c"))
      assert.same({ 1009, "too many fragments" }, read_close(raw))
    end)
  end)

  describe("keepalive", function()
    story("pings, and the answers tell the latency", function()
      local client, server = pair()
      assert.is_nil(server:latency())
      server:set_times(10, 20, 20)
      async.sleep(21)
      assert.equal(0, server:latency())
      async.sleep(90)
      assert.equal("open", server:state())
      assert.equal("open", client:state())
    end)

    story("pings once per interval, whatever its timeout", function()
      for _, times in ipairs { { 10, 5 }, { 10, 10 }, { 10, 0 } } do
        local server, raw = bare()
        server:set_times(10, table.unpack(times))
        for i = 1, 2 do
          local first, payload = read_frame(raw)
          assert.equal(FIN | PING, first)
          assert.equal(0, async.time() % 10)
          async.sleep(3)
          raw:send(frame(FIN | PONG, payload))
          turn()
          assert.equal(3, server:latency(), i)
        end
        server:abort()
        async.sleep(10 - async.time() % 10)
      end
    end)

    story("closes with 1011 when the peer is silent, in time", function()
      local server, raw = bare()
      server:set_times(10, 20, 5)
      local began = async.time()
      assert.is_nil(server:receive())
      assert.equal(25, async.time() - began)
      assert.same({ 1011, "keepalive: no answer to a ping in time" }, ours(server))
      assert.equal(FIN | PING, (read_frame(raw)))
      assert.equal(1011, read_close(raw)[1])
      server:wait_closed()
      assert.equal(35, async.time() - began)
    end)

    story("takes any byte as a sign of life", function()
      local server, raw = bare()
      server:set_times(10, 2, 2)
      local bytes = frame(FIN | BINARY, ("x"):rep(50))
      for i = 1, #bytes do
        raw:send(bytes:sub(i, i))
        async.sleep(1)
      end
      assert.equal(50, #server:receive())
      assert.is_nil(server:latency())
    end)

    story("does not blame the peer while it is us who do not receive", function()
      local server, raw = bare { queue = 1 }
      server:set_times(10, 2, 2)
      raw:send(text "1" .. text "2")
      async.sleep(50)
      assert.equal("open", server:state())
      assert.equal("1", (server:receive()))
      assert.equal("2", (server:receive()))
      assert.is_nil(server:receive())
      assert.equal(1011, (server:ending()))
    end)

    story("knows a silent peer although who receives takes what had come", function()
      local server, raw = bare()
      server:set_times(10, 2, 2)
      for i = 1, 10 do
        raw:send(text(tostring(i)))
      end
      for _ = 1, 10 do
        async.sleep(0.9)
        server:receive()
      end
      assert.equal("ended", server:state())
    end)

    story("stops with the connection, and when it is told to", function()
      local server, raw = bare()
      server:set_times(10, 1, 1)
      server:set_times(10)
      async.sleep(50)
      assert.equal(0, (raw:buffered()))
      assert.equal("open", server:state())
    end)

    story("refuses times that are none", function()
      local server = bare()
      refused("a time of 0 or more expected", server.set_times, server, -1)
      refused("number expected", server.set_times, server, 1, {})
    end)
  end)

  describe("closing", function()
    story("with a silent peer ends after close_timeout", function()
      local server, raw = bare()
      server:send_close(1001, "going")
      local began = async.time()
      server:wait_closed()
      assert.equal(10, async.time() - began)
      assert.same({ 1001, "going", nil, "" }, { server:ending() })
      assert.same({ 1001, "going" }, read_close(raw))
    end)

    story("with a peer that never reads ends after close_timeout", function()
      local server, raw = bare()
      server:send(("x"):rep(MIB))
      raw:send(websocket.close(1000))
      local began = async.time()
      server:wait_closed()
      assert.equal(10, async.time() - began)
    end)

    story("without a code is an empty Close, which is answered by another", function()
      local server, raw = bare()
      raw:send(websocket.close())
      assert.same({ FIN | CLOSE, "" }, { read_frame(raw) })
      assert.equal("", raw:read())
      raw:close()
      server:wait_closed()
      assert.same({ 1005, "", 1005, "" }, { server:ending() })
    end)

    story("is not held up by messages that nobody takes", function()
      local server, raw = bare { queue = 2 }
      raw:send(text "1" .. text "2" .. text "3")
      turn()
      raw:send(websocket.close(1000))
      raw:shutdown()
      server:send_close(1000)
      local began = async.time()
      local _ <close> = cleanup(function()
        assert.equal(0, async.time() - began)
      end)
      server:wait_closed()
      assert.equal(1000, select(3, server:ending()))
      assert.same(numbers(1, 2), receive_all(server))
    end)

    story("cuts a long reason between two characters", function()
      local server, raw = bare()
      server:send_close(1000, ("ü"):rep(100))
      assert.same({ 1000, ("ü"):rep(61) }, read_close(raw))
      assert.equal(("ü"):rep(61), select(2, server:ending()))
    end)

    story("refuses codes and reasons that may not be sent", function()
      local server = bare()
      for _, code in ipairs { 0, -1, 999, 1004, 1006, 1015, 2000, 5000, (1 << 32) + 1000 } do
        refused("no code that may be sent", server.send_close, server, code)
      end
      refused("the reason is not UTF%-8", server.send_close, server, 1000, "\xff")
      refused("a reason needs a code", server.send_close, server, nil, "why")
      assert.equal("open", server:state())
    end)

    story("ignores what the peer sends after its Close", function()
      local server, raw = bare()
      raw:send(websocket.close(1000) .. text "late" .. "\xff\xff\xff")
      assert.same({}, receive_all(server))
      assert.equal(1000, read_close(raw)[1])
      raw:close()
      server:wait_closed()
      assert.same({ 1000, "", 1000, "" }, { server:ending() })
    end)

    story("lets all wait for its end", function()
      local client = pair()
      local tasks = {}
      for i = 1, 3 do
        tasks[i] = start(client.wait_closed, client)
      end
      client:send_close()
      for _, task in ipairs(tasks) do
        task:await()
        assert.equal("closed", client:state())
      end
      client:wait_closed()
    end)

    story("at any moment, by anyone, ends both and leaves nothing", function()
      local ways = { "send_close", "abort", "wait" }
      for turns = 0, 6 do
        for _, how in ipairs(ways) do
          for _, other in ipairs(ways) do
            local client, server = pair()
            client:send(("x"):rep(100000))
            server:send "y"
            for _ = 1, turns do
              turn()
            end
            for connection, way in pairs { [client] = how, [server] = other } do
              if way ~= "wait" then
                connection[way](connection)
              end
            end
            if how ~= "wait" or other ~= "wait" then
              receive_all(client)
              receive_all(server)
              client:wait_closed()
              server:wait_closed()
            end
          end
        end
      end
    end)
  end)
end)
