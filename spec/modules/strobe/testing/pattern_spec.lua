local pattern = require "strobe.testing.pattern"

describe("a mock's pattern", function()
  it("has * for anything, and nothing else that is special", function()
    assert.truthy(("/files/a/b.txt"):find(pattern.of "/files/*.txt"))
    assert.is_nil(("/files/a/bxtxt"):find(pattern.of "/files/*.txt"))
    assert.is_nil(("/a/b"):find(pattern.of "/a"))
    local odd = "/a(b)%[c]+d-e?f^$"
    assert.truthy(odd:find(pattern.of(odd)))
  end)

  it("comes first when it says more, then by name", function()
    local rules = pattern.sorted { { key = "b", precise = 1 }, { key = "a", precise = 1 }, { key = "c", precise = 2 } }
    assert.equal("c, a, b", pattern.keys(rules))
    assert.equal("nothing", pattern.keys {})
  end)
end)
