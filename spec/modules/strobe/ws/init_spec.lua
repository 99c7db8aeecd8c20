local Certificates = require "spec.support.certificates"
local async = require "strobe.async"
local net = require "strobe.net"
local path = require "spec.support.path"
local raised = require("spec.support.errors").raised
local reports_of = require("spec.support.reports").of
local websocket = require "spec.support.websocket"
local ws = require "strobe.ws"

local echo, uri = websocket.echo, websocket.uri

describe("a WebSocket", function()
  describe("between a client and a server", function()
    it("carries text and binary messages both ways, in order", function()
      local server <close> = echo()
      local client <close> = assert(ws.connect(uri(server)))
      client:send "hello ü"
      client:send_bytes "\0\xff"
      client:send ""
      assert.same({ "hello ü", "text" }, { client:recv() })
      assert.same({ "\0\xff", "binary" }, { client:recv() })
      assert.same({ "", "text" }, { client:recv() })
    end)

    it("carries large messages", function()
      local server <close> = echo()
      local client <close> = assert(ws.connect(uri(server)))
      local large = ("0123456789"):rep(100000)
      client:send(large)
      assert.equal(large, (client:recv()))
    end)

    it("knows the request and the answer", function()
      local seen
      local server <close> = assert(ws.serve(function(connection)
        seen = connection.request
      end, "127.0.0.1", 0, { headers = { ["X-Server"] = "ours" } }))
      local client <close> = assert(ws.connect(uri(server, "/feed?a=1"), { headers = { ["X-Key"] = "k" } }))
      client:recv()
      assert.equal("/feed?a=1", seen.target)
      assert.equal("k", seen.headers["x-key"])
      assert.equal("ours", client.response.headers["x-server"])
    end)

    it("agrees on a subprotocol of both", function()
      local server <close> = echo { subprotocols = { "v2", "v1" } }
      local client <close> = assert(ws.connect(uri(server), { subprotocols = { "v1", "v2" } }))
      assert.equal("v2", client.subprotocol)
      local other <close> = assert(ws.connect(uri(server), { subprotocols = { "v3" } }))
      assert.is_nil(other.subprotocol)
    end)

    it("works over a unix socket", function()
      local name = path.free()
      local server <close> = assert(ws.serve(function(connection)
        connection:send "over unix"
      end, "unix:" .. name, 0))
      local client <close> = assert(ws.connect("ws+unix:" .. name))
      assert.equal("over unix", (client:recv()))
      server:close()
      os.remove(name)
    end)

    it("works over TLS", function()
      local certificates <close> = Certificates.new()
      local good = certificates.good
      local server <close> = echo { tls = { cert = good.cert, key = good.key } }
      local secure = ("wss://localhost:%d/"):format(server:port())
      local client <close> = assert(ws.connect(secure, { tls = { ca = certificates.ca.cert } }))
      local large = ("over TLS "):rep(20000)
      client:send(large)
      assert.equal(large, (client:recv()))
      local _, message = ws.connect(secure)
      assert.matches("unable to get local issuer certificate", message)
    end)

    it("refuses to send what is not UTF-8 as text", function()
      local server <close> = echo()
      local client <close> = assert(ws.connect(uri(server)))
      assert.error_matches(function()
        client:send "\xff"
      end, "the text is not UTF%-8; send_bytes takes any bytes")
    end)
  end)

  describe("closing", function()
    it("tells code and reason to the other side", function()
      local why
      local server <close> = assert(ws.serve(function(connection)
        why = select(2, connection:recv())
      end, "127.0.0.1", 0))
      local client = assert(ws.connect(uri(server)))
      client:close(4000, "enough")
      async.sleep(1)
      assert.is_true(async.is(why, ws.ConnectionClosedError))
      assert.same({ 4000, "enough", "peer" }, { why.code, why.reason, why.by })
      assert.equal("ConnectionClosedError: closed by the peer: 4000: enough", tostring(why))
      assert.equal("us", client:closed().by)
      assert.equal("closed", client:state())
    end)

    it("ends messages() when it is clean", function()
      local server <close> = assert(ws.serve(function(connection)
        connection:send "last"
      end, "127.0.0.1", 0))
      local client <close> = assert(ws.connect(uri(server)))
      local seen = {}
      for message in client:messages() do
        seen[#seen + 1] = message
      end
      assert.same({ "last" }, seen)
      assert.is_true(async.is(client:closed(), ws.ConnectionClosedOK))
    end)

    it("raises in messages() when the handler failed, which is reported", function()
      local server <close> = assert(ws.serve(function()
        error("broken handler", 0)
      end, "127.0.0.1", 0))
      local e
      local reports = reports_of(function()
        local client <close> = assert(ws.connect(uri(server)))
        e = raised(ws.ConnectionClosedError, client:messages())
      end)
      assert.equal(1011, e.code)
      assert.matches("^error in a WebSocket handler\nbroken handler", reports[1].message)
    end)

    it("says 1006 when the peer has just gone", function()
      local server <close> = echo()
      local client = assert(ws.connect(uri(server)))
      local gone = assert(ws.connect(uri(server)))
      gone:abort()
      async.sleep(1)
      assert.equal(1006, select(2, gone:recv()).code)
      client:close()
      async.sleep(1) -- the server's task ends a little later
      assert.equal(0, server:stats().connections)
    end)

    it("of the server tells its clients 1001", function()
      local server = echo()
      local client = assert(ws.connect(uri(server)))
      async.create_task(server.close, server)
      local _, why = client:recv()
      assert.same({ 1001, "peer" }, { why.code, why.by })
      client:close()
      server:close()
    end)

    it("makes send return why, as an error that can be raised", function()
      local server <close> = echo()
      local client = assert(ws.connect(uri(server)))
      client:close()
      local nothing, why, code = client:send "late"
      assert.is_nil(nothing)
      assert.equal("ECONNRESET", code)
      assert.is_true(async.is(why, ws.ConnectionClosedOK))
    end)
  end)

  describe("recv", function()
    it("gives up after a time, and nothing is lost", function()
      local server <close> = assert(ws.serve(function(connection)
        async.sleep(5)
        connection:send "late"
        connection:recv()
      end, "127.0.0.1", 0))
      local client <close> = assert(ws.connect(uri(server)))
      assert.same({ nil, "recv: no message within 1 s", "ETIMEDOUT" }, { client:recv(1) })
      assert.equal("late", (client:recv(10)))
    end)
  end)
end)

describe("ws.connect", function()
  -- A server that answers any head with these bytes; `keep`: it does not hang up.
  local function answering(bytes, keep)
    local listener = assert(net.listen("127.0.0.1", 0))
    local kept = {}
    local task = async.create_task(function()
      for conn in listener:accept() do
        kept[#kept + 1] = conn
        conn:read_until "\r\n\r\n"
        conn:send(bytes)
        if not keep then
          conn:close()
        end
      end
    end)
    return setmetatable({
      port = function()
        return listener:port()
      end,
    }, {
      __close = function()
        listener:close()
        task:cancel()
        for _, conn in ipairs(kept) do
          conn:abort()
        end
      end,
    })
  end

  it("fails where nobody listens", function()
    local listener = assert(net.listen("127.0.0.1", 0))
    local port = listener:port()
    listener:close()
    local client, message, code = ws.connect(("ws://127.0.0.1:%d/"):format(port))
    assert.is_nil(client)
    assert.equal("ECONNREFUSED", code)
    assert.matches("^ws.connect ws://127.0.0.1:%d+/: connect 127.0.0.1:%d+: connection refused", message)
  end)

  it("does not wait for a silent server for ever", function()
    local server <close> = answering("", true)
    local _, message, code = ws.connect(uri(server), { open_timeout = 3 })
    assert.equal("ETIMEDOUT", code)
    assert.matches("no answer within 3 s$", message)
  end)

  it("tells what a server answered that is none for WebSockets", function()
    local server <close> = answering "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnone\n"
    local _, message, code, response = ws.connect(uri(server))
    assert.equal("EPROTO", code)
    assert.matches("the server answered 404 Not Found: none$", message)
    assert.equal(404, response.status)
  end)

  it("refuses an answer that is wrong", function()
    local upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    for bytes, expected in pairs {
      ["SSH-2.0-x\r\n\r\n"] = "no HTTP answer",
      ["HTTP/1.1 101 X\r\n\r\n"] = "the answer does not upgrade to a WebSocket",
      [upgrade .. "\r\n"] = "Sec-WebSocket-Accept is missing or wrong",
      [upgrade .. "Sec-WebSocket-Accept: x\r\n\r\n"] = "Sec-WebSocket-Accept is missing or wrong",
      [upgrade:gsub("\r\n", "\n") .. "\n\n"] = "ended",
    } do
      local server <close> = answering(bytes)
      local client, message = ws.connect(uri(server))
      assert.is_nil(client)
      assert.truthy(message:find(expected, 1, true), message)
    end
  end)

  it("follows redirects, but not in circles", function()
    local target <close> = echo()
    local server <close> = answering(("HTTP/1.1 302 Found\r\nLocation: %s\r\n\r\n"):format(uri(target, "/there")))
    local client <close> = assert(ws.connect(uri(server)))
    assert.equal("/there", client.request.target)
    local circle <close> = answering "HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n"
    local _, why, _, response = ws.connect(uri(circle))
    assert.matches("more than 5 redirects$", why)
    assert.equal(302, response.status)
    local away <close> = answering "HTTP/1.1 302 Found\r\nLocation: mailto:x\r\n\r\n"
    local _, message, code = ws.connect(uri(away))
    assert.equal("EPROTO", code)
    assert.matches("the server redirects to .*no WebSocket URI", message)
  end)

  -- A server that redirects /from to `location`, and what it was asked for at the end.
  local function redirecting(location)
    local asked = {}
    return echo {
      process_request = function(request)
        asked[#asked + 1] = request
        if request.target == "/from/here" then
          return 307, { Location = location }
        end
      end,
    }, asked
  end

  it("understands a Location of any form", function()
    for location, target in pairs {
      ["/there?a=1#part"] = "/there?a=1", ["near"] = "/from/near", ["../up/./x"] = "/up/x",
      ["?b=2"] = "/from/here?b=2",
    } do
      local server <close>, asked = redirecting(location)
      local client <close> = assert(ws.connect(uri(server, "/from/here")))
      assert.equal(target, asked[2].target)
      assert.equal(target, client.request.target)
    end
    local target <close> = echo()
    local server <close> = redirecting(("//localhost:%d/net"):format(target:port()))
    local client <close> = assert(ws.connect(uri(server, "/from/here")))
    assert.equal("/net", client.request.target)
  end)

  it("keeps credentials to the server they were meant for", function()
    local headers = { Authorization = "Bearer secret", Cookie = "id=1", ["X-Key"] = "k" }
    local target <close>, seen = redirecting "/"
    local server <close>, asked = redirecting(uri(target, "/end"))
    local other <close> = assert(ws.connect(uri(server, "/from/here"), { headers = headers }))
    assert.equal("Bearer secret", asked[1].headers.authorization)
    assert.same({ nil, nil, "k" }, { seen[1].headers.authorization, seen[1].headers.cookie, seen[1].headers["x-key"] })
    assert.equal("open", other:state())
    local same <close>, again = redirecting "/end"
    local named = ("ws://me:secret@127.0.0.1:%d/from/here"):format(same:port())
    local client <close> = assert(ws.connect(named))
    assert.equal("/end", client.request.target)
    assert.equal("Basic bWU6c2VjcmV0", again[2].headers.authorization)
  end)

  it("does not follow from wss to ws", function()
    local certificates <close> = Certificates.new()
    local good = certificates.good
    local server <close> = echo {
      tls = { cert = good.cert, key = good.key },
      process_request = function()
        return 302, { Location = "ws://localhost/" }
      end,
    }
    local _, message, code, response = ws.connect(("wss://localhost:%d/"):format(server:port()),
      { tls = { ca = certificates.ca.cert } })
    assert.matches("the server redirects from wss to ws://localhost/$", message)
    assert.same({ "EPROTO", 302 }, { code, response.status })
  end)

  it("follows no redirect on a stream that was given", function()
    local server <close> = redirecting "/there"
    local stream = assert(net.connect("127.0.0.1", server:port()))
    local _, message = ws.connect(uri(server, "/from/here"), { stream = stream })
    assert.matches("the server answered 307", message)
    assert.is_true(stream:is_closing())
  end)

  it("passes over answers before the real one, but not for ever", function()
    local early = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    local server <close> = answering(early .. "HTTP/1.1 404 Not Found\r\n\r\n")
    assert.equal(404, select(4, ws.connect(uri(server))).status)
    local endless <close> = answering(("HTTP/1.1 100 Continue\r\n\r\n"):rep(100))
    assert.matches("more than 16 answers with 1xx$", (select(2, ws.connect(uri(endless)))))
  end)

  it("tells the status even when the body does not come", function()
    local server <close> = answering("HTTP/1.1 503 Busy\r\nContent-Length: 500\r\n\r\n", true)
    local _, message, _, response = ws.connect(uri(server))
    assert.matches("the server answered 503 Busy$", message)
    assert.is_nil(response.body)
  end)

  it("shows no password in its messages", function()
    local server <close> = answering "HTTP/1.1 404 Not Found\r\n\r\n"
    local _, message = ws.connect(("ws://me:secret@127.0.0.1:%d/"):format(server:port()))
    assert.matches("^ws.connect ws://…@127.0.0.1:%d+/: the server answered 404", message)
  end)

  it("takes no header that would make another line", function()
    local server <close> = echo()
    assert.error_matches(function()
      ws.connect(uri(server), { headers = { ["X-A"] = "b\r\nX-C: d" } })
    end, "a value of one line expected")
  end)

  it("takes WebSocket URIs only", function()
    assert.error_matches(function()
      ws.connect "http://example.org"
    end, "ws.connect: .*begins with ws://")
  end)
end)

describe("ws.reconnecting", function()
  it("gives one connection after another, with pauses while there is none", function()
    local listener = assert(net.listen("127.0.0.1", 0))
    local port, pauses, seen = listener:port(), {}, {}
    listener:close()
    async.create_task(function()
      async.sleep(30)
      local server = assert(ws.serve(function(connection)
        connection:send "up"
      end, "127.0.0.1", port))
      async.sleep(30)
      server:close()
    end)
    local options = {
      on_failure = function(_, code, seconds)
        assert.equal("ECONNREFUSED", code)
        pauses[#pauses + 1] = seconds
      end,
    }
    for connection in ws.reconnecting(("ws://127.0.0.1:%d"):format(port), options) do
      for message in connection:messages() do
        seen[#seen + 1] = message
      end
      if #seen == 3 then
        break
      end
    end
    assert.same({ "up", "up", "up" }, seen)
    assert.is_true(#pauses > 1 and pauses[1] <= 5 and pauses[#pauses] <= 60 * 1.2)
    async.sleep(40)
  end)

  it("raises what cannot get better", function()
    local server <close> = echo {
      process_request = function()
        return 403, nil, "go away"
      end,
    }
    local e = raised(async.ConnectionError, ws.reconnecting(uri(server)))
    assert.matches("403 Forbidden: go away", e.message)
    assert.same({ "EPROTO", 403 }, { e.code, e.response.status })
  end)

  -- The codes and statuses of the failures until one is raised, or the third.
  local function failures(place, options)
    local list = {}
    options.is_fatal = function(_, code, response)
      list[#list + 1] = response and response.status or code
      if #list == 3 then
        return true
      end
    end
    raised(async.ConnectionError, ws.reconnecting(place, options))
    return list
  end

  it("waits out what may pass, and nothing else", function()
    for status, expected in pairs { [400] = 1, [401] = 1, [404] = 1, [429] = 3, [408] = 3, [500] = 3, [503] = 3 } do
      local server <close> = echo {
        process_request = function()
          return status
        end,
      }
      assert.equal(expected, #failures(uri(server), {}), status)
    end
  end)

  it("raises for a certificate that is not trusted", function()
    local certificates <close> = Certificates.new()
    local server <close> = echo { tls = { cert = certificates.expired.cert, key = certificates.expired.key } }
    local tls = { ca = certificates.ca.cert }
    assert.same({ "EBADCERT" }, failures(("wss://localhost:%d/"):format(server:port()), { tls = tls }))
  end)
end)

describe("ws.serve", function()
  local function ask(server, head)
    local conn <close> = assert(net.connect("127.0.0.1", server:port()))
    conn:write((head:gsub("\n", "\r\n")))
    local answer = ""
    repeat
      local bytes = conn:read()
      answer = answer .. (bytes or "")
    until not bytes or bytes == ""
    return answer
  end

  it("answers plain HTTP on the same port, when process_request does", function()
    local server <close> = echo {
      process_request = function(request)
        if request.target == "/health" then
          return 200, { ["Content-Type"] = "text/plain" }, "fine"
        end
      end,
    }
    local answer = ask(server, "GET /health HTTP/1.1\nHost: x\n\n")
    assert.matches("^HTTP/1.1 200 OK\r\n.*\r\n\r\nfine$", answer)
    local client <close> = assert(ws.connect(uri(server)))
    client:send "x"
    assert.equal("x", (client:recv()))
  end)

  it("answers requests that are none for it with what is wrong", function()
    local server <close> = echo()
    local upgrade = "Upgrade: websocket\nConnection: keep-alive, Upgrade\n"
    local key = "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\n"
    for head, status in pairs {
      ["GET / HTTP/1.1\nHost: x\n\n"] = 426,
      ["POST / HTTP/1.1\nHost: x\n" .. upgrade .. "\n"] = 405,
      ["GET / HTTP/1.1\n" .. upgrade .. "\n"] = 400,
      ["GET / HTTP/1.1\nHost: x\nHost: y\n" .. upgrade .. "\n"] = 400,
      ["GET / HTTP/1.1\nHost: x\n" .. upgrade .. key .. "Sec-WebSocket-Version: 8\n\n"] = 426,
      ["GET / HTTP/1.1\nHost: x\n" .. upgrade .. "Sec-WebSocket-Version: 13\n\n"] = 400,
      ["GET / HTTP/1.1\nHost: x\n" .. upgrade .. "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: short\n\n"] = 400,
      ["GET / HTTP/1.1\nHost: x\n folded\n\n"] = 400,
      ["GET / HTTP/1.1\nHost : x\n\n"] = 400,
      ["nonsense\n\n"] = 400,
    } do
      assert.matches("^HTTP/1.1 " .. status .. " ", ask(server, head), head)
    end
    assert.equal(10, server:stats().refused)
  end)

  it("answers 500 when process_request fails, and reports that", function()
    local server <close> = echo {
      process_request = function()
        error("broken check", 0)
      end,
    }
    local response
    local reports = reports_of(function()
      response = select(4, ws.connect(uri(server)))
    end)
    assert.equal(500, response.status)
    assert.matches("^error in the handler of GET /\nbroken check", reports[1].message)
  end)

  it("may be left by an error, which goes on", function()
    local ok, e = pcall(function()
      local server <close> = echo() -- luacheck: ignore
      error("the reason", 0)
    end)
    assert.same({ false, "the reason" }, { ok, e })
  end)

  it("takes no header that would make another line", function()
    assert.error_matches(function()
      echo { headers = { ["X A"] = "1" } }
    end, 'ws.serve: header "X A": a name without blanks')
  end)

  it("refuses origins that are not allowed", function()
    local server <close> = echo { origins = { "https://ours.example", false } }
    local _, _, _, response = ws.connect(uri(server), { origin = "https://evil.example" })
    assert.equal(403, response.status)
    local ours <close> = assert(ws.connect(uri(server), { origin = "https://ours.example" }))
    local none <close> = assert(ws.connect(uri(server)))
    assert.equal("open", ours:state())
    assert.equal("open", none:state())
  end)

  it("ends a client that does not finish its request", function()
    local server <close> = echo { open_timeout = 3 }
    local conn <close> = assert(net.connect("127.0.0.1", server:port()))
    conn:write "GET / HTTP/1.1\r\nHost:"
    local bytes = conn:read()
    assert.matches("^HTTP/1.1 408 Request Timeout\r\n", bytes)
    assert.equal(1, server:stats().refused)
  end)

  it("takes a limited number of connections", function()
    local server <close> = echo { max_connections = 1 }
    local first <close> = assert(ws.connect(uri(server)))
    local _, _, _, response = ws.connect(uri(server))
    assert.equal(503, response.status)
    assert.equal("open", first:state())
  end)
end)
