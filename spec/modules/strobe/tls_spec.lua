local Certificates = require "spec.support.certificates"
local async = require "strobe.async"
local net = require "strobe.net"

describe("TLS", function()
  local certificates

  setup(function()
    certificates = Certificates.new()
  end)

  teardown(function()
    certificates:__close()
  end)

  local function echo(conn)
    local open <close> = conn -- luacheck: ignore
    repeat
      local bytes = conn:read()
    until not bytes or bytes == "" or not conn:write(bytes)
  end

  -- A server that shows this certificate and sends back what comes. Its connections end
  -- with it.
  local function serve(identity, options)
    local tls = { cert = identity.cert, key = identity.key }
    for name, value in pairs(options or {}) do
      tls[name] = value
    end
    local listener = assert(net.listen("127.0.0.1", 0, { tls = tls }))
    local serving = async.create_task(function()
      local group <close> = async.TaskGroup()
      for conn in listener:accept() do
        group:create_task(echo, conn)
      end
    end)
    return setmetatable({}, {
      __index = listener,
      __close = function()
        listener:close()
        serving:cancel()
        async.wait { serving }
      end,
    })
  end

  local function connect(server, options, host)
    local tls = { ca = certificates.ca.cert }
    for name, value in pairs(options or {}) do
      tls[name] = value
    end
    return net.connect(host or "localhost", server:port(), { tls = tls })
  end

  -- What connecting to a server with this certificate fails by.
  local function refusal(identity, options, host)
    local server <close> = serve(identity)
    local conn, message, code = connect(server, options, host)
    assert.is_nil(conn)
    assert.equal("EBADCERT", code)
    return message
  end

  describe("of a client and a server", function()
    it("carries bytes both ways", function()
      local server <close> = serve(certificates.good)
      local conn <close> = assert(connect(server))
      conn:write "hello"
      assert.equal("hello", conn:read_exactly(5))
      local large = ("0123456789"):rep(50000)
      local writing = async.create_task(conn.write, conn, large)
      assert.equal(large, conn:read_exactly(#large))
      assert.is_true(writing:await())
    end)

    it("tells what was agreed on, and who the peer is", function()
      local server <close> = serve(certificates.good, { alpn = { "http/1.1" } })
      local conn <close> = assert(connect(server, { alpn = { "h2", "http/1.1" } }))
      local info = net.tls_info(conn)
      assert.equal("TLSv1.3", info.version)
      assert.equal("http/1.1", info.alpn)
      assert.equal("CN=localhost", info.peer.subject)
      assert.equal("CN=Spec CA", info.peer.issuer)
      assert.equal("DNS:localhost, IP:127.0.0.1", info.peer.names)
      assert.same({ "127.0.0.1", server:port() }, { net.peer(conn) })
    end)

    it("says the end, which is not the same as a cut", function()
      local server <close> = serve(certificates.good)
      local conn <close> = assert(connect(server))
      conn:shutdown()
      assert.equal("", conn:read())
    end)

    it("resumes its session the next time", function()
      local server <close> = serve(certificates.good)
      local options = { ca = certificates.ca.cert }
      local first = assert(connect(server, options))
      first:write "x" -- its answer comes with the tickets
      first:read_exactly(1)
      assert.is_false(net.tls_info(first).reused)
      collectgarbage() -- the context is first's, too
      local second <close> = assert(connect(server, options))
      assert.is_true(net.tls_info(second).reused)
      first:close()
    end)
  end)

  describe("of a client refuses", function()
    it("a server by a CA which it does not know", function()
      assert.matches("unable to get local issuer certificate", refusal(certificates.untrusted))
    end)

    it("a server that shows a certificate of another host", function()
      assert.matches("hostname mismatch: certificate is for DNS:x.example, not localhost",
        refusal(certificates.wrong_host))
    end)

    it("a server whose certificate has expired", function()
      assert.matches("certificate has expired", refusal(certificates.expired))
    end)

    it("a server whose certificate has the address, and not the name", function()
      assert.matches("mismatch", refusal(certificates.ip_only))
    end)

    it("a server that does not speak TLS", function()
      local server <close> = assert(net.listen("127.0.0.1", 0))
      async.create_task(function()
        local conn = server:accept()()
        conn:write "220 mail.example ESMTP\r\n"
        conn:close()
      end)
      local conn, message, code = connect(server)
      assert.is_nil(conn)
      assert.equal("EPROTO", code)
      assert.matches("the peer does not speak TLS", message)
    end)

    it("a server that never answers", function()
      local server <close> = assert(net.listen("127.0.0.1", 0))
      local accepted
      async.create_task(function()
        accepted = server:accept()()
      end)
      local _, message, code = connect(server, { handshake_timeout = 3 })
      assert.equal("ETIMEDOUT", code)
      assert.matches("no handshake within 3 s", message)
      accepted:close()
    end)
  end)

  describe("of a client takes", function()
    it("an address that the certificate has", function()
      local server <close> = serve(certificates.ip_only)
      local conn <close> = assert(connect(server, nil, "127.0.0.1"))
      conn:write "x"
      assert.equal("x", conn:read_exactly(1))
    end)

    it("another name, when that is asked for", function()
      local server <close> = serve(certificates.wrong_host)
      local conn <close> = assert(connect(server, { server_name = "x.example" }))
      assert.equal("x.example", net.tls_info(conn).server_name)
    end)

    it("anybody, when told not to verify", function()
      local server <close> = serve(certificates.expired)
      local conn <close> = assert(connect(server, { verify = false }))
      conn:write "x"
      assert.equal("x", conn:read_exactly(1))
    end)

    it("CAs as PEM text", function()
      local file = assert(io.open(certificates.ca.cert))
      local text = file:read "a"
      file:close()
      local server <close> = serve(certificates.good)
      local conn <close> = assert(connect(server, { ca = text }))
      conn:write "x"
      assert.equal("x", conn:read_exactly(1))
    end)
  end)

  describe("of a server", function()
    it("demands a certificate of its clients, when told to verify", function()
      local server <close> = serve(certificates.good, { verify = true, ca = certificates.ca.cert })
      local client = certificates.client
      local known <close> = assert(connect(server, { cert = client.cert, key = client.key }))
      known:write "x"
      assert.equal("x", known:read_exactly(1))
      -- In TLS 1.3 a client learns only after its handshake that it is refused.
      local unknown <close> = assert(connect(server))
      local bytes, message = unknown:read()
      assert.is_nil(bytes)
      assert.matches("refused by the peer", message)
    end)

    it("is not held up by a client that does not finish its handshake", function()
      local server <close> = serve(certificates.good)
      local slow <close> = assert(net.connect("127.0.0.1", server:port()))
      slow:write "\x16\x03\x01"
      local quick <close> = assert(connect(server))
      quick:write "x"
      assert.equal("x", quick:read_exactly(1))
    end)

    it("counts handshakes that failed, and says why", function()
      local server <close> = serve(certificates.good)
      local conn <close> = assert(net.connect("127.0.0.1", server:port()))
      conn:write "GET / HTTP/1.1\r\n\r\n"
      async.sleep(1)
      assert.equal(1, server.failures)
      assert.matches("tls handshake: ", server.last_failure)
    end)

    it("needs a certificate that can be read, and its key", function()
      local server, message, code = net.listen("127.0.0.1", 0, { tls = { cert = "/nowhere/cert.pem" } })
      assert.is_nil(server)
      assert.equal("EINVAL", code)
      assert.matches("/nowhere/cert.pem: cannot be read", message)
      message = select(2, net.listen("127.0.0.1", 0, {
        tls = { cert = certificates.good.cert, key = certificates.client.key },
      }))
      assert.matches("key", message)
    end)
  end)

  describe("over any connection, by start_tls", function()
    local function pair(client_options)
      local near, far = net.pipe()
      local good = certificates.good
      local serving = async.create_task(net.start_tls, far, { server = true, cert = good.cert, key = good.key })
      local client, message = net.start_tls(near, client_options
        or { ca = certificates.ca.cert, server_name = "localhost" })
      return client, serving:await(), message
    end

    it("carries bytes", function()
      local client, server = pair()
      client:write "over a pipe"
      assert.equal("over a pipe", server:read_exactly(11))
      client:close()
      server:close()
      client:wait_closed()
      server:wait_closed()
    end)

    it("keeps the order of many small writes, and the backpressure", function()
      local client, server = pair()
      local expected = {}
      local writing = async.create_task(function()
        for i = 1, 2000 do
          expected[i] = ("%d;"):format(i):rep(50)
          assert(client:write(expected[i]))
        end
        client:shutdown()
      end)
      local parts = {}
      repeat
        local bytes = assert(server:read(1000))
        parts[#parts + 1] = bytes
      until bytes == ""
      writing:await()
      assert.equal(table.concat(expected), table.concat(parts))
      client:abort()
      server:abort()
    end)

    it("tells a cut from an end", function()
      local client, server = pair()
      client:write "half"
      client:abort()
      assert.equal("half", server:read())
      local bytes, message = server:read()
      assert.is_nil(bytes)
      assert.matches("bytes may be missing", message)
      server:abort()
    end)

    it("tells an end which the peer has not announced", function()
      local near, relayed = net.pipe()
      local relay, far = net.pipe()
      local function pass(from, to)
        repeat
          local bytes = from:read()
        until not bytes or bytes == "" or not to:write(bytes)
      end
      local passing = { async.create_task(pass, relayed, relay), async.create_task(pass, relay, relayed) }
      local good = certificates.good
      local serving = async.create_task(net.start_tls, far, { server = true, cert = good.cert, key = good.key })
      local client = assert(net.start_tls(near, { ca = certificates.ca.cert, server_name = "localhost" }))
      local server = serving:await()
      for _, task in ipairs(passing) do
        task:cancel()
      end
      async.wait(passing)
      relayed:shutdown()
      assert.same({ nil, "EOF" }, { (select(1, client:read())), (select(3, client:read())) })
      client:abort()
      server:abort()
      relay:abort()
      relayed:abort()
    end)

    it("takes the connection over", function()
      local near, far = net.pipe()
      local secure = async.create_task(net.start_tls, near, { server_name = "x" })
      async.sleep(0)
      assert.error_matches(function()
        near:write "plain"
      end, "a protocol on top of it has taken it over")
      secure:cancel()
      far:close()
    end)
  end)

  it("has options by name, of the right kind", function()
    assert.error_matches(function()
      net.connect("localhost", 1, { tls = { certificate = "x" } })
    end, "net.connect: tls: there is no option 'certificate'")
    assert.error_matches(function()
      net.connect("localhost", 1, { tls = { ca = 5 } })
    end, "net.connect: tls.ca: a string expected, got number")
    assert.error_matches(function()
      net.connect("localhost", 1, { tls = "yes" })
    end, "net.connect: tls: true or a table expected, got string")
  end)
end)
