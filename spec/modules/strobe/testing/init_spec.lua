local testing = require "strobe.testing"

describe("strobe.testing", function()
  it("offers what its parts have, under one name", function()
    for name, path in pairs {
      memory_stream = "memory", faulty = "faults", faulty_port = "faults", shuffle = "order", fifo = "order",
      leaks = "leaks", assert_no_leaks = "leaks", grows = "leaks",
    } do
      assert.equal(require("strobe.testing." .. path)[name], testing[name], name)
    end
    assert.equal(require("strobe.testing.allocation").failures, testing.allocation_failures)
    assert.equal(require "strobe.testing.clock", testing.clock)
    for _, world in ipairs { "http", "ws", "net" } do
      assert.is_function(testing.mock[world])
    end
  end)
end)
