local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local net = require "strobe.net"
local ws = require "strobe.ws"

-- A server, and `count` clients.
local function crowd(count, options, client_options)
  local server = assert(ws.serve(function(connection)
    connection:wait_closed()
  end, "127.0.0.1", 0, options))
  local clients = {}
  for i = 1, count do
    clients[i] = assert(ws.connect(("ws://127.0.0.1:%d/%d"):format(server:port(), i), client_options))
  end
  while #server:connections() < count do
    async.sleep(0.01)
  end
  return server, clients, cleanup(function()
    for _, client in ipairs(clients) do
      client:abort()
    end
    server:close()
  end)
end

-- Opens a WebSocket that never reads.
local function mute(server)
  local stream = assert(net.connect("127.0.0.1", server:port()))
  stream:write("GET /mute HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    .. "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n\r\n")
  stream:read_until "\r\n\r\n"
  return stream
end

local function of_mute(server)
  for _, connection in ipairs(server:connections()) do
    if connection.request.target == "/mute" then
      return connection
    end
  end
end

describe("ws.broadcast", function()
  it("sends one message to all of a server, a list, a set or an iterator", function()
    local server, clients, _ <close> = crowd(3)
    local list, set, i = server:connections(), {}, 0
    for _, connection in ipairs(list) do
      set[connection] = true
    end
    local function iterator()
      i = i + 1
      return list[i]
    end
    local own = { each = function()
      return next, set
    end }
    for _, peers in ipairs { server, list, set, iterator, own } do
      assert.same({ 3, 0 }, { ws.broadcast(peers, "to all") })
      assert.same({ 3, 0 }, { ws.broadcast(set, "\xff", { binary = true }) })
      for _, client in ipairs(clients) do
        assert.same({ "to all", "text" }, { client:recv() })
        assert.same({ "\xff", "binary" }, { client:recv() })
      end
    end
    assert.same({ 0, 0 }, { ws.broadcast({}, "to nobody") })
  end)

  it("refuses what is none of them, and what is no text", function()
    for _, wrong in ipairs { 5, "x", true } do
      assert.error_matches(function()
        ws.broadcast(wrong, "x")
      end, "ws.broadcast: a server, a list, a set or an iterator expected")
    end
    assert.error_matches(function()
      ws.broadcast({}, 5)
    end, "ws.broadcast: a message expected, got number")
    assert.error_matches(function()
      ws.broadcast({}, "\xff")
    end, "the text is not UTF%-8")
  end)

  it("passes over those who do not read, and nobody else suffers", function()
    local server, clients, _ <close> = crowd(2)
    local silent <close> = mute(server)
    local message = ("x"):rep(60000)
    local skips = 0
    for _ = 1, 500 do
      local sent, skipped = ws.broadcast(server, message)
      assert.equal(3, sent + skipped)
      skips = skips + skipped
      for _, client in ipairs(clients) do
        assert.equal(#message, #client:recv(5))
      end
    end
    assert.is_true(skips > 300)
    local _, queued = of_mute(server).core:buffered()
    assert.is_true(queued <= 64 * 1024 + #message + 10, queued)
    assert.equal("open", of_mute(server):state())
    silent:abort()
  end)

  it("closes them with 1008 when it is told to", function()
    local server, clients, _ <close> = crowd(1, { close_timeout = 3 })
    local silent <close> = mute(server)
    local slow = of_mute(server)
    for _ = 1, 500 do
      ws.broadcast(server, ("x"):rep(60000), { slow = "close" })
      clients[1]:recv(5)
    end
    assert.equal("closing", slow:state())
    local why = slow:wait_closed()
    assert.same({ 1008, "too slow", "us" }, { why.code, why.reason, why.by })
    assert.equal("open", server:connections()[1]:state())
    silent:abort()
  end)

  it("passes over those who have gone", function()
    local server, clients, _ <close> = crowd(2)
    local list = server:connections()
    clients[1]:close()
    assert.same({ 1, 1 }, { ws.broadcast(list, "x") })
    assert.equal("x", (clients[2]:recv()))
  end)

  it("is compressed for those who take that, among messages of their own", function()
    local server, clients, _ <close> = crowd(2, { compression = true }, { compression = true })
    local plain <close> = assert(ws.connect(("ws://127.0.0.1:%d/"):format(server:port())))
    async.sleep(0.1)
    local list, ticks = server:connections(), {}
    for i = 1, 200 do
      ticks[i] = ('{"symbol":"BTCUSDT","price":%d,"size":%d}'):format(i * 7919 % 1000, i)
    end
    local text, own = table.concat(ticks), table.concat(ticks, ",", 50)
    for _ = 1, 3 do
      for _, connection in ipairs(list) do
        connection:send(own)
      end
      ws.broadcast(list, text)
      ws.broadcast(list, "short")
      for _, connection in ipairs(list) do
        connection:send(own)
      end
    end
    for _, client in ipairs { clients[1], clients[2], plain } do
      for _ = 1, 3 do
        for _, expected in ipairs { own, text, "short", own } do
          assert.is_true(expected == client:recv(5))
        end
      end
    end
    -- On the way of bare bytes it is small.
    local stream <close> = assert(net.connect("127.0.0.1", server:port()))
    stream:write("GET /mute HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      .. "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n"
      .. "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
    stream:read_until "\r\n\r\n"
    ws.broadcast({ of_mute(server) }, text)
    local header = stream:read_exactly(4)
    assert.equal(0xc1, header:byte())
    assert.is_true(string.unpack(">I2", header, 3) < #text // 3)
    stream:abort()
    plain:abort()
  end)

  it("is not mixed up with a message in fragments", function()
    local server, clients, _ <close> = crowd(1)
    local client, peer = clients[1], server:connections()[1]
    local gate = async.Event()
    local sending = async.create_task(peer.send, peer, async.generator(function(yield)
      yield "begun"
      gate:wait()
    end)())
    async.sleep(0)
    assert.same({ 0, 1 }, { ws.broadcast({ peer }, "to all", { slow = "close" }) })
    gate:set()
    sending:await()
    assert.same({ 1, 0 }, { ws.broadcast({ peer }, "to all") })
    assert.equal("begun", (client:recv()))
    assert.equal("to all", (client:recv()))
  end)
end)

describe("server:each", function()
  it("goes over those that were there, while others come and go", function()
    local server, clients, _ <close> = crowd(20)
    local seen, late = 0, {}
    local _ <close> = cleanup(function() -- luacheck: ignore
      for _, client in ipairs(late) do
        client:abort()
      end
    end)
    for _ in server:each() do
      seen = seen + 1
      clients[seen]:abort()
      for i = 1, 3 do
        late[#late + 1] = assert(ws.connect(("ws://127.0.0.1:%d/late%d"):format(server:port(), i)))
      end
      collectgarbage()
    end
    assert.equal(20, seen)
  end)
end)
