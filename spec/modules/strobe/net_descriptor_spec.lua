local async = require "strobe.async"
local child = require "spec.support.child"
local cleanup = require "spec.support.cleanup"
local net = require "strobe.net"
local path = require "spec.support.path"
local strobe = require("strobe.core.host").program
local uv = require "luv"
local ws = require "strobe.ws"

-- A handle of luv that goes with its block.
local function closing(handle)
  return cleanup(function()
    handle:close()
    async.sleep(0)
  end)
end

local PROGRAM = [[
local net = require "strobe.net"
local fds, names = net.listen_fds()
print(#fds, fds[1], names[1], #net.listen_fds(), os.getenv "LISTEN_FDS")
local server = assert(net.listen_fd(fds[1]))
print("PORT " .. server:port())
local conn <close> = assert(server:accept_one())
conn:write("heard " .. conn:read())
conn:read()
local given <close> = assert(net.open_fd(4))
given:write "from the child"
given:read()
]]

describe("net.open_fd", function()
  it("makes connections of a pair of sockets", function()
    local pair = uv.socketpair()
    local left <close> = assert(net.open_fd(pair[1]))
    local right <close> = assert(net.open_fd(pair[2]))
    left:write "hello"
    assert.equal("hello", right:read())
    local large = ("0123456789"):rep(100000)
    local writing = async.create_task(right.write, right, large)
    assert.equal(large, left:read_exactly(#large))
    assert.is_true(writing:await())
    left:close()
    assert.equal("", right:read())
  end)

  it("is a way to connect a WebSocket", function()
    local pair = uv.socketpair()
    local serving = async.create_task(function()
      local stream = assert(net.open_fd(pair[2]))
      local key = stream:read_until("\r\n\r\n"):match "Sec%-WebSocket%-Key: (%S+)"
      stream:write("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        .. require("strobe.core.ws").accept(key) .. "\r\n\r\n\x81\x02hi\x88\x00")
      stream:read()
      stream:close()
    end)
    local client <close> = assert(ws.connect("ws://localhost/", { stream = assert(net.open_fd(pair[1])) }))
    assert.equal("hi", (client:recv()))
    serving:await()
  end)

  it("takes the two ends of a pipe, which go one way", function()
    local ends = uv.pipe({}, {})
    local from <close> = assert(net.open_fd(ends.read))
    local to <close> = assert(net.open_fd(ends.write))
    local large = ("x"):rep(300000)
    local writing = async.create_task(to.write, to, large)
    assert.equal(large, from:read_exactly(#large))
    assert.is_true(writing:await())
    assert.equal("EPIPE", select(3, from:send "back"))
    assert.equal("", to:read())
    to:write "last"
    assert.is_true(to:shutdown())
    assert.equal("last", from:read())
    assert.equal("", from:read(), "shutdown closes it")
    assert.equal("EPIPE", select(3, to:send "more"))
    assert.equal("ENOTCONN", select(3, net.peer(to)))
  end)

  it("tells the writer of a pipe that its reader has gone", function()
    local ends = uv.pipe({}, {})
    local to <close> = assert(net.open_fd(ends.write))
    to:send(("x"):rep(1000000))
    local draining = async.create_task(to.drain, to)
    async.sleep(0)
    uv.fs_close(ends.read)
    local ok, _, code = draining:await()
    assert.is_nil(ok)
    assert.equal("EPIPE", code)
  end)

  it("shuts a pipe after what is queued", function()
    local ends = uv.pipe({}, {})
    local from <close> = assert(net.open_fd(ends.read))
    local to <close> = assert(net.open_fd(ends.write))
    to:send(("x"):rep(1000000))
    to:shutdown()
    assert.equal(1000000, #from:read_exactly(1000000))
    assert.equal("", from:read())
  end)

  it("says what else a descriptor is, and leaves it alone", function()
    local udp, tcp, pipe = uv.new_udp(), uv.new_tcp(), uv.new_pipe(false)
    udp:bind("127.0.0.1", 0)
    tcp:bind("127.0.0.1", 0)
    local name = path.free()
    pipe:bind(name)
    local file = uv.fs_open("/dev/null", "r", 0)
    for fd, code in pairs {
      [file] = "ENOTSOCK", [udp:fileno()] = "EPROTOTYPE", [tcp:fileno()] = "ENOTCONN", [pipe:fileno()] = "ENOTCONN",
      [1000000] = "EBADF",
    } do
      local stream, message, got = net.open_fd(fd)
      assert.is_nil(stream)
      assert.equal(code, got)
      assert.matches("^descriptor " .. fd .. ": ", message)
    end
    assert.is_not_nil(uv.fs_fstat(file))
    uv.fs_close(file)
    for _, handle in ipairs { udp, tcp, pipe } do
      handle:close()
    end
    async.sleep(0)
    os.remove(name)
  end)

  it("refuses one that is a connection's already", function()
    local pair = uv.socketpair()
    local left <close> = assert(net.open_fd(pair[1]))
    local right <close> = assert(net.open_fd(pair[2]))
    assert.equal("EEXIST", select(3, net.open_fd(pair[1])))
    left:write "still there"
    assert.equal("still there", right:read())
  end)

  it("refuses what is no number", function()
    for _, wrong in ipairs { "a", -1, 1.5, {} } do
      assert.is_false(pcall(net.open_fd, wrong))
      assert.is_false(pcall(net.listen_fd, wrong))
    end
  end)
end)

describe("net.listen_fd", function()
  it("says what else a descriptor is", function()
    local pair, udp = uv.socketpair(), uv.new_udp()
    udp:bind("127.0.0.1", 0)
    local _ <close> = closing(udp)
    assert.equal("EISCONN", select(3, net.listen_fd(pair[1])))
    assert.equal("EPROTOTYPE", select(3, net.listen_fd(udp:fileno())))
    assert.equal("EBADF", select(3, net.listen_fd(1000000)))
    uv.fs_close(pair[1])
    uv.fs_close(pair[2])
  end)

  it("takes over what a service manager has opened, as does open_fd", function()
    local listener, connected = uv.new_tcp(), uv.new_tcp()
    local _ <close> = closing(listener)
    local _ <close> = closing(connected)
    listener:bind("127.0.0.1", 0)
    local server <close> = assert(net.listen("127.0.0.1", 0))
    connected:connect("127.0.0.1", server:port())
    local ours <close> = assert(server:accept_one())
    local line = "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec '" .. strobe .. "' -"
    local started <close> = child.spawn("/bin/sh", { "-c", line }, {
      input = PROGRAM, descriptors = { listener:fileno(), connected:fileno() },
    })
    local port = tonumber((started:expect("stdout", "PORT (%d+)")))
    assert.equal(listener:getsockname().port, port)
    assert.equal("1\t3\tweb\t0\tnil", started.output.stdout:match "^[^\n]*")
    local conn <close> = assert(net.connect("127.0.0.1", port))
    conn:write "us"
    assert.equal("heard us", conn:read())
    conn:close()
    assert.equal("from the child", ours:read())
    ours:close()
    assert.equal(0, started:wait(), started.output.stderr)
  end)
end)

describe("net.listen_fds", function()
  it("knows none that are for another process, and tells nobody else", function()
    uv.os_setenv("LISTEN_PID", "1")
    uv.os_setenv("LISTEN_FDS", "2")
    assert.same({}, (net.listen_fds()))
    assert.is_nil(os.getenv "LISTEN_FDS")
    assert.same({}, (net.listen_fds()))
  end)
end)
