local async = require "strobe.async"
local mock = require "strobe.testing.mock"
local ws = require "strobe.ws"

describe("mock.ws", function()
  it("is the peer of what is connected to: a list of messages, or a handler", function()
    local feed <close> = mock.ws {
      ["wss://feed.example/ticks"] = { "tick 1", "tick 2" },
      ["/echo"] = function(connection)
        for message in connection:messages() do
          connection:send(connection.request.headers["x-key"] .. message)
        end
      end,
    }
    local ticks <close> = assert(ws.connect "wss://feed.example/ticks?book=a")
    assert.equal("tick 1", (ticks:recv()))
    assert.equal("tick 2", (ticks:recv()))
    local echo <close> = assert(ws.connect("ws://anywhere:99/echo", { headers = { ["X-Key"] = "k" } }))
    echo:send "!"
    assert.equal("k!", (echo:recv()))
    assert.same({ "wss://feed.example/ticks", "ws://anywhere:99/echo" }, feed.connected)
  end)

  it("agrees on subprotocols and compression, as a server does", function()
    local feed <close> = mock.ws({ ["*"] = { ("x"):rep(5000) } }, { subprotocols = { "v1" }, compression = true })
    local connection <close> = assert(ws.connect("ws://x/", { subprotocols = { "v1" }, compression = true }))
    assert.equal("v1", connection.subprotocol)
    assert.matches("permessage%-deflate", connection.response.headers["sec-websocket-extensions"])
    assert.equal(5000, #connection:recv())
    assert.equal(1, #feed.connected)
  end)

  it("lets a program that reconnects be tried", function()
    local round = 0
    local feed <close> = mock.ws {
      ["/feed"] = function(connection)
        round = round + 1
        connection:send(("round %d"):format(round))
        async.sleep(1)
        connection:abort()
      end,
    }
    local seen = {}
    for connection in ws.reconnecting "ws://x/feed" do
      seen[#seen + 1] = connection:recv()
      connection:wait_closed()
      if #seen == 2 then
        break
      end
    end
    assert.same({ "round 1", "round 2" }, seen)
    assert.equal(2, #feed.connected)
  end)

  it("closes what is connected with 1001, and refuses what it does not know", function()
    local feed <close> = mock.ws { ["/a"] = {} }
    local none, message, code = ws.connect "ws://x/b"
    assert.is_nil(none)
    assert.equal("ECONNREFUSED", code)
    assert.matches("mock.ws has no peer for ws://x/b; it has /a", message)
    local connection = assert(ws.connect "ws://x/a")
    local closer = async.create_task(feed.close, feed)
    local _, why = connection:recv()
    assert.same({ 1001, "peer" }, { why.code, why.by })
    connection:close()
    closer:await()
  end)

  it("says what is wrong with what it is given", function()
    for expected, peers in pairs {
      ['"a": a key as "ws://host/path" or "/path" expected'] = { a = {} },
      ["a handler or a list of messages expected, got string"] = { ["/a"] = "text" },
    } do
      assert.error_matches(function()
        mock.ws(peers)
      end, expected, 1, true)
    end
  end)
end)
