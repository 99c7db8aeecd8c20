local uri = require "strobe.ws.uri"

describe("a WebSocket URI", function()
  local function parts(text)
    local parsed = assert(uri.parse(text))
    return { parsed.secure, parsed.host, parsed.port, parsed.target, parsed.authority }
  end

  it("has a host, a port and a target", function()
    assert.same({ false, "example.org", 80, "/", "example.org" }, parts "ws://example.org")
    assert.same({ true, "example.org", 443, "/feed?a=1", "example.org" }, parts "wss://example.org/feed?a=1")
    assert.same({ false, "127.0.0.1", 8080, "/", "127.0.0.1:8080" }, parts "ws://127.0.0.1:8080")
    assert.same({ false, "::1", 8080, "/x", "[::1]:8080" }, parts "WS://[::1]:8080/x")
    assert.same({ false, "h", 80, "/?q", "h" }, parts "ws://h?q")
  end)

  it("may have a user and a password", function()
    local parsed = assert(uri.parse "ws://ada:s%40t@example.org/")
    assert.equal("ada:s@t", parsed.user)
    assert.equal("example.org", parsed.authority)
  end)

  it("may be that of a unix socket", function()
    local parsed = assert(uri.parse "ws+unix:/run/feed.sock:/ticks")
    assert.equal("/run/feed.sock", parsed.path)
    assert.equal("/ticks", parsed.target)
    assert.equal("/", assert(uri.parse "ws+unix:/run/feed.sock").target)
  end)

  it("is refused with what is wrong", function()
    for text, message in pairs {
      ["http://example.org"] = "it begins with ws://, wss:// or ws+unix:",
      ["example.org"] = "it begins with ws://, wss:// or ws+unix:",
      ["ws://"] = "a host expected",
      ["ws:///path"] = "a host expected",
      ["ws://h:0/"] = "a port from 1 to 65535 expected",
      ["ws://h:65536/"] = "a port from 1 to 65535 expected",
      ["ws://h:1:2/"] = "a host, or host:port, expected",
      ["ws://h/#top"] = "it must not have a fragment (#…)",
      ["ws://h/a b"] = "it must not have blanks; write %20",
      ["ws://h/a\r\nX: y"] = "it must not have blanks; write %20",
    } do
      local parsed, why = uri.parse(text)
      assert.is_nil(parsed, text)
      assert.truthy(why:find(message, 1, true), why)
    end
  end)
end)
