local gate = require "spec.support.gate"

describe("a NAND gate", function()
  it("is 0 when both inputs are 1; a 0 decides, whatever the other is", function()
    assert.equal("111011xxx1x", gate.outputs("nand", { "A", "B" }, "00 01 10 11 0z z0 1z z1 zz x0 x1"))
  end)
end)
