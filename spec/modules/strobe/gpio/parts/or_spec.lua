local gate = require "spec.support.gate"

describe("an OR gate", function()
  it("is 1 when an input is; a 1 decides, whatever the other is", function()
    assert.equal("0111xx11xx1", gate.outputs("or", { "A", "B" }, "00 01 10 11 0z z0 1z z1 zz x0 x1"))
  end)
end)
