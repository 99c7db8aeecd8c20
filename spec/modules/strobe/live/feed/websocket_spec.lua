local Listener = require "spec.support.listener"
local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local feeds = require "strobe.live.feed"
local json = require "strobe.json"
local net = require "strobe.net"
local ws = require "strobe.ws"

-- A server that notes what it is sent, and holds its connections.
local function serve(on_connect, port)
  local made = { connections = {}, received = {}, count = 0 }
  local server = assert(ws.serve(function(connection)
    made.count = made.count + 1
    made.connections[#made.connections + 1] = connection
    if on_connect then
      on_connect(connection, made.count)
    end
    for message in connection:messages() do
      table.insert(made.received, message)
    end
  end, "127.0.0.1", port or 0))
  made.server = server
  function made.url(rest)
    return ("ws://127.0.0.1:%d%s"):format(server:port(), rest or "/")
  end
  function made.send(value)
    local connection = made.connections[#made.connections]
    return connection:send(type(value) == "string" and value or json.encode(value))
  end
  function made.wait(count)
    while made.count < count do
      async.sleep(0.01)
    end
  end
  return setmetatable(made, { __close = function()
    server:close()
  end })
end

local function listen(url, name)
  return Listener.new(assert(feeds.open(url, { name = name or "feed" })))
end

describe("a WebSocket feed", function()
  it("is refused with a reason when its URL cannot be", function()
    for url, reason in pairs {
      ["ws://"] = "a host expected",
      ["ws://localhost:0/"] = "a port from 1 to 65535",
      ["ws://localhost/#idle=never"] = "idle: seconds above 0 expected",
      ["ws://localhost/#stream"] = "options as name=value&… expected behind '#'",
      ["ws://localhost/#sequence=u"] = "there is no option 'sequence'",
    } do
      Listener.refuses(url, reason)
    end
  end)

  it("does not show a password", function()
    local _, message = feeds.open "ws://ada:secret@localhost:0/"
    assert.is_nil(message:find "secret")
  end)

  it("knows the streams of a combined URL, and those it is told", function()
    local feed = assert(feeds.open "wss://stream.binance.com/stream?streams=btcusdt@trade/ethusdt@trade")
    assert.same({ "btcusdt@trade", "ethusdt@trade" }, feed.streams)
    assert.same({ "a", "b" }, assert(feeds.open "ws://localhost/#streams=a,b").streams)
    assert.is_nil(assert(feeds.open "ws://localhost/").streams)
  end)

  it("takes Binance's combined streams apart, with their numbers", function()
    local peer <close> = serve()
    local listener <close> = listen(peer.url "/stream")
    peer.wait(1)
    peer.send { result = json.null, id = 1 }
    peer.send { stream = "a@depth", data = { e = "depthUpdate", U = 1, u = 3 } }
    peer.send { stream = "a@depth", data = { e = "depthUpdate", U = 4, u = 9 } }
    peer.send { stream = "a@depth", data = { e = "depthUpdate", U = 12, u = 12 } }
    peer.send { stream = "a@trade", data = { e = "trade", t = 5 } }
    peer.send { stream = "a@bookTicker", data = { u = 400900217, s = "A" } }
    listener:wait(5)
    assert.same({ 3, 9, 12, 5 }, listener:field "seq")
    assert.equal("a@bookTicker", listener.events[5].stream)
    assert.same({ e = "trade", t = 5 }, listener.events[4].data)
    assert.is_true(listener:heard "stream a@depth: 2 lost between 9 and 12")
    assert.equal(1, listener.feed:statistics().gaps)
  end)

  it("finds stream, number, data and time by paths", function()
    local peer <close> = serve()
    local listener <close> = listen(peer.url "/#stream=product&seq=m.n&data=m&time=m.at")
    peer.wait(1)
    peer.send { product = "BTC", m = { n = 7, at = "2021-02-22T15:51:44.208Z", price = 1 } }
    peer.send { m = { n = "8", at = 1614009104208 } }
    listener:wait(2)
    assert.same({ "BTC", "feed" }, listener:field "stream")
    assert.same({ 7, 8 }, listener:field "seq")
    assert.same({ 1614009104.208, 1614009104.208 }, listener:field "time")
    assert.equal(1, listener.events[1].data.price)
  end)

  it("makes an event of each object of an array, and takes binary frames", function()
    local peer <close> = serve()
    local listener <close> = listen(peer.url "/#stream=S", "alpaca")
    peer.wait(1)
    peer.connections[1]:send('[{"T":"success","msg":"connected"},{"T":"t","S":"AAPL","p":126.55}]', { binary = true })
    listener:wait(2)
    assert.same({ "alpaca", "AAPL" }, listener:field "stream")
  end)

  it("sends what subscribes, again after each reconnect", function()
    local peer <close> = serve()
    local url = peer.url "/#subscribe=%7B%22method%22:%22SUBSCRIBE%22%7D&subscribe=two"
    local listener <close> = listen(url)
    peer.wait(1)
    peer.send { n = 1 }
    listener:wait(1)
    peer.connections[1]:close(1012, "restart")
    peer.wait(2)
    peer.send { n = 2 }
    listener:wait(2)
    assert.same({ '{"method":"SUBSCRIBE"}', "two", '{"method":"SUBSCRIBE"}', "two" }, peer.received)
    assert.equal(1, listener.feed:statistics().reconnects)
    assert.is_true(listener:heard "restart")
  end)

  it("counts and reports what is no JSON, and goes on", function()
    local peer <close> = serve()
    local listener <close> = listen(peer.url())
    peer.wait(1)
    for _, text in ipairs { "", "hello", "{", "7", "null", '"x"', "[1,2]", ("["):rep(5000) } do
      peer.send(text)
    end
    peer.send { n = 1 }
    listener:wait(1)
    assert.equal(8, listener.feed:statistics().broken)
    assert.equal(0, listener.feed:statistics().reconnects)
    assert.is_true(listener:heard 'a message is no JSON object')
  end)

  it("asks a server that connects and says nothing less and less often", function()
    local peer <close> = serve(function(connection)
      connection:close()
    end)
    local listener <close> = listen(peer.url())
    async.sleep(60)
    assert.is_true(peer.count >= 5 and peer.count <= 12, tostring(peer.count))
    assert.equal(peer.count - 1, listener.feed:statistics().reconnects)
  end)

  it("gives a silent connection up when it is told to", function()
    local peer <close> = serve()
    local listener <close> = listen(peer.url "/#idle=30")
    async.sleep(40)
    assert.equal(2, peer.count)
    assert.is_true(listener:heard "no message within 30 s")
  end)

  it("ends when the server refuses it for good", function()
    local server <close> = assert(ws.serve(function() end, "127.0.0.1", 0, {
      process_request = function()
        return 403, {}, "go away"
      end,
    }))
    local listener <close> = listen(("ws://127.0.0.1:%d/"):format(server:port()))
    local done, message, code = listener.task:await()
    assert.is_nil(done)
    assert.matches("go away", message)
    assert.equal("EPROTO", code)
  end)

  it("survives peers that vanish in the midst of a frame, half-close or talk nonsense", function()
    local accept = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      .. "Sec-WebSocket-Accept: %s\r\n\r\n"
    for _, bytes in ipairs { "", "\x81\x7e\x01", "\x81\x05{\"a\"", "\xff\xff\xff\xff", "HTTP/1.1 500 no\r\n\r\n" } do
      for _, leave in ipairs { "abort", "shutdown" } do
        local first <close> = assert(net.listen("127.0.0.1", 0))
        local port = first:port()
        local listener <close> = listen(("ws://127.0.0.1:%d/"):format(port))
        local peer = assert(first:accept_one())
        local head = assert(peer:read_until "\r\n\r\n")
        local key = head:match "Sec%-WebSocket%-Key: (%S+)"
        if not bytes:find "^HTTP" then
          peer:write(accept:format(require("strobe.core.ws").accept(key)))
        end
        peer:write(bytes)
        peer[leave](peer)
        async.sleep(0.01)
        peer:close()
        first:close()
        local again <close> = serve(nil, port)
        again.wait(1)
        again.send { n = 1 }
        listener:wait(1)
      end
    end
  end)

  it("ends at once when it is closed, wherever it waits", function()
    local peer <close> = serve()
    for _, seconds in ipairs { 0, 0.0001, 0.001, 0.01, 1 } do
      local listener <close> = listen(peer.url())
      async.sleep(seconds)
      listener.feed:close()
      local done, _, code = listener.task:await()
      assert.is_nil(done)
      assert.equal("ECANCELED", code)
    end
  end)

  it("is not read while an inbox has no room, in bounded memory", function()
    local sent = 0
    local text = json.encode { stream = "a", data = { text = ("x"):rep(1000) } }
    local peer <close> = serve(function(connection)
      for _ = 1, 20000 do
        if not connection:send(text) then
          return
        end
        sent = sent + 1
      end
    end)
    local units <close> = UnitFolder.new({ ["slow.lua"] = [[return { version = 1, subscribe = { "a" },
      on_event = function(ctx, st, m) ctx:sleep(100) end }]] }, { inbox = { size = 8, policy = "block" } })
    units:start "slow"
    units.runtime:add_feed(assert(feeds.open(peer.url())))
    async.sleep(1)
    local before = sent
    async.sleep(5)
    assert.equal(before, sent)
    assert.is_true(sent < 20000)
    assert.is_true(units.runtime.feeds[1]:statistics().events <= 10)
  end)

  it("is never connected again by a reload", function()
    local peer <close> = serve()
    local text = [[return { version = 1, subscribe = { "a" },
      on_event = function(ctx, st, m) ctx:emit("out", m.data.n) end } -- %d]]
    local units <close> = UnitFolder.new { ["mm.lua"] = text:format(0) }
    units.runtime:add_feed(assert(feeds.open(peer.url())))
    units:start "mm"
    peer.wait(1)
    local numbers = {}
    for i = 1, 20 do
      numbers[i] = i
      peer.send { stream = "a", data = { n = i } }
      assert.equal("committed", units:reload("mm", text:format(i)).verdict)
    end
    async.sleep(1)
    assert.same(numbers, units:values())
    assert.equal(1, peer.count)
  end)
end)
