local gate = require "spec.support.gate"

describe("an exclusive OR gate", function()
  it("is 1 when one input is; what is unknown leaves it unknown", function()
    assert.equal("0110xxxxxxx", gate.outputs("xor", { "A", "B" }, "00 01 10 11 0z z0 1z z1 zz x0 x1"))
  end)
end)
