local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local net = require "strobe.net"
local raised = require("spec.support.errors").raised
local testing = require "strobe.testing"
local websocket = require "spec.support.websocket"
local ws = require "strobe.ws"

local FIN, TEXT, PING = websocket.FIN, websocket.TEXT, websocket.PING

-- A client and a server's side over a pipe in memory, or through a server.
local function pair(options)
  local arrived = async.Future()
  local server = assert(ws.serve(function(connection)
    arrived:set_result(connection)
    connection:wait_closed()
  end, "127.0.0.1", 0, options))
  local client = assert(ws.connect(("ws://127.0.0.1:%d/"):format(server:port()), options))
  return client, arrived:await(), server
end

-- A client whose server is bare frames: `peer` is the stream.
local function bare(options)
  local listener <close> = assert(net.listen("127.0.0.1", 0))
  local shaking = async.create_task(function()
    local stream = assert(listener:accept_one())
    local head = stream:read_until "\r\n\r\n"
    local key = head:match "Sec%-WebSocket%-Key: (%S+)"
    stream:write("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
      .. require("strobe.core.ws").accept(key) .. "\r\n\r\n")
    return stream
  end)
  local client = assert(ws.connect(("ws://127.0.0.1:%d/"):format(listener:port()), options))
  return client, shaking:await()
end

-- An `it` with a pair, which it closes.
local function story(name, options, f)
  it(name, function()
    local client, peer, server = pair(options)
    local _ <close> = cleanup(function()
      client:close()
      server:close()
    end)
    f(client, peer)
  end)
end

