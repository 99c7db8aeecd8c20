local async = require "strobe.async"
local core = require "strobe.core.server"
local net = require "strobe.net"
local socket = require "strobe.core.socket"

describe("a server", function()
  describe("listen", function()
    it("on port 0 takes a free one, and tells it", function()
      local server <close> = assert(core.listen("127.0.0.1", 0))
      local address, port = server:name()
      assert.equal("127.0.0.1", address)
      assert.is_true(port > 0)
    end)

    it("on a port that is taken fails with EADDRINUSE and names it", function()
      local server <close> = assert(core.listen("127.0.0.1", 0))
      local _, port = server:name()
      local other, message, code = core.listen("127.0.0.1", port)
      assert.is_nil(other)
      assert.equal(("listen on 127.0.0.1:%d: address already in use"):format(port), message)
      assert.equal("EADDRINUSE", code)
    end)

    it("on an address of another machine fails and names it", function()
      local other, message = core.listen("192.0.2.1", 0)
      assert.is_nil(other)
      assert.matches("^listen on 192%.0%.2%.1:0: ", message)
    end)

    it("refuses a port that is none", function()
      for _, port in ipairs { -1, 65536, "x", 0.5 } do
        assert.is_false(pcall(core.listen, "127.0.0.1", port))
      end
    end)
  end)

  describe("listen_unix", function()
    local path

    before_each(function()
      path = os.tmpname()
      os.remove(path)
    end)

    it("takes the path, and gives it back when it is closed", function()
      do
        local server <close> = assert(core.listen_unix(path))
        assert.equal(path, server:name())
        local _, message, code = core.listen_unix(path)
        assert.equal(("listen on %s: address already in use"):format(path), message)
        assert.equal("EADDRINUSE", code)
      end
      local server <close> = assert(core.listen_unix(path))
      assert.is_false(server:is_closing())
    end)

    it("refuses a path longer than the system takes", function()
      local _, _, code = core.listen_unix("/tmp/" .. ("x"):rep(200))
      assert.equal("ENAMETOOLONG", code)
    end)
  end)

  describe("accept", function()
    it("takes the connections in their order", function()
      local server <close> = assert(net.listen(nil, 0))
      local clients = {}
      for i = 1, 5 do
        clients[i] = assert(net.connect("127.0.0.1", server:port()))
        clients[i]:write(tostring(i))
      end
      for i = 1, 5 do
        local stream <close> = assert(server:accept_one())
        assert.equal(tostring(i), stream:read())
        clients[i]:close()
      end
    end)

    it("can be cancelled; the next one gets the connection", function()
      local server <close> = assert(core.listen("127.0.0.1", 0))
      local _, port = server:name()
      local t = async.create_task(server.accept, server)
      async.sleep(1)
      assert.equal("accept", t:state())
      t:cancel()
      async.wait { t }
      assert.is_true(t:cancelled())
      local client <close> = assert(socket.connect("127.0.0.1", port))
      local stream <close> = assert(server:accept())
      client:write "x"
      assert.equal("x", stream:read())
    end)

    it("cancelled in the turn in which a connection comes does not lose it", function()
      local server <close> = assert(core.listen("127.0.0.1", 0))
      local _, port = server:name()
      for turns = 0, 10 do
        local t = async.create_task(server.accept, server)
        local connecting = async.create_task(socket.connect, "127.0.0.1", port)
        for _ = 0, turns do
          async.sleep(0)
        end
        t:cancel()
        local ok, stream = pcall(t.await, t)
        if not ok then
          stream = assert(server:accept())
        end
        stream:close()
        connecting:await():close()
      end
    end)

    it("by a second task is refused", function()
      local server <close> = assert(core.listen("127.0.0.1", 0))
      local t = async.create_task(server.accept, server)
      async.sleep(0)
      local ok, message = pcall(server.accept, server)
      assert.is_false(ok)
      assert.matches("another task is accepting from this server already", message)
      t:cancel()
      async.wait { t }
    end)
  end)

  describe("close", function()
    it("ends a waiting accept with ECANCELED, and every later one", function()
      local server = assert(core.listen("127.0.0.1", 0))
      local t = async.create_task(server.accept, server)
      async.sleep(0)
      server:close()
      local stream, message, code = t:await()
      assert.is_nil(stream)
      assert.matches("the server was closed", message)
      assert.equal("ECANCELED", code)
      code = select(3, server:accept())
      assert.equal("ECANCELED", code)
      code = select(3, server:name())
      assert.equal("ENOTCONN", code)
    end)

    it("twice is harmless, and collecting it closes it", function()
      local server = assert(core.listen("127.0.0.1", 0))
      local _, port = server:name()
      server:close()
      server:close()
      assert.is_true(server:is_closing())
      server = assert(core.listen("127.0.0.1", port)) -- luacheck: ignore
      server = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      async.sleep(0)
      local _, _, code = socket.connect("127.0.0.1", port)
      assert.equal("ECONNREFUSED", code)
    end)

    it("lets accepted connections live, and drops those that were not accepted", function()
      local server = assert(net.listen(nil, 0))
      local left <close> = assert(net.connect("127.0.0.1", server:port()))
      local right <close> = assert(server:accept_one())
      local waiting <close> = assert(net.connect("127.0.0.1", server:port()))
      async.sleep(0.1)
      server:close()
      left:write "x"
      assert.equal("x", right:read())
      local data, _, code = waiting:read()
      assert.is_true(data == "" or code == "ECONNRESET")
    end)
  end)

  describe("used from a finalizer after it was collected", function()
    it("raises, and does not crash", function()
      local server = assert(core.listen("127.0.0.1", 0))
      getmetatable(server).__gc(server)
      for _, name in ipairs { "accept", "close", "name", "is_closing" } do
        local ok, message = pcall(server[name], server)
        assert.is_false(ok)
        assert.matches("was collected", message)
      end
    end)
  end)
end)
