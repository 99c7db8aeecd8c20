local Certificates = require "spec.support.certificates"
local Folder = require "spec.support.folder"
local async = require "strobe.async"
local child = require "spec.support.child"
local client = require "spec.support.http"
local http = require "strobe.http"
local net = require "strobe.net"
local path = require "spec.support.path"
local reports_of = require("spec.support.reports").of
local strobe = require("strobe.core.host").program
local uv = require "luv"

local GET, ask, ask_raw, serve, telling = client.GET, client.ask, client.ask_raw, client.serve, client.telling

describe("http.serve", function()
  describe("closing", function()
    it("ends those that wait at once, and lets a handler answer", function()
      local server = telling(function()
        async.sleep(5)
        return "done"
      end)
      local port = server:port()
      local idle <close> = client.connect(server)
      local busy <close> = client.connect(server)
      client.send(busy, GET)
      async.sleep(1)
      local begun = async.time()
      local closer = async.create_task(server.close, server)
      assert.equal("", idle:read())
      assert.is_true(async.time() - begun < 1)
      local answer = client.read(busy)
      assert.same({ "done", "close" }, { answer.body, answer.headers.connection })
      busy:close()
      closer:await()
      assert.is_nil((net.connect("127.0.0.1", port)))
    end)

    it("cancels handlers that take longer than it waits", function()
      local cancelled
      local server = serve(function()
        local ok, e = pcall(async.sleep, 1000)
        cancelled = not ok and async.is(e, async.CancelledError)
        error(e, 0)
      end)
      local conn <close> = client.connect(server)
      client.send(conn, GET)
      async.sleep(1)
      server:close(3)
      assert.is_true(cancelled)
      assert.is_true(async.time() < 6)
      server:close()
    end)

    it("may be asked for by a handler", function()
      local server
      server = serve(function()
        server:close()
        return 200, nil, "closed"
      end)
      assert.equal("closed", ask(server, GET).body)
      async.sleep(1)
    end)
  end)

  it("takes a limited number of connections", function()
    local server <close> = telling(function()
      return "in"
    end, { max_connections = 1 })
    local first <close> = client.connect(server)
    client.send(first, GET)
    assert.equal("in", client.read(first).body)
    assert.matches("^HTTP/1.1 503 ", ask_raw(server, ""))
    first:close()
    async.sleep(1)
    assert.equal("in", ask(server, GET).body)
  end)

  it("works over TLS, where the request's scheme is https", function()
    local certificates <close> = Certificates.new()
    local server <close> = telling(function(request)
      return request.scheme .. " " .. net.tls_info(request.stream).version
    end, { tls = { cert = certificates.good.cert, key = certificates.good.key } })
    local conn <close> = assert(net.connect("localhost", server:port(), { tls = { ca = certificates.ca.cert } }))
    client.send(conn, GET)
    assert.equal("https TLSv1.3", client.read(conn).body)
  end)

  it("works over a unix socket", function()
    local name = path.free()
    local server <close> = assert(http.serve(function()
      return 200, nil, "over unix"
    end, "unix:" .. name, 0))
    local conn <close> = assert(net.connect_unix(name))
    client.send(conn, GET)
    assert.equal("over unix", client.read(conn).body)
    server:close()
    os.remove(name)
  end)

  describe("with files", function()
    local SIZE = 64 * 1024 * 1024

    -- A server of a folder with a small file and a large one, whose bytes are zeros.
    local function serve_folder(f)
      local folder <close> = Folder.new { ["small.txt"] = "0123456789" }
      local large = assert(async.fs.open(folder.path .. "/large", "w"))
      large:seek("set", SIZE - 1)
      large:write "\0"
      large:close()
      local server <close> = serve(http.files(folder.path))
      f(server, folder)
    end

    it("sends them, parts of them, or that they are the same", function()
      serve_folder(function(server)
        local conn <close> = client.connect(server)
        client.send(conn, "GET /small.txt HTTP/1.1\nHost: x\n\n")
        local whole = client.read(conn)
        assert.same({ 200, "0123456789" }, { whole.status, whole.body })
        client.send(conn, "GET /small.txt HTTP/1.1\nHost: x\nRange: bytes=2-4\n\n")
        local part = client.read(conn)
        assert.same({ 206, "234", "bytes 2-4/10" }, { part.status, part.body, part.headers["content-range"] })
        client.send(conn, ("GET /small.txt HTTP/1.1\nHost: x\nIf-None-Match: %s\n\n"):format(whole.headers.etag))
        assert.equal(304, client.read(conn).status)
        client.send(conn, "HEAD /large HTTP/1.1\nHost: x\n\n")
        assert.equal(tostring(SIZE), client.read(conn, "HEAD").headers["content-length"])
        client.send(conn, "GET /large HTTP/1.1\nHost: x\n\n")
        assert.equal(SIZE, #client.read(conn).body)
        client.send(conn, "GET /none HTTP/1.1\nHost: x\n\n")
        assert.equal(404, client.read(conn).status)
      end)
    end)

    it("breaks the connection when one shrinks while it is sent", function()
      serve_folder(function(server, folder)
        local conn <close> = client.connect(server)
        local got
        local reports = reports_of(function()
          client.send(conn, "GET /large HTTP/1.1\nHost: x\n\n")
          conn:read_until "\r\n\r\n"
          assert(async.fs.write_file(folder.path .. "/large", ""))
          got = #client.read_all(conn)
        end)
        assert.is_true(got < SIZE)
        assert.matches("^error in the handler of GET /large\n", reports[1].message)
      end)
    end)

    it("closes them when the client goes", function()
      serve_folder(function(server)
        local conn = client.connect(server)
        client.send(conn, "GET /large HTTP/1.1\nHost: x\n\n")
        conn:read_until "\r\n\r\n"
        conn:abort()
        async.sleep(1)
        assert.equal(0, server:stats().connections)
      end)
    end)
  end)

  it("works on a socket that was handed to us", function()
    local listener = uv.new_tcp()
    assert(listener:bind("127.0.0.1", 0))
    local port = listener:getsockname().port
    local started <close> = child.spawn(strobe, { "-" }, {
      input = [[
        local http = require "strobe.http"
        local server = assert(http.serve(function() return 200, nil, "by descriptor" end, "fd:3"))
        print("ready " .. server:port())
        require("strobe.async").sleep(60)]],
      descriptors = { listener:fileno() },
    })
    started:expect("stdout", ("ready %d"):format(port))
    local conn <close> = assert(net.connect("127.0.0.1", port))
    client.send(conn, GET)
    assert.equal("by descriptor", client.read(conn).body)
    listener:close()
    assert.equal("EBADF", select(3, http.serve(print, "fd:1000000")))
  end)

  it("serves a connection that is there already, without a port", function()
    local ours, theirs = net.pipe()
    local task = async.create_task(http.serve_stream, function(request)
      return 200, nil, request.path
    end, theirs)
    client.send(ours, "GET /piped HTTP/1.1\nHost: x\n\n")
    assert.equal("/piped", client.read(ours).body)
    ours:close()
    task:await()
    assert.is_true(theirs:is_closing())
  end)

  it("says what is wrong with its arguments, and why it cannot listen", function()
    local function handler() end
    for expected, arguments in pairs {
      ["a handler expected, got nil"] = {},
      ["there is no option 'max_bdoy'"] = { handler, "127.0.0.1", 0, { max_bdoy = 1 } },
      ["max_body: a number above 0 expected, got big"] = { handler, "127.0.0.1", 0, { max_body = "big" } },
    } do
      assert.error_matches(function()
        http.serve(table.unpack(arguments, 1, 4))
      end, expected)
    end
    local server <close> = serve(handler)
    local none, message, code = http.serve(handler, "127.0.0.1", server:port())
    assert.is_nil(none)
    assert.matches("^http.serve: .*127.0.0.1:%d+: address already in use", message)
    assert.equal("EADDRINUSE", code)
  end)
end)
