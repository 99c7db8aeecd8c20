local program = require "spec.support.program"

describe("TLS sessions", function()
  it("agree, pass data on, and refuse whom they should", function()
    assert.same({ "good\n", 0 }, { program.run "tls_test" })
  end)
end)
