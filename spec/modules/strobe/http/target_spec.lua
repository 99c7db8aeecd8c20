local target = require "strobe.http.target"

describe("a target", function()
  it("is split into path, query and authority", function()
    for text, expected in pairs {
      ["/"] = { "/" },
      ["/a/b"] = { "/a/b" },
      ["/a?b"] = { "/a", "b" },
      ["/a?"] = { "/a" },
      ["/a?b?c"] = { "/a", "b?c" },
      ["/%41%2f%00"] = { "/A/\0" },
      ["/+"] = { "/+" },
      ["//evil/x"] = { "//evil/x" },
      ["http://h:80/a?b"] = { "/a", "b", "h:80" },
      ["HTTPS://h"] = { "/", nil, "h" },
      ["http://h?q"] = { "/", "q", "h" },
    } do
      assert.same({ expected[1], expected[2], expected[3] }, { target.split(text, "GET") }, text)
    end
    assert.equal("*", (target.split("*", "OPTIONS")))
  end)

  it("is none for a server when it is malformed", function()
    for _, text in ipairs { "", "a", "*", "h:80", "http://", "ftp://h/", "/%", "/%4", "/%4g", "/a%%41" } do
      assert.is_nil((target.split(text, "GET")), text)
    end
  end)

  it("has a query of pairs", function()
    local last, all = target.pairs "a=1&&b=%20+&a=2&c&=e&d=x=y&%zz=1"
    assert.same({ a = "2", b = "  ", c = "", [""] = "e", d = "x=y", ["%zz"] = "1" }, last)
    assert.same({ "1", "2" }, all.a)
  end)
end)
