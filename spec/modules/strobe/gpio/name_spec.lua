local errors = require "spec.support.errors"
local names = require "strobe.gpio.name"

describe("a name", function()
  it("has no dot, no control character, and is short", function()
    names.check("n", "D13")
    names.check("n", "ä b")
    for _, given in ipairs { "", "a.b", "a\nb", ("x"):rep(32), 7 } do
      assert.matches("n: a name of up to 31 bytes without a dot expected, got ",
        errors.raised_by(names.check, "n", given))
    end
  end)

  it("is listed with others, not with all", function()
    local many = {}
    for i = 1, 20 do
      many[i] = { name = "D" .. i }
    end
    assert.equal("D1, D2, D3, D4, D5, D6, D7, D8, D9, D10, D11, D12, … (20 in all)", names.list(many))
    assert.equal("none", names.list {})
  end)
end)
