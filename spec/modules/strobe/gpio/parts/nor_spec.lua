local gate = require "spec.support.gate"

describe("a NOR gate", function()
  it("is 0 when an input is 1; a 1 decides, whatever the other is", function()
    assert.equal("1000xx00xx0", gate.outputs("nor", { "A", "B" }, "00 01 10 11 0z z0 1z z1 zz x0 x1"))
  end)
end)