local function collect(connection)
  local pieces, kinds = {}, {}
  for piece, kind in connection:recv_streaming() do
    pieces[#pieces + 1], kinds[kind] = piece, true
  end
  return table.concat(pieces), next(kinds), #pieces
end

-- A server's frame, unmasked.
local function unmasked(first, payload)
  return string.char(first, #payload) .. payload
end

describe("ws:send of an iterator", function()
  story("blames the line that called it for a mistake", {}, function(client)
    for wrong, pattern in pairs { [5] = "an iterator or a list", [{ 5 }] = "a fragment", ["\xff"] = "is not UTF%-8" } do
      local ok, message = pcall(function()
        client:send(wrong)
      end)
      assert.is_false(ok)
      assert.matches("streaming_spec.lua:%d+: ws:send: .*" .. pattern, message)
    end
  end)

  story("makes one message of what it gives, text or bytes", {}, function(client, peer)
    local count = 0
    assert.is_true(client:send(function()
      count = count + 1
      return ({ "one ", "", "message" })[count]
    end))
    client:send_bytes { "\xff", "\0" }
    client:send {}
    client:send { "" }
    assert.same({ "one message", "text" }, { peer:recv() })
    assert.same({ "\xff\0", "binary" }, { peer:recv() })
    assert.same({ "", "text" }, { peer:recv() })
  end)

  it("sends each fragment as soon as it is there, and control frames between them", function()
    local client, peer = bare()
    local gate = async.Event()
    local sending = async.create_task(client.send, client, async.generator(function(yield)
      yield "first"
      gate:wait()
      yield "second"
    end)())
    assert.same({ TEXT, "first" }, { websocket.read_masked(peer) })
    client:ping "x"
    peer:write(unmasked(FIN | PING, "y"))
    assert.same({ FIN | PING, "x" }, { websocket.read_masked(peer) })
    assert.same({ FIN | websocket.PONG, "y" }, { websocket.read_masked(peer) })
    gate:set()
    assert.same({ 0, "second" }, { websocket.read_masked(peer) })
    assert.same({ FIN, "" }, { websocket.read_masked(peer) })
    assert.is_true(sending:await())
    client:abort()
    peer:close()
  end)

  story("makes other messages wait, in order", {}, function(client, peer)
    testing.fifo()
    local gate = async.Event()
    local sending = async.create_task(client.send, client, function()
      if not gate:is_set() then
        gate:wait()
        return "fragment"
      end
    end)
    async.sleep(0)
    local others = {}
    for i = 1, 3 do
      others[i] = async.create_task(client.send, client, i == 2 and { "a ", "list" } or "message " .. i)
    end
    async.sleep(1)
    assert.is_false(others[1]:done())
    gate:set()
    async.gather(sending, table.unpack(others))
    for _, expected in ipairs { "fragment", "message 1", "a list", "message 3" } do
      assert.equal(expected, (peer:recv()))
    end
  end)

  story("may split characters, but not end within one", {}, function(client, peer)
    client:send { "\xc3", "\xbc" }
    assert.equal("ü", (peer:recv()))
    assert.error_matches(function()
      client:send { "a", "\xc3" }
    end, "ws:send: the text is not UTF%-8")
    assert.equal(1011, select(2, peer:recv()).code)
  end)

  story("that fails closes with 1011, and raises what it raised", {}, function(client, peer)
    local function failing(count)
      return function()
        count = count - 1
        if count < 0 then
          error("no more", 0)
        end
        return "piece"
      end
    end
    assert.error_matches(function()
      client:send(failing(0))
    end, "^no more$")
    client:send "still open"
    assert.equal("still open", (peer:recv()))
    assert.error_matches(function()
      client:send(failing(2))
    end, "^no more$")
    local _, why = peer:recv()
    assert.same({ 1011, "error in a message of fragments" }, { why.code, why.reason })
    assert.equal("ECONNRESET", select(3, client:send { "late" }))
  end)

  story("that is cancelled closes, and lets others know", {}, function(client, peer)
    local sending = async.create_task(client.send, client, function()
      async.sleep(1)
      return "x"
    end)
    async.sleep(1.5)
    local waiting = async.create_task(client.send, client, "next")
    async.sleep(0)
    sending:cancel()
    assert.equal("ECONNRESET", select(3, waiting:await()))
    assert.equal(1011, select(2, peer:recv()).code)
  end)

  story("refuses what is none, and an iterator that sends", {}, function(client)
    for _, wrong in ipairs { 5, true, io.stdout } do
      assert.error_matches(function()
        client:send(wrong)
      end, "ws:send: a string, an iterator or a list of strings expected, got ")
    end
    assert.error_matches(function()
      client:send { 5 }
    end, "ws:send: a fragment: a string expected, got number")
    assert.error_matches(function()
      client:send "\xff"
    end, "ws:send: the text is not UTF%-8")
    assert.error_matches(function()
      client:send(function()
        client:send "inner"
      end)
    end, "ws:send: .* must not send another")
    assert.equal("open", client:state())
  end)

  story("waits for a peer that is slow", { streaming = true, max_size = 30000000 }, function(client, peer)
    local count = 0
    local sending = async.create_task(client.send, client, function()
      count = count + 1
      return count <= 400 and ("x"):rep(60000) or nil
    end)
    async.sleep(1)
    local most = count
    assert.is_true(most < 400)
    assert.equal(400 * 60000, #peer:recv())
    assert.is_true(sending:await())
  end)

  story("is compressed when it begins with enough", { compression = true }, function(client, peer)
    local text = ("tick "):rep(1000)
    client:send { text, "", text }
    client:send { text }
    client:send { "small", text }
    client:send(text)
    assert.equal(text .. text, (peer:recv()))
    assert.equal(text, (peer:recv()))
    assert.equal("small" .. text, (peer:recv()))
    assert.equal(text, (peer:recv()))
  end)
end)

describe("ws:recv_streaming", function()
  story("hands out a message in pieces, then the next", {}, function(client, peer)
    local large = ("0123456789"):rep(50000)
    local sending = async.create_task(function()
      client:send(large)
      client:send ""
      client:send_bytes { "a", "b" }
      client:send "whole"
    end)
    local text, kind, count = collect(peer)
    assert.is_true(large == text and count > 1)
    assert.equal("text", kind)
    assert.same({ "", "text", 1 }, { collect(peer) })
    assert.same({ "ab", "binary", 2 }, { collect(peer) })
    assert.equal("whole", (peer:recv()))
    sending:await()
  end)

  it("hands out what has come of a message, without waiting for the rest", function()
    local client, peer = bare()
    peer:write(unmasked(TEXT, "fir") .. unmasked(0, "st"):sub(1, 3))
    async.sleep(0.1)
    local pieces = client:recv_streaming() -- some of it was gathered before
    assert.equal("firs", (pieces()))
    peer:write "t"
    assert.equal("t", (pieces()))
    peer:write(unmasked(0, "\xc3"))
    peer:write(unmasked(FIN | PING, "x"))
    assert.same({ FIN | websocket.PONG, "x" }, { websocket.read_masked(peer) })
    peer:write(unmasked(0, "\xbca"))
    assert.equal("üa", (pieces()))
    peer:write(unmasked(FIN, ""))
    assert.is_nil(pieces())
    assert.is_nil(pieces())
    peer:write(unmasked(FIN | TEXT, "next"))
    assert.equal("next", (client:recv()))
    client:abort()
    peer:close()
  end)

  story("keeps little in memory", { streaming = true, max_size = 64 * 1024 * 1024 }, function(client, peer)
    local block, sent, held = ("x"):rep(64 * 1024), 0, 0
    local sending = async.create_task(client.send_bytes, client, function()
      sent = sent + 1
      return sent <= 500 and block or nil
    end)
    local size = 0
    for piece in peer:recv_streaming() do
      size = size + #piece
      held = math.max(held, #piece)
      async.sleep(0)
    end
    assert.is_true(sending:await())
    assert.equal(500 * 64 * 1024, size)
    assert.is_true(held <= 128 * 1024, held)
  end)

  story("counts all of a message", { max_size = 1000 }, function(client, peer)
    client:send_bytes { ("x"):rep(600), ("x"):rep(600) }
    local e = raised(ws.ConnectionClosedError, function()
      collect(peer)
    end)
    assert.equal(1009, e.code)
  end)

  story("may be left early: the rest is skipped", {}, function(client, peer)
    local sending = async.create_task(function()
      client:send(("x"):rep(300000))
      client:send "next"
      client:send { "y", "z" }
      client:send "last"
    end)
    for _ in peer:recv_streaming() do -- luacheck: ignore
      break
    end
    assert.equal("next", (peer:recv()))
    for piece in peer:recv_streaming() do -- luacheck: ignore
      assert.equal("y", piece)
      break
    end
    assert.equal("last", collect(peer))
    sending:await()
  end)

  story("lets nobody else receive meanwhile", {}, function(client, peer)
    client:send { "mess", "age" }
    for piece in peer:recv_streaming() do
      for _, method in ipairs(piece == "mess" and { "recv", "recv_streaming" } or {}) do
        assert.error_matches(function()
          peer[method](peer)
        end, "ws:" .. method .. ": a message is being received by recv_streaming")
      end
    end
  end)

  it("goes on where a recv that was cut off has stopped, and the other way round", function()
    local client, peer = bare { streaming = true }
    peer:write(unmasked(TEXT, "be"))
    assert.equal("ETIMEDOUT", select(3, client:recv(1)))
    peer:write(unmasked(0, "gun"))
    assert.equal("ETIMEDOUT", select(3, client:recv(1)))
    peer:write(unmasked(FIN, "!"))
    assert.equal("begun!", (collect(client)))
    peer:write(unmasked(TEXT, "lost"))
    assert.is_false(async.move_on_after(1, collect, client))
    peer:write(unmasked(FIN, "lost too") .. unmasked(FIN | TEXT, "found"))
    assert.equal("found", (client:recv()))
    client:abort()
    peer:close()
  end)

  story("raises how the connection has ended", {}, function(client, peer)
    client:send "last"
    client:close()
    assert.equal("last", (collect(peer)))
    assert.equal(1000, raised(ws.ConnectionClosedOK, function()
      collect(peer)
    end).code)
  end)

  it("raises when it ends within a message", function()
    local client, peer = bare()
    peer:write(unmasked(TEXT, "half"))
    async.create_task(function()
      async.sleep(1)
      peer:close()
    end)
    assert.equal(1006, raised(ws.ConnectionClosedError, function()
      collect(client)
    end).code)
    client:wait_closed()
  end)

  story("inflates what was compressed, and looks at its text", { compression = true }, function(client, peer)
    local text = ("ü€"):rep(40000)
    local sending = async.create_task(function()
      client:send(text)
      client:send { text, text }
    end)
    assert.is_true(text == collect(peer))
    assert.is_true(text .. text == collect(peer))
    sending:await()
  end)

  it("closes with 1007 for what is no text, wherever it is cut", function()
    for cut = 1, 4 do
      local client, peer = bare { streaming = true }
      local bad = "aü\xff"
      peer:write(unmasked(TEXT, bad:sub(1, cut - 1)) .. unmasked(FIN, bad:sub(cut)))
      assert.equal(1007, raised(ws.ConnectionClosedError, function()
        collect(client)
      end).code)
      client:abort()
      peer:close()
    end
  end)

  it("leaves no hole in a message when the connection closes meanwhile", function()
    local client, peer = bare { streaming = true, max_queue = 2, close_timeout = 1 }
    for i = 1, 5 do
      peer:write(unmasked(i == 1 and TEXT or 0, tostring(i)))
      async.sleep(0.1)
    end
    client:close()
    local seen = ""
    raised(ws.ConnectionClosedError, function()
      for piece in client:recv_streaming() do
        seen = seen .. piece
      end
    end)
    assert.equal("12", seen)
    peer:close()
  end)
end)
