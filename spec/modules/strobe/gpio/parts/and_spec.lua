local gate = require "spec.support.gate"

describe("an AND gate", function()
  it("is 1 when both inputs are; a 0 decides, whatever the other is", function()
    assert.equal("000100xxx0x", gate.outputs("and", { "A", "B" }, "00 01 10 11 0z z0 1z z1 zz x0 x1"))
  end)
end)
