local program = require "spec.support.program"

local function assert_good(name)
  local output, status = program.run(name)
  assert.equal(0, status, output)
  assert.matches("^good: %d+ checks\n$", output)
end

describe("the WebSocket codec", function()
  it("tells the same events however the bytes are split", function()
    assert_good "codec_test"
  end)

  it("agrees with its models, and with what it sends", function()
    assert_good "frame_test"
  end)
end)
