local url = require "strobe.http.url"

local function parse(text)
  return assert(url.parse(text))
end

describe("url", function()
  describe("parse", function()
    it("takes a URL apart", function()
      assert.same({ scheme = "https", host = "example.org", port = 8443, path = "/a/b", query = "q=1", user = "ada",
        password = "s:@" }, parse "HTTPS://ada:s%3A%40@Example.org:8443/a/b?q=1#part")
      assert.same({ scheme = "http", host = "::1", port = 80, path = "/" }, parse "http://[::1]")
      assert.same({ scheme = "https", host = "a", port = 443, path = "/", query = "" }, parse "https://a?")
    end)

    it("encodes what must not be in a URL, and leaves what is encoded", function()
      assert.equal("/a%20b/%C3%BC%22/%2F", parse 'http://a/a b/ü"/%2F'.path)
      assert.equal("x=%3Cy%3E&z=%20", parse "http://a/?x=<y>&z=%20".query)
    end)

    it("says what is wrong", function()
      for text, wanted in pairs { ["a.b/c"] = "it begins with", ["http:/a"] = "it begins with", ["ws://a"] = "begins",
        ["http://"] = "a host", ["http://a:b/"] = "a host", ["http://a:0/"] = "a port", ["http://a:99999/"] = "a port",
        ["http://a\n/"] = "control", ["http://ü/"] = "xn--", ["http://[::1"] = "a host" } do
        local parsed, message = url.parse(text)
        assert.is_nil(parsed)
        assert.truthy(message:find(wanted, 1, true))
      end
    end)
  end)

  it("format puts it together, without user and the default port", function()
    for text, expected in pairs { ["http://u:p@a:80/b?c#d"] = "http://a/b?c", ["https://a:80"] = "https://a:80/",
      ["http://[::1]:8080/"] = "http://[::1]:8080/" } do
      assert.equal(expected, url.format(parse(text)))
    end
  end)

  it("join resolves the references of RFC 3986, section 5.4", function()
    local base = parse "http://a/b/c/d;p?q"
    for reference, expected in pairs { g = "http://a/b/c/g", ["./g"] = "http://a/b/c/g", ["g/"] = "http://a/b/c/g/",
      ["/g"] = "http://a/g", ["//g"] = "http://g/", ["?y"] = "http://a/b/c/d;p?y", ["g?y"] = "http://a/b/c/g?y",
      ["#s"] = "http://a/b/c/d;p?q", ["g#s"] = "http://a/b/c/g", [";x"] = "http://a/b/c/;x",
      [""] = "http://a/b/c/d;p?q", ["."] = "http://a/b/c/", ["./"] = "http://a/b/c/", [".."] = "http://a/b/",
      ["../"] = "http://a/b/", ["../g"] = "http://a/b/g", ["../.."] = "http://a/", ["../../g"] = "http://a/g",
      ["../../../g"] = "http://a/g", ["/./g"] = "http://a/g", ["/../g"] = "http://a/g", ["g."] = "http://a/b/c/g.",
      ["..g"] = "http://a/b/c/..g", ["./../g"] = "http://a/b/g", ["./g/."] = "http://a/b/c/g/",
      ["g/./h"] = "http://a/b/c/g/h", ["g/../h"] = "http://a/b/c/h", ["https://x:1/y"] = "https://x:1/y" } do
      assert.equal(expected, url.format(assert(url.join(base, reference))))
    end
  end)

  it("encode makes a query of a table or of pairs", function()
    assert.equal("a=1&b=x+y&b=%26", url.encode { b = { "x y", "&" }, a = 1 })
    assert.equal("b=1&a=true&b=2", url.encode { { "b", 1 }, { "a", true }, { "b", 2 } })
    assert.equal("", url.encode {})
  end)

  it("escape and unescape are each other's opposite", function()
    local bytes = {}
    for i = 0, 255 do
      bytes[i + 1] = string.char(i)
    end
    local all = table.concat(bytes)
    assert.matches("^[%w%-._~%%]+$", url.escape(all))
    assert.equal(all, url.unescape(url.escape(all)))
  end)
end)
