local Certificates = require "spec.support.certificates"
local Child = require "spec.support.child"
local RawServer = require "spec.support.raw_server"
local async = require "strobe.async"
local http = require "strobe.http"
local net = require "strobe.net"
local program = require("strobe.core.host").program
local time = require "strobe.core.time"

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

describe("wire", function()
  describe("TLS", function()
    local certificates

    setup(function()
      certificates = Certificates.new()
    end)

    teardown(function()
      certificates:__close()
    end)

    local function secure(name, options)
      options = options or {}
      options.cert, options.key = certificates[name].cert, certificates[name].key
      return RawServer.of(RawServer.response "secret", { tls = options })
    end

    it("verifies the server by a CA of the system, or of a file, or of PEM text", function()
      local server <close> = secure "good"
      for _, host in ipairs { "127.0.0.1", "localhost" } do
        for _, ca in ipairs { certificates.ca.cert, read(certificates.ca.cert) } do
          local url = ("https://%s:%d/"):format(host, server.port)
          assert.equal("secret", assert(http.get(url, { tls = { ca = ca } })).body)
        end
      end
      local _, message, code = http.get(server.url)
      assert.matches("unable to get local issuer certificate", message)
      assert.matches("tls%.ca names a CA to trust", message)
      assert.equal("EPROTO", code)
    end)

    it("refuses expired, foreign and misnamed certificates, and says which", function()
      for name, wanted in pairs { expired = "certificate has expired", untrusted = "unable to get local issuer",
        wrong_host = "subject name", ip_only = "subject name" } do
        local server <close> = secure(name)
        local url = ("https://localhost:%d/"):format(server.port)
        local _, message, code = http.get(url, { tls = { ca = certificates.ca.cert } })
        assert.matches(wanted, message)
        assert.equal("EPROTO", code)
        assert.equal("secret", assert(http.get(url, { tls = { verify = false } })).body)
      end
    end)

    it("verifies another name when told", function()
      local server <close> = secure "wrong_host"
      local session <close> = http.Session { tls = { ca = certificates.ca.cert, server_name = "x.example" } }
      assert.equal("secret", assert(session:get(server.url)).body)
      assert.equal("127.0.0.1:" .. server.port, server:header "Host")
      local _, message = session:get(server.url, { tls = { ca = certificates.ca.cert, server_name = "y.example" } })
      assert.matches("y%.example", message)
    end)

    it("shows a certificate of its own", function()
      local server <close> = secure("good", { ca = certificates.ca.cert, verify = true })
      local tls = { ca = certificates.ca.cert, cert = certificates.client.cert, key = certificates.client.key }
      assert.equal("secret", assert(http.get(server.url, { tls = tls })).body)
      tls = { ca = certificates.ca.cert, cert = read(tls.cert), key = read(tls.key) }
      local session <close> = http.Session { tls = tls }
      assert.equal("secret", assert(session:get(server.url)).body)
      local other <close> = http.Session { tls = { ca = certificates.ca.cert } }
      assert.is_nil((other:get(server.url)))
    end)

    it("says which file is wrong", function()
      local server <close> = secure "good"
      local _, message, code = http.get(server.url, { tls = { ca = "/no/such/file" } })
      assert.matches("/no/such/file", message)
      assert.equal("EINVAL", code)
    end)

    it("resumes, and speaks 1.3 alone when asked", function()
      local server <close> = secure("good", { min_version = "1.3" })
      local session <close> = http.Session { tls = { ca = certificates.ca.cert, min_version = "1.3" } }
      for _ = 1, 3 do
        assert.equal("secret", assert(session:get(server.url)).body)
      end
      assert.equal(1, server.accepted)
    end)

    it("to a server without TLS fails", function()
      local listener <close> = assert(net.listen(nil, 0))
      async.create_task(function()
        local connection <close> = listener:accept_one()
        connection:write(RawServer.response "plain")
        connection:read()
      end)
      local _, message, code = http.get(("https://127.0.0.1:%d/"):format(listener:port()))
      assert.matches("http%.get https://", message)
      assert.equal("EPROTO", code)
    end)
  end)

  describe("virtual time", function()
    it("goes on while a server in this process waits", function()
      local server <close> = RawServer.new(function(connection)
        async.sleep(40)
        connection:write(RawServer.response "after a while")
      end)
      assert.equal("after a while", assert(http.get(server.url)).body)
      assert.equal("after a while", assert(http.get(("http://localhost:%d/"):format(server.port))).body)
      assert.equal(80, async.time())
    end)

    it("goes on while it listens on every interface, or on a unix socket", function()
      local path = os.tmpname()
      os.remove(path)
      for _, where in ipairs { { host = "0.0.0.0" }, { unix = path } } do
        local began = async.time()
        local server <close> = RawServer.new(function(connection)
          async.sleep(40)
          connection:write(RawServer.response "after a while")
        end, where)
        local url = server.url or "http://service/"
        assert.equal("after a while", assert(http.get(url, { unix = where.unix })).body)
        assert.equal(began + 40, async.time())
      end
    end)

    it("goes on when the server in this process has closed its listener", function()
      local server <close> = RawServer.new(function(connection)
        async.sleep(1)
        connection:write(RawServer.response "hello")
      end)
      local session <close> = http.Session()
      assert(session:get(server.url))
      server.listener:close()
      assert(session:get(server.url))
      assert.equal(2, async.time())
      assert.equal(1, server.accepted)
    end)

    it("waits for the answer of another process", function()
      local child <close> = Child.spawn(program, { "-e", [[
        local async, net = require "strobe.async", require "strobe.net"
        local server = assert(net.listen(nil, 0))
        print(server:port())
        io.stdout:flush()
        for connection in server:accept() do
          connection:read_until "\r\n\r\n"
          async.sleep(0.1)
          connection:write "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        end
      ]] })
      local url = ("http://127.0.0.1:%s/"):format(child:expect("stdout", "(%d+)\n"))
      time.mode("virtual", 0)
      local ticks = 0
      local ticker = async.create_task(function()
        while true do
          async.sleep(1)
          ticks = ticks + 1
        end
      end)
      assert.equal("ok", assert(http.get(url)).body)
      assert.is_true(async.time() <= 1 and ticks <= 1)
      ticker:cancel()
      time.mode("scaled", 1)
    end)
  end)
end)
