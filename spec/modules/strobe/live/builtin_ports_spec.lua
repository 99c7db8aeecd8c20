local Folder = require "spec.support.folder"
local mock = require("strobe.testing").mock
local ports = require "strobe.live.builtin_ports"

describe("the ports of every runtime", function()
  it("append lines to files, and say why they cannot", function()
    local folder <close> = Folder.new {}
    local path = folder.path .. "/log"
    assert(ports.file.send { path = path, text = "one" })
    assert(ports.file.send { path = path, text = 2 })
    local file <close> = assert(io.open(path))
    assert.equal("one\n2\n", file:read "a")
    assert.same({ nil, "ENOENT" }, { (ports.file.send { path = folder.path .. "/no/log", text = "" }),
      select(3, ports.file.send { path = folder.path .. "/no/log", text = "" }) })
    assert.same({ nil, "file: {path=, text=} expected", "EINVAL" }, { ports.file.send "log" })
  end)

  it("send over HTTP, and ask", function()
    local web <close> = mock.http { -- luacheck: ignore web
      ["POST http://venue/orders"] = { status = 201, body = "taken" },
      ["GET http://venue/price"] = { body = "42" },
    }
    assert.same({ status = 201, body = "taken" }, ports.http.send { url = "http://venue/orders" })
    assert.same({ status = 200, body = "42" }, ports.http.query "http://venue/price")
    assert.same({ status = 200, body = "42" }, ports.http.query { url = "http://venue/price" })
  end)

  it("print at once", function()
    assert.is_true(ports.out.immediate)
  end)
end)
