local Child = require "spec.support.child"
local Folder = require "spec.support.folder"
local async = require "strobe.async"
local net = require "strobe.net"
local ports = require "strobe.debug.port"
local program = require("strobe.core.host").program
local time = require "strobe.core.time"
local uv = require "luv"

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

-- A table in which a connection to the port belongs to a user.
local function line_of(stream, uid)
  local function name(address, port)
    local bytes = string.char(address:match "(%d+)%.(%d+)%.(%d+)%.(%d+)")
    return ("%08X:%04X"):format(string.unpack("=I4", bytes), port)
  end
  return ("0: %s %s 01 00000000:00000000 00:00000000 00000000 %d 0 77 1\n"):format(name(net.name(stream)),
    name(net.peer(stream)), uid)
end

-- A port that lets in whom the tables of a folder tell, and what it has said.
local function listening(tables)
  time.mode("scaled", 1)
  local said = {}
  local port = ports.new {
    tables = tables,
    say = function(text)
      said[#said + 1] = text
    end,
  }
  local listener = assert(net.listen(nil, 0))
  local function accept()
    return async.create_task(port.accept, port, listener)
  end
  local function connect()
    return assert(net.connect("127.0.0.1", listener:port()))
  end
  return listener, accept, connect, said
end

describe("the port of the debugger", function()
  it("lets in whose connection is our own", function()
    local listener <close>, accept, connect, said = listening()
    local stream <close> = connect()
    local accepted <close> = assert(accept():await())
    assert(stream:write "in")
    assert.equal("in", accepted:read())
    assert.same({}, said)
    assert.truthy(listener)
  end)

  it("sends others away without a byte, says so, and goes on", function()
    local folder <close> = Folder.new {}
    local listener <close>, accept, connect, said = listening { folder.path .. "/tcp", folder.path .. "/tcp6" }
    local foreign <close> = connect() -- they wait in the kernel
    local unknown <close> = connect()
    local own <close> = connect()
    write(folder.path .. "/tcp", line_of(foreign, 4711))
    write(folder.path .. "/tcp6", line_of(own, uv.getuid()))
    local accepted <close> = assert(accept():await())
    assert(accepted:write "in")
    assert.equal("in", own:read())
    assert.equal("", foreign:read() or "")
    assert.equal("", unknown:read() or "")
    assert.equal(("a connection of user 4711 was refused: only user %d may debug"):format(uv.getuid()), said[1])
    assert.matches("of nobody that is known was refused", said[2])
    assert.truthy(listener and foreign and unknown)
  end)

  it("lets all in where there is no table, which it says", function()
    local folder <close> = Folder.new {}
    local path = folder.path .. "/tcp"
    local listener <close>, accept, connect, said = listening { path }
    local stream <close> = connect()
    local accepted <close> = assert(accept():await())
    assert.same({ ("there is no %s: whoever connects first is let in, of whatever user"):format(path) }, said)
    assert.truthy(listener and stream and accepted)
  end)

  it("keeps another user out, also one that has gone when it is looked for", function()
    if uv.getuid() ~= 0 or not uv.fs_stat "/usr/bin/setpriv" then
      pending "only root, with setpriv, may be somebody else"
      return
    end
    local listener <close>, accept, connect, said = listening()
    local function come(code)
      local child <close> = Child.spawn("setpriv", { "--reuid", "65534", "--clear-groups", program, "-e", [[
        local stream = assert(require("strobe.net").connect("127.0.0.1", tonumber(arg[1])))
        assert(stream:write "Content-Length: 2\r\n\r\n{}")
        ]] .. code, tostring(listener:port()) }, { cwd = "/" })
      child:wait()
      return child.output.stdout, child.output.stderr
    end
    assert.same({ "", "" }, { come "stream:close()" }) -- waits in the kernel
    local accepting = accept()
    assert.same({ "refused\n", "" }, { come "print((stream:read() or '') == '' and 'refused')" })
    local own <close> = connect()
    local accepted <close> = assert(accepting:await())
    assert.equal(2, #said)
    assert.matches("of nobody that is known was refused", said[1])
    assert.matches("of user 65534 was refused", said[2])
    assert.truthy(own and accepted)
  end)
end)
