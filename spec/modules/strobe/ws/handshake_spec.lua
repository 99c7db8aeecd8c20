local program = require "spec.support.program"

describe("the WebSocket handshake", function()
  it("answers keys, reads lists, and agrees on nothing that was not offered", function()
    local output, status = program.run "handshake_test"
    assert.equal(0, status, output)
    assert.matches("^good: %d+ checks\n$", output)
  end)
end)
