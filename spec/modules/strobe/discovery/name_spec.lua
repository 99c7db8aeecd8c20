local name = require "strobe.discovery.name"

describe("a domain name", function()
  it("is the same as text and as labels, whatever bytes it has", function()
    for text, labels in pairs {
      ["."] = {},
      ["local"] = { "local" },
      ["iopin._strobe._tcp.local"] = { "iopin", "_strobe", "_tcp", "local" },
      ["Dr\\. Who's Büro (2)._http._tcp.local"] = { "Dr. Who's Büro (2)", "_http", "_tcp", "local" },
      ["a\\\\b.c"] = { "a\\b", "c" },
      ["tab\\009and\\000nul"] = { "tab\tand\0nul" },
      ["\xFF"] = { "\xFF" },
    } do
      assert.equal(text, name.join(labels))
      assert.same(labels, name.split(text))
    end
    assert.same({ "a b" }, name.split "a\\032\\b")
  end)

  it("has labels of 1 to 63 bytes, and 255 bytes in all", function()
    local longest = ("a"):rep(63)
    assert.same({ longest, "b" }, name.split(longest .. ".b"))
    for _, text in ipairs { "", "a..b", ".a", "a.", longest .. "a" } do
      local labels, message = name.split(text)
      assert.is_nil(labels)
      assert.matches("a label has 1 to 63 bytes$", message)
    end
    local four = table.concat({ longest, longest, longest, ("a"):rep(61) }, ".")
    assert.equal(4, #name.split(four))
    assert.matches("a name has at most 255 bytes$", select(2, name.split(four .. "a")))
  end)

  it("is none with a backslash that escapes nothing", function()
    for _, text in ipairs { "a\\", "\\256", "\\999.b" } do
      assert.matches("a backslash with nothing to escape$", (select(2, name.split(text))))
    end
  end)

  it("is compared without the case of ASCII letters", function()
    assert.equal(name.key "IOPin._TCP.Local", name.key "iopin._tcp.local")
    assert.not_equal(name.key "Ä", name.key "ä")
  end)

  it("of an instance begins with what the instance is called", function()
    assert.equal("v1\\.0._strobe._tcp.local", name.within("v1.0", "_strobe._tcp.local"))
    assert.equal("v1.0", name.first "v1\\.0._strobe._tcp.local")
    assert.equal("", name.first ".")
  end)
end)
