local async = require "strobe.async"
local core = require "strobe.core.socket"
local net = require "strobe.net"
local shell = require "spec.support.shell"

-- A port of 127.0.0.1 on which nobody listens.
local function free_port()
  local server <close> = assert(net.listen(nil, 0))
  return server:port()
end

describe("a socket", function()
  describe("connect", function()
    it("to a port where nobody listens fails with ECONNREFUSED and names it", function()
      local port = free_port()
      local stream, message, code = core.connect("127.0.0.1", port)
      assert.is_nil(stream)
      assert.equal(("connect 127.0.0.1:%d: connection refused"):format(port), message)
      assert.equal("ECONNREFUSED", code)
    end)

    it("takes numeric addresses only", function()
      local stream, message, code = core.connect("localhost", 80)
      assert.is_nil(stream)
      assert.matches("^connect localhost:80: ", message)
      assert.equal("EINVAL", code)
    end)

    it("refuses a port that is none", function()
      for _, port in ipairs { 0, -1, 65536, "x", 1.5 } do
        assert.is_false(pcall(core.connect, "127.0.0.1", port))
      end
    end)

    it("is a wait that can be cancelled, and leaves no handle", function()
      local server <close> = assert(net.listen(nil, 0))
      local t = async.create_task(core.connect, "127.0.0.1", server:port())
      async.sleep(0)
      assert.is_false(t:done())
      t:cancel()
      async.wait { t }
      assert.is_true(t:cancelled())
    end)

    it("cancelled in the turn in which it succeeds leaves no handle", function()
      local server <close> = assert(net.listen(nil, 0))
      for turns = 0, 10 do
        local t = async.create_task(core.connect, "127.0.0.1", server:port())
        for _ = 0, turns do
          async.sleep(0)
        end
        t:cancel()
        local ok, stream = pcall(t.await, t)
        if ok then
          stream:close()
        end
      end
    end)

    it("by IPv6", function()
      local server = net.listen("::1", 0)
      if not server then
        pending "this machine has no ::1"
        return
      end
      local left <close> = assert(net.connect("::1", server:port()))
      local right <close> = assert(server:accept_one())
      left:write "six"
      assert.equal("six", right:read())
      assert.same({ "::1", server:port() }, { net.peer(left) })
      server:close()
    end)
  end)

  describe("connect_unix", function()
    it("to a path that is not there fails with ENOENT and names it", function()
      local path = os.tmpname()
      os.remove(path)
      local stream, message, code = core.connect_unix(path)
      assert.is_nil(stream)
      assert.equal(("connect %s: no such file or directory"):format(path), message)
      assert.equal("ENOENT", code)
    end)

    it("to a file that is no socket fails with ECONNREFUSED", function()
      local path = os.tmpname()
      local _, _, code = core.connect_unix(path)
      os.remove(path)
      assert.equal("ECONNREFUSED", code)
    end)

    it("refuses a path longer than the system takes", function()
      local _, _, code = core.connect_unix("/tmp/" .. ("x"):rep(200))
      assert.equal("ENAMETOOLONG", code)
    end)
  end)

  describe("peer and name", function()
    it("tell both ends the same", function()
      local server <close> = assert(net.listen(nil, 0))
      local left <close> = assert(net.connect("127.0.0.1", server:port()))
      local right <close> = assert(server:accept_one())
      assert.same({ core.name(left) }, { core.peer(right) })
      assert.same({ core.name(right) }, { core.peer(left) })
      assert.same({ "127.0.0.1", server:port() }, { core.peer(left) })
    end)

    it("of a closed one fail with ENOTCONN, of a pipe with ENOTSOCK", function()
      local server <close> = assert(net.listen(nil, 0))
      local left = assert(net.connect("127.0.0.1", server:port()))
      left:abort()
      local _, _, code = core.peer(left)
      assert.equal("ENOTCONN", code)
      left:wait_closed()
      assert.equal("ENOTSOCK", select(3, core.peer((net.pipe()))))
    end)
  end)

  describe("a peer that aborts with unread data", function()
    it("makes reads fail with ECONNRESET, which stays", function()
      local server <close> = assert(net.listen(nil, 0))
      local left <close> = assert(net.connect("127.0.0.1", server:port()))
      local right = assert(server:accept_one())
      -- More than it reads ahead: the rest is unread in the kernel.
      local writer = async.create_task(left.write, left, ("x"):rep(1024 * 1024))
      async.sleep(0.1)
      right:abort()
      local data, message, code = left:read()
      assert.is_nil(data)
      assert.equal("read: connection reset by peer", message)
      assert.equal("ECONNRESET", code)
      writer:await()
      code = select(3, left:read())
      assert.equal("ECONNRESET", code)
      code = select(3, left:write "x")
      assert.equal("ECONNRESET", code)
    end)
  end)

  describe("many at once", function()
    it("1,000 connections all echo", function()
      local count, block = 1000, ("0123456789"):rep(100)
      local server = assert(net.listen(nil, 0, { backlog = 1024 }))
      local serving = async.create_task(function()
        for stream in server:accept() do
          async.create_task(function()
            local s <close> = stream
            repeat
              local data = s:read()
            until not data or data == "" or not s:write(data)
          end)
        end
      end)
      local tasks = {}
      for i = 1, count do
        tasks[i] = async.create_task(function()
          local s <close> = assert(net.connect("127.0.0.1", server:port()))
          local text = i .. block
          assert(s:write(text))
          assert.equal(text, s:read_exactly(#text))
          return s:shutdown() and s:read()
        end)
      end
      for _, answer in ipairs(async.gather(tasks)) do
        assert.equal("", answer)
      end
      server:close()
      serving:await()
      async.sleep(1)
    end)

    it("are closed when they are collected", function()
      local function handles()
        return require("strobe.core.host").statistics().handles_by_type.tcp or 0
      end
      local server <close> = assert(net.listen(nil, 0))
      local function open_some()
        for _ = 1, 100 do
          assert(net.connect("127.0.0.1", server:port()))
          assert(server:accept_one())
        end
        collectgarbage()
        collectgarbage()
        async.sleep(1)
      end
      local before = handles()
      for _ = 1, 5 do
        open_some()
        assert.equal(before, handles())
      end
    end)
  end)

  describe("without free file descriptors", function()
    it("connect says so; a server goes on as soon as there are some", function()
      local script = [[
        local net = require "strobe.net"
        local server = assert(net.listen(nil, 0))
        local open, message, code = {}
        repeat
          local s
          s, message, code = net.connect("127.0.0.1", server:port())
          open[#open + 1] = s
        until not s
        print(message:match "connect 127.0.0.1:%d+: (.*)", code, #open > 20)
        for _, s in ipairs(open) do
          s:abort()
          s:wait_closed()
        end
        local accepted = 0
        require("strobe.async").move_on_after(0.2, function()
          for s in server:accept() do
            s:abort()
            accepted = accepted + 1
          end
        end)
        local s <close> = assert(net.connect("127.0.0.1", server:port()))
        local t <close> = assert(server:accept_one())
        s:write "still here"
        print(t:read())
      ]]
      local output, status = shell.run("ulimit -n 64; $S $F", script)
      assert.equal("too many open files\tEMFILE\ttrue\nstill here\n", output)
      assert.equal(0, status)
    end)

    it("a server which cannot accept loses that connection only, and serves the next", function()
      local script = [[
        local async, net = require "strobe.async", require "strobe.net"
        local server = assert(net.listen(nil, 0))
        local echo = async.create_task(function()
          for stream in server:accept() do
            async.create_task(function()
              local s <close> = stream
              repeat
                local data = s:read()
              until not data or data == "" or not s:write(data)
            end)
          end
        end)
        local failed, open = 0, {}
        for _ = 1, 60 do
          local s = net.connect("127.0.0.1", server:port())
          local answer
          if s then
            s:set_timeout(1)
            s:write "x"
            answer = s:read()
            open[#open + 1] = s
          end
          failed = failed + (answer == "x" and 0 or 1)
        end
        for _, s in ipairs(open) do
          s:close()
        end
        async.sleep(0.1)
        local s <close> = assert(net.connect("127.0.0.1", server:port()))
        s:write "still here"
        print(failed > 0, s:read())
      ]]
      local output, status = shell.run("ulimit -n 64; $S $F", script)
      assert.equal("true\tstill here\n", output)
      assert.equal(0, status)
    end)
  end)

  describe("left open when the script ends", function()
    it("is closed in order, whoever still holds it", function()
      local script = [[
        net = require "strobe.net"
        server = assert(net.listen(nil, 0))
        left = assert(net.connect("127.0.0.1", server:port()))
        right = assert(server:accept_one())
        left:send(("x"):rep(3 * 1024 * 1024))
        closing = assert(net.connect("127.0.0.1", server:port()))
        closing:send(("x"):rep(3 * 1024 * 1024))
        closing:close()
        closing = nil
        one, other = net.pipe()
        late = setmetatable({}, { __gc = function()
          print(pcall(left.close, left), pcall(server.close, server))
        end })
        print "end"
      ]]
      local output, status = shell.run("$S $F", script)
      assert.matches("end\n", output)
      assert.equal(0, status)
    end)
  end)
end)
