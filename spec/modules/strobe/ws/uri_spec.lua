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

  it("shows no password when it is wrong", function()
    assert.truthy(select(2, uri.parse "ws://me:secret@h:0/"):find("ws://…@h:0/", 1, true))
  end)

  it("is joined with a reference as RFC 3986 says", function()
    local base = assert(uri.parse "ws://me:pw@a/b/c/d?q")
    for reference, target in pairs {
      ["g"] = "/b/c/g", ["./g"] = "/b/c/g", ["g/"] = "/b/c/g/", ["/g"] = "/g", ["?y"] = "/b/c/d?y",
      ["g?y"] = "/b/c/g?y",
      [""] = "/b/c/d?q", ["#s"] = "/b/c/d?q", ["."] = "/b/c/", [".."] = "/b/", ["../g"] = "/b/g", ["../.."] = "/",
      ["../../g"] = "/g", ["../../../g"] = "/g", ["/./g"] = "/g", ["/../g"] = "/g", ["g."] = "/b/c/g.",
      ["..g"] = "/b/c/..g",
      ["./g/."] = "/b/c/g/", ["g/../h"] = "/b/c/h", ["g?y/../x"] = "/b/c/g?y/../x",
    } do
      local joined = assert(uri.join(base, reference))
      assert.same({ target, "a", "me:pw" }, { joined.target, joined.host, joined.user }, reference)
    end
    local other = assert(uri.join(base, "https://h:1/x"))
    assert.same({ true, "h", 1, "/x", nil }, { other.secure, other.host, other.port, other.target, other.user })
    assert.same({ "h", false }, { uri.join(base, "//h/x").host, uri.join(base, "//h/x").secure })
    assert.is_nil(uri.join(base, "mailto:x"))
    assert.is_nil(uri.join(base, "a b"))
    local unix = assert(uri.join(uri.parse "ws+unix:/run/feed.sock:/ticks", "/other"))
    assert.same({ "/run/feed.sock", "/other" }, { unix.path, unix.target })
  end)

  it("has the origin of another with its host, port and kind", function()
    local base = assert(uri.parse "ws://Example.org/a")
    assert.is_true(uri.same_origin(base, uri.parse "ws://example.org:80/b"))
    for _, text in ipairs { "wss://example.org:80/", "ws://example.org:81/", "ws://x.example.org/", "ws+unix:/a" } do
      assert.is_false(uri.same_origin(base, uri.parse(text)))
    end
  end)
end)
