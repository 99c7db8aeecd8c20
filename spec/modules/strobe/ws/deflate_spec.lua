local program = require "spec.support.program"

describe("permessage-deflate", function()
  it("keeps to the RFC, its limit and its window, whatever a peer sends", function()
    local output, status = program.run "deflate_test"
    assert.equal(0, status, output)
    assert.matches("^good: %d+ checks\n$", output)
  end)
end)
