local gate = require "spec.support.gate"

describe("an inverter", function()
  it("is 1 when its input is 0, and 0 when that is 1", function()
    assert.equal("10xx", gate.outputs("inverter", { "IN" }, "0 1 z x"))
  end)
end)
