local dial = require "strobe.ws.dial"

describe("where a WebSocket's stream comes from", function()
  it("is what was given, before all else", function()
    local stream = {}
    local pushed <close> = setmetatable(dial.push(error), { __close = function(p) p.close() end }) -- luacheck: ignore
    assert.equal(stream, (dial.open({ host = "x", port = 1 }, { stream = stream })))
  end)

  it("is what was put in its place last, until that is taken away", function()
    local function from(name)
      return function(uri)
        return name .. " " .. uri.host
      end
    end
    local one, two = dial.push(from "one"), dial.push(from "two")
    assert.equal("two x", dial.open({ host = "x" }, {}))
    one:close()
    assert.equal("two x", dial.open({ host = "x" }, {}))
    two:close()
    two:close()
    local _, _, code = dial.open({ host = "127.0.0.1", port = 1 }, { proxy = false })
    assert.equal("ECONNREFUSED", code)
  end)

  it("is no proxy that cannot be understood", function()
    assert.has_error(function()
      dial.open({ host = "x", port = 1 }, { proxy = "gopher://y" })
    end, 'ws.connect: proxy: "gopher://y": a proxy is http://host:port or https://host:port; there are no others')
  end)
end)
