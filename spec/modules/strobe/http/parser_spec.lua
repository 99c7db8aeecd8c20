local program = require "spec.support.program"

local function assert_good(name)
  local output, status = program.run(name)
  assert.equal(0, status, output)
  assert.matches("^good: %d+ checks\n$", output)
end

describe("the HTTP parser", function()
  it("refuses what smuggles requests, and reads the rest, however the bytes are split", function()
    assert_good "parser_test"
  end)

  it("keeps to its limits, to the byte", function()
    assert_good "head_test"
  end)
end)
