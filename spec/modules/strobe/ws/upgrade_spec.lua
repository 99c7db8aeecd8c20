local async = require "strobe.async"
local client = require "spec.support.http"
local websocket = require "spec.support.websocket"
local ws = require "strobe.ws"

-- An HTTP server with a WebSocket echo at /ws.
local function serve(options)
  return client.serve(function(request)
    if request.path ~= "/ws" then
      return 200, nil, "page"
    end
    return ws.upgrade(request, function(connection)
      for message in connection:messages() do
        connection:send(message .. " from " .. connection.request.remote)
      end
    end, options)
  end)
end

local HANDSHAKE = "GET /ws HTTP/1.1\nHost: x\nUpgrade: websocket\nConnection: Upgrade\n"
  .. "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\nSec-WebSocket-Version: 13\n\n"

describe("ws.upgrade", function()
  it("makes a WebSocket of a request, beside pages on the same port", function()
    local server <close> = serve()
    assert.equal("page", client.ask(server, client.GET).body)
    local connection <close> = assert(ws.connect(("ws://127.0.0.1:%d/ws"):format(server:port())))
    connection:send "hello"
    assert.equal("hello from 127.0.0.1", (connection:recv()))
    assert.equal("page", client.ask(server, client.GET).body)
  end)

  it("loses no frame that came with the request, however the bytes come", function()
    local text = HANDSHAKE:gsub("\n", "\r\n") .. websocket.text "one" .. websocket.text "two"
    local server <close> = serve()
    for cut = #text - 30, #text, 3 do
      local conn <close> = client.connect(server)
      conn:write(text:sub(1, cut))
      async.sleep(0)
      conn:write(text:sub(cut + 1))
      assert.matches("^HTTP/1.1 101 Switching Protocols\r\n", conn:read_until "\r\n\r\n")
      assert.equal("one from 127.0.0.1", select(2, websocket.read_frame(conn)))
      assert.equal("two from 127.0.0.1", select(2, websocket.read_frame(conn)))
      conn:write(websocket.close(1000))
      assert.same({ 1000, "" }, websocket.read_close(conn))
    end
    async.sleep(1)
  end)

  it("follows other requests on the same connection", function()
    local server <close> = serve()
    local conn <close> = client.connect(server)
    client.send(conn, client.GET .. "POST / HTTP/1.1\nHost: x\nContent-Length: 3\n\nabc" .. HANDSHAKE)
    conn:write(websocket.text "late")
    assert.equal("page", client.read(conn).body)
    assert.equal("page", client.read(conn).body)
    conn:read_until "\r\n\r\n"
    assert.equal("late from 127.0.0.1", select(2, websocket.read_frame(conn)))
  end)

  it("answers what is no handshake with what is wrong", function()
    local server <close> = serve()
    local answer = client.ask(server, "GET /ws HTTP/1.1\nHost: x\n\n")
    assert.same({ 426, "13" }, { answer.status, answer.headers["sec-websocket-version"] })
    assert.equal("Upgrade, close", answer.headers.connection)
  end)

  it("refuses origins that are not allowed", function()
    local server <close> = serve { origins = { "https://ours.example" } }
    local uri = ("ws://127.0.0.1:%d/ws"):format(server:port())
    assert.equal(403, select(4, ws.connect(uri, { origin = "https://evil.example" })).status)
    local connection <close> = assert(ws.connect(uri, { origin = "https://ours.example" }))
    assert.equal("open", connection:state())
  end)

  it("ends with 1001 when the HTTP server closes", function()
    local server = serve()
    local connection = assert(ws.connect(("ws://127.0.0.1:%d/ws"):format(server:port())))
    local closer = async.create_task(server.close, server)
    local _, why = connection:recv()
    assert.same({ 1001, "peer" }, { why.code, why.by })
    connection:close()
    closer:await()
  end)

  it("needs a handler", function()
    assert.error_matches(function()
      ws.upgrade({ headers = {} })
    end, "ws.upgrade: a handler expected, got nil")
  end)
end)
