local text = require "strobe.discovery.text"

describe("the text of a service", function()
  it("is strings of a TXT record, sorted", function()
    assert.same({ "a=1", "b", "c=x=y", "d=" }, text.strings { c = "x=y", b = true, a = 1, d = "" })
    assert.same({}, text.strings {})
  end)

  it("is read as RFC 6763 says: the first of a key counts, keys without a value are true", function()
    assert.same({ a = "1", b = true, c = "x=y", d = "" }, text.values { "A=1", "b", "c=x=y", "d=", "a=2", "=x", "" })
  end)

  it("is refused when it does not fit", function()
    for expected, values in pairs {
      ["a key of printable ASCII without '=' expected, got a=b"] = { ["a=b"] = 1 },
      ["a key of printable ASCII without '=' expected, got ä"] = { ["ä"] = 1 },
      ["a key of printable ASCII without '=' expected, got 1"] = { "x" },
      ["a: a text, a number or true expected, got false"] = { a = false },
      ["a: more than 255 bytes"] = { a = ("x"):rep(254) },
      ["more than 1000 bytes"] = { a = ("x"):rep(250), b = ("x"):rep(250), c = ("x"):rep(250), d = ("x"):rep(250) },
    } do
      assert.same({ n = 2, nil, expected }, table.pack(text.strings(values)))
    end
  end)
end)
