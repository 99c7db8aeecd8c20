local async = require "strobe.async"
local client = require "spec.support.http"
local reports_of = require("spec.support.reports").of

local GET, ask_raw, serve, telling = client.GET, client.ask_raw, client.serve, client.telling

describe("a connection to an HTTP server", function()
  it("stays for more requests, until the client says that one is the last", function()
    local server <close> = telling(function(request)
      return request.path
    end)
    local conn <close> = client.connect(server)
    for _, name in ipairs { "/a", "/b", "/c" } do
      client.send(conn, ("GET %s HTTP/1.1\nHost: x\n\n"):format(name))
      assert.equal(name, client.read(conn).body)
    end
    client.send(conn, "GET /last HTTP/1.1\nHost: x\nConnection: close\n\n")
    local last = client.read(conn)
    assert.same({ "/last", "close" }, { last.body, last.headers.connection })
    assert.equal("", conn:read())
  end)

  it("ends after an answer that says so", function()
    local server <close> = serve(function()
      return 200, { Connection = "close" }, "bye"
    end)
    assert.matches("Connection: close\r\n.*bye$", ask_raw(server, GET .. GET))
  end)

  it("answers requests that came together in their order, one at a time", function()
    local running, most, order = 0, 0, {}
    local server <close> = telling(function(request)
      running = running + 1
      most = math.max(most, running)
      async.sleep(request.path == "/1" and 3 or 1)
      running = running - 1
      order[#order + 1] = request.path
      return request.path
    end)
    local conn <close> = client.connect(server)
    local sent = ""
    for i = 1, 4 do
      sent = sent .. ("POST /%d HTTP/1.1\nHost: x\nContent-Length: 3\n\nabc"):format(i)
    end
    client.send(conn, sent)
    for i = 1, 4 do
      assert.equal("/" .. i, client.read(conn).body)
    end
    assert.same({ "/1", "/2", "/3", "/4" }, order)
    assert.equal(1, most)
  end)

  it("reads requests the same however their bytes come", function()
    local text = ("POST /a?b=c HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n3;x=y\nabc\n2\nde\n0\nT: v\n\n"
      .. "GET /b HTTP/1.1\nHost: x\n\nPOST /c HTTP/1.1\nHost: x\nContent-Length: 2\nConnection: close\n\nhi")
      :gsub("\n", "\r\n")
    local server <close> = telling(function(request)
      return ("%s %s %s|"):format(request.method, request.target, request:read())
    end)
    local function answers(cuts)
      local conn <close> = client.connect(server)
      local from = 1
      for _, to in ipairs(cuts) do
        conn:write(text:sub(from, to))
        async.sleep(0)
        from = to + 1
      end
      conn:write(text:sub(from))
      local all = client.read_all(conn)
      return (all:gsub("[^|]-\r\n\r\n", ""))
    end
    local whole = answers {}
    assert.equal("POST /a?b=c abcde|GET /b |POST /c hi|", whole)
    for cut = 1, #text - 1, 7 do
      assert.equal(whole, answers { cut })
    end
    local each = {}
    for i = 1, #text - 1 do
      each[i] = i
    end
    assert.equal(whole, answers(each))
  end)

  it("takes an answer from a client that has ended its own side", function()
    local server <close> = telling(function()
      async.sleep(1)
      return "late"
    end)
    local conn <close> = client.connect(server)
    client.send(conn, GET)
    conn:shutdown()
    assert.equal("late", client.read(conn).body)
  end)
end)

describe("what is no HTTP request", function()
  -- Sends text; the status, and that the connection has ended and no handler was called.
  local function refused(text)
    local called = false
    local server <close> = serve(function()
      called = true
      return 200
    end)
    local answer = ask_raw(server, text)
    assert.is_false(called, text)
    assert.matches("\r\nConnection: close\r\n", answer)
    assert.equal(1, server:stats().refused)
    return tonumber(answer:match "^HTTP/1.1 (%d+) ")
  end

  it("is answered with its status, and ends the connection", function()
    for _, case in ipairs {
      { 400, "nonsense\n\n" },
      { 400, "GET /\n\n" },
      { 400, "GET / HTTP/1.1\n\n" },
      { 400, "GET / HTTP/1.1\nHost: a\nHost: b\n\n" },
      { 400, "GET / HTTP/1.1\nHost: a\n folded\n\n" },
      { 400, "GET / HTTP/1.1\nHost : a\n\n" },
      { 400, "GET / HTTP/1.1\nHost: a\nContent-Length: 1\nTransfer-Encoding: chunked\n\n" },
      { 400, "GET x HTTP/1.1\nHost: a\n\n" },
      { 400, "GET /%zz HTTP/1.1\nHost: a\n\n" },
      { 400, "PRI * HTTP/2.0\n\nSM\n\n" },
      { 501, "BREW /pot HTTP/1.1\nHost: a\n\n" },
      { 501, "CONNECT a:1 HTTP/1.1\nHost: a\n\n" },
      { 417, "GET / HTTP/1.1\nHost: a\nExpect: miracles\n\n" },
      { 413, "POST / HTTP/1.1\nHost: a\nContent-Length: 1048577\n\n" },
      { 414, ("GET /%s HTTP/1.1\nHost: a\n\n"):format(("x"):rep(9000)) },
      { 431, ("GET / HTTP/1.1\nHost: a\nX: %s\n\n"):format(("x"):rep(17000)) },
      { 431, "GET / HTTP/1.1\nHost: a\n" .. ("X: y\n"):rep(101) .. "\n" },
    } do
      assert.equal(case[1], refused(case[2]), case[2]:sub(1, 60))
    end
  end)

  it("never lets what follows it be another request", function()
    local seen = {}
    local server <close> = telling(function(request)
      seen[#seen + 1] = request.path
      return request:read()
    end)
    local smuggled = "GET /smuggled HTTP/1.1\nHost: x\n\n"
    local reports = reports_of(function()
      for _, text in ipairs {
        "POST /a HTTP/1.1\nHost: x\nContent-Length: 0\nContent-Length: 33\n\n",
        "POST /a HTTP/1.1\nHost: x\nContent-Length: 0\nTransfer-Encoding: chunked\n\n",
        "POST /a HTTP/1.1\nHost: x\nTransfer-Encoding: xchunked\n\n",
        "POST /a HTTP/1.0\nTransfer-Encoding: chunked\n\n0\n\n",
        "POST /b HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n0x0\n\n",
        "POST /b HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n1\nabc\n0\n\n",
      } do
        local answer = ask_raw(server, text .. smuggled)
        assert.matches("^HTTP/1.1 400 ", answer, text)
      end
    end)
    for _, name in ipairs(seen) do
      assert.equal("/b", name)
    end
    assert.same({}, reports)
  end)
end)

describe("an HTTP server's time", function()
  it("ends a client whose head takes too long, however often it sends some of it", function()
    local server <close> = serve(function()
      return 200
    end)
    local conn <close> = client.connect(server)
    local begun = async.time()
    local sender = async.create_task(function()
      for byte in ("GET / HTTP/1.1\r\nHost: slow.example\r\n"):gmatch "." do
        async.sleep(1)
        conn:send(byte)
      end
    end)
    assert.equal(408, client.read(conn).status)
    assert.is_true(async.time() - begun <= 10.5)
    sender:cancel()
  end)

  it("ends a client that says nothing, without a word", function()
    local server <close> = serve(function()
      return 200
    end, { keep_alive_timeout = 60 })
    local conn <close> = client.connect(server)
    assert.equal("", conn:read())
    assert.equal(10, math.floor(async.time() + 0.5))
    local other <close> = client.connect(server)
    client.send(other, GET)
    client.read(other)
    local begun = async.time()
    assert.equal("", other:read())
    assert.equal(60, math.floor(async.time() - begun + 0.5))
  end)

  it("ends a body that stops, with 408, and lets one that goes on take its time", function()
    local server <close> = telling(function(request)
      return #request:read()
    end, { body_timeout = 5 })
    local head = "POST / HTTP/1.1\nHost: x\nContent-Length: 10\n\n"
    local conn <close> = client.connect(server)
    client.send(conn, head .. "abc")
    assert.equal(408, client.read(conn).status)
    local slow <close> = client.connect(server)
    client.send(slow, head)
    for _ = 1, 10 do
      async.sleep(4)
      slow:send "x"
    end
    assert.equal("10", client.read(slow).body)
  end)

  it("ends a client that takes nothing of its answer, and its handler's work", function()
    local closed, given = false, 0
    local server <close> = serve(function()
      return 200, nil, setmetatable({}, {
        __call = function()
          given = given + 1
          return ("x"):rep(65536)
        end,
        __close = function()
          closed = true
        end,
      })
    end)
    local conn <close> = client.connect(server)
    client.send(conn, GET)
    async.sleep(100)
    assert.is_true(closed)
    assert.is_true(given < 1000) -- what the system holds, and no more
    assert.equal(0, server:stats().connections)
  end)

  it("lets a client read why it was refused which sends all of its body first", function()
    local server <close> = telling(function(request)
      return assert(request:read())
    end)
    local size = 8 * 1024 * 1024
    local conn <close> = client.connect(server)
    client.send(conn, ("POST / HTTP/1.1\nHost: x\nContent-Length: %d\n\n"):format(size))
    assert(conn:write(("x"):rep(size)))
    assert.equal(413, client.read(conn).status)
    assert.equal("", conn:read())
  end)

  it("ends a client that was refused and goes on sending, after 30 seconds", function()
    local server <close> = telling(tostring)
    for _, text in ipairs { "NO\n\n", "POST / HTTP/1.1\nHost: x\nContent-Length: 10000000\n\n" } do
      local conn <close> = client.connect(server)
      client.send(conn, text)
      local began = async.time()
      repeat
        async.sleep(1)
        conn:send "x"
      until server:stats().connections == 0 or async.time() >= began + 100
      assert.near(30, async.time() - began, 1.5)
    end
  end)

  it("leaves a client alone that is slow but takes some", function()
    local size = 8 * 1024 * 1024
    local server <close> = serve(function()
      return 200, nil, ("x"):rep(size)
    end, { write_timeout = 5 })
    local conn <close> = client.connect(server)
    client.send(conn, GET)
    conn:read_until "\r\n\r\n"
    local got = 0
    while got < size do
      async.sleep(0.2)
      got = got + #conn:read(200000)
    end
    assert.equal(size, got)
    assert.is_true(async.time() > 8)
  end)
end)

describe("an HTTP client that goes", function()
  it("in the middle of its head, or of its body, leaves nothing behind", function()
    local reading = 0
    local server <close> = serve(function(request)
      local body, e, code = request:read()
      reading = reading + 1
      assert.is_nil(body)
      assert.same({ 400, "ECONNRESET" }, { e.status, code })
      return 200
    end)
    for _, text in ipairs { "GET / HT", "POST / HTTP/1.1\nHost: x\nContent-Length: 10\n\nabc" } do
      local conn = client.connect(server)
      client.send(conn, text)
      async.sleep(1)
      conn:close()
      async.sleep(5)
    end
    assert.equal(1, reading)
    assert.equal(0, server:stats().connections)
  end)

  it("by a reset while it is answered ends that", function()
    local server <close> = serve(function()
      return 200, nil, function()
        async.sleep(1)
        return ("x"):rep(100000)
      end
    end)
    local conn = client.connect(server)
    client.send(conn, GET)
    async.sleep(3)
    conn:abort()
    async.sleep(10)
    assert.equal(0, server:stats().connections)
  end)
end)
