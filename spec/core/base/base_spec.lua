local program = require "spec.support.program"

describe("the base layer", function()
  it("agrees with its models after random operations", function()
    assert.same({ "good\n", 0 }, { program.run "base_test" })
  end)
end)
