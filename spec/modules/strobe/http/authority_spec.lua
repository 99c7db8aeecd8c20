local authority = require "strobe.http.authority"

describe("an authority", function()
  it("is a host, and a port if there is one", function()
    for text, expected in pairs {
      ["a.example"] = { "a.example", "" }, ["a.example:80"] = { "a.example", "80" }, ["a:"] = { "a", "" },
      ["[::1]:8080"] = { "::1", "8080" }, ["[::1]"] = { "::1", "" }, ["127.0.0.1:1"] = { "127.0.0.1", "1" },
    } do
      assert.same(expected, { authority.split(text) }, text)
    end
    for _, text in ipairs { "", ":80", "a:b", "::1", "[::1", "[x]", "a:1:2" } do
      assert.is_nil((authority.split(text)), text)
    end
  end)

  it("has a user whose name and password may be encoded", function()
    assert.equal("ada:s/ cret%", authority.decode "ada:s%2f%20cret%")
  end)
end)
