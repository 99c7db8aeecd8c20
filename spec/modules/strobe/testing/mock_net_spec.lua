local async = require "strobe.async"
local errors = require "spec.support.errors"
local mock = require "strobe.testing.mock"
local net = require "strobe.net"

describe("mock.net", function()
  it("is the peer of what is connected to", function()
    local lab <close> = mock.net {
      ["meter:5025"] = function(stream)
        stream:write "+1.5\n"
      end,
      ["*:7"] = function(stream)
        stream:write(stream:read())
      end,
    }
    local meter <close> = assert(net.connect("meter", 5025))
    assert.equal("+1.5\n", meter:read_until())
    assert.equal("", meter:read()) -- the peer has returned
    local reader, writer = async.open_connection("anywhere", 7)
    writer:write "echo"
    assert.equal("echo", reader:read())
    writer:close()
    assert.same({ "meter:5025", "anywhere:7" }, lab.connected)
  end)

  it("speaks TLS to who asks for it, as any peer in memory", function()
    local lab <close> = mock.net { -- luacheck: ignore
      ["*:443"] = function(stream)
        stream:write "no TLS\n"
      end,
    }
    local none, _, code = net.connect("x", 443, { tls = true })
    assert.is_nil(none)
    assert.is_string(code)
  end)

  it("refuses what it does not know, until it is closed", function()
    local lab = mock.net { ["a:1"] = print }
    local none, message, code = net.connect("b", 2)
    assert.same({ nil, "ECONNREFUSED" }, { none, code })
    assert.matches("mock.net has no peer for b:2; it has a:1", message)
    lab:close()
    lab:close()
    local server <close> = assert(net.listen(nil, 0))
    assert(net.connect("127.0.0.1", server:port())):close()
  end)

  it("ends its peers with itself", function()
    local ended
    local lab = mock.net {
      ["*:1"] = function(stream)
        local _ <close> = setmetatable({}, { -- luacheck: ignore
          __close = function()
            ended = true
          end,
        })
        stream:read()
        async.sleep(1000)
      end,
    }
    local stream = assert(net.connect("x", 1))
    async.sleep(1)
    lab:close()
    assert.is_true(ended)
    assert.equal("", stream:read())
    stream:close()
  end)

  it("has a bad line between, if told so", function()
    local lab <close> = mock.net({
      ["*:1"] = function(stream)
        stream:write "12345678"
      end,
    }, { faults = { receive = { cut = 4 } } })
    local stream <close> = assert(net.connect("x", 1))
    assert.equal("1234", stream:read(100))
    assert.equal("", stream:read(100))
    assert.equal(4, lab.lines[1].receive.bytes)
  end)

  it("says what is wrong with its peers", function()
    assert.matches("a table of peers expected, got nil", errors.raised_by(mock.net))
    assert.matches('"x": a key as "host:port" expected', errors.raised_by(mock.net, { x = print }))
    assert.matches('"x:1": a function expected, got string', errors.raised_by(mock.net, { ["x:1"] = "y" }))
  end)
end)
