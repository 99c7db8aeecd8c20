local async = require "strobe.async"
local free_path = require("spec.support.path").free
local net = require "strobe.net"
local uv = require "luv"

-- A port of 127.0.0.1 on which nobody listens.
local function free_port()
  local server <close> = assert(net.listen(nil, 0))
  return server:port()
end

describe("net", function()
  it("tells who is at the other end of a unix socket", function()
    local path = free_path()
    local server <close> = assert(net.listen_unix(path))
    local left <close> = assert(net.connect_unix(path))
    local right <close> = assert(server:accept_one())
    for _, stream in ipairs { left, right } do
      assert.same({ uv.os_getpid(), uv.getuid(), uv.getgid() }, { net.credentials(stream) })
    end
    left:close()
    assert.equal("ENOTCONN", select(3, net.credentials(left)))
    local one, other = net.pipe()
    assert.equal("ENOTSOCK", select(3, net.credentials(one)))
    one:close()
    other:close()
  end)

  describe("connect", function()
    it("takes a name or an address, and a connection is what it returns", function()
      local server <close> = assert(net.listen(nil, 0))
      for _, host in ipairs { "127.0.0.1", "localhost" } do
        local left <close> = assert(net.connect(host, server:port()))
        local right <close> = assert(server:accept_one())
        left:write "hello"
        assert.equal("hello", right:read())
      end
    end)

    it("to a port where nobody listens returns nil, a message with host and port, and a word", function()
      local port = free_port()
      local stream, message, code = net.connect("127.0.0.1", port)
      assert.is_nil(stream)
      assert.equal(("connect 127.0.0.1:%d: connection refused"):format(port), message)
      assert.equal("ECONNREFUSED", code)
    end)

    it("to a name which nobody has says so", function()
      local stream, message, code = net.connect("no..such..name", 80)
      assert.is_nil(stream)
      assert.matches("^resolve no%.%.such%.%.name: ", message)
      assert.matches("^EAI_", code)
    end)

    it("within a timeout returns the connection", function()
      local server <close> = assert(net.listen(nil, 0))
      local stream <close> = assert(net.connect("127.0.0.1", server:port(), { timeout = 5 }))
      assert.is_false(stream:is_closing())
    end)

    it("gives up after its timeout", function()
      -- A full backlog does not answer.
      local server <close> = assert(net.listen(nil, 0, { backlog = 0 }))
      local open, message, code = {}
      for i = 1, 10 do
        open[i], message, code = net.connect("127.0.0.1", server:port(), { timeout = 2 })
        if code then
          break
        end
      end
      assert.equal("ETIMEDOUT", code)
      assert.equal(("connect 127.0.0.1:%d: no answer within 2 s"):format(server:port()), message)
      for _, stream in ipairs(open) do
        stream:abort()
      end
    end)

    it("refuses a timeout, a host or a port that is none, and names it", function()
      for _, timeout in ipairs { 0, -1, "1", 0 / 0 } do
        local ok, message = pcall(net.connect, "127.0.0.1", 1, { timeout = timeout })
        assert.is_false(ok)
        assert.matches("net%.connect: timeout: a number of seconds above 0 expected", message)
      end
      assert.is_false(pcall(net.connect, nil, 80))
      assert.is_false(pcall(net.connect, "127.0.0.1", nil))
      assert.is_false(pcall(net.connect, "127.0.0.1", 70000))
      assert.is_false(pcall(net.connect_unix, nil))
    end)

    it("can be cancelled anywhere", function()
      local server <close> = assert(net.listen(nil, 0))
      for turns = 0, 20 do
        local t = async.create_task(net.connect, "localhost", server:port(), { timeout = 5 })
        for _ = 1, turns do
          async.sleep(0)
        end
        t:cancel()
        local ok, stream = pcall(t.await, t)
        if ok and stream then
          stream:close()
        end
      end
      async.sleep(1)
    end)
  end)

  describe("connect_unix", function()
    it("talks to listen_unix", function()
      local path = free_path()
      local server <close> = assert(net.listen_unix(path))
      assert.is_nil(server:port())
      assert.equal(path, server:address())
      local left <close> = assert(net.connect_unix(path))
      local right <close> = assert(server:accept_one())
      left:write "hello"
      assert.equal("hello", right:read())
      assert.equal(path, net.peer(left))
    end)

    it("to no file returns nil, a message with the path, and ENOENT", function()
      local path = free_path()
      local stream, message, code = net.connect_unix(path)
      assert.is_nil(stream)
      assert.equal(("connect %s: no such file or directory"):format(path), message)
      assert.equal("ENOENT", code)
    end)
  end)

  describe("listen", function()
    it("listens on 127.0.0.1 unless told otherwise", function()
      local server <close> = assert(net.listen(nil, 0))
      assert.equal("127.0.0.1", server:address())
    end)

    it("on a port that is taken returns nil, a message with host and port, and EADDRINUSE", function()
      local server <close> = assert(net.listen(nil, 0))
      local other, message, code = net.listen(nil, server:port())
      assert.is_nil(other)
      assert.equal(("listen on 127.0.0.1:%d: address already in use"):format(server:port()), message)
      assert.equal("EADDRINUSE", code)
    end)

    it("at a path that is taken returns EADDRINUSE", function()
      local path = free_path()
      local server <close> = assert(net.listen_unix(path))
      local other, message, code = net.listen_unix(path)
      assert.is_nil(other)
      assert.equal(("listen on %s: address already in use"):format(path), message)
      assert.equal("EADDRINUSE", code)
      assert.is_false(server:is_closing())
    end)
  end)

  describe("a server's accept", function()
    it("iterates until it is closed", function()
      local server = assert(net.listen(nil, 0))
      local names = {}
      local serving = async.create_task(function()
        for stream in server:accept() do
          table.insert(names, stream:read())
          stream:close()
        end
      end)
      for _, name in ipairs { "a", "b", "c" } do
        local stream <close> = assert(net.connect("127.0.0.1", server:port()))
        stream:write(name)
        assert.equal("", stream:read())
      end
      server:close()
      serving:await()
      assert.same({ "a", "b", "c" }, names)
      assert.equal(0, server.failures)
    end)
  end)

  describe("an idle virtual minute with a connection open", function()
    it("passes at once", function()
      local server <close> = assert(net.listen(nil, 0))
      local left <close> = assert(net.connect("127.0.0.1", server:port()))
      local right <close> = assert(server:accept_one())
      async.sleep(60)
      left:write "still there"
      assert.equal("still there", right:read())
      assert.equal(60, async.time() // 1)
    end)
  end)
end)
