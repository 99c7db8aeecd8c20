local program = require "spec.support.program"

local function assert_good(name)
  local output, status = program.run(name)
  assert.equal(0, status, output)
  assert.matches("^good: %d+ checks\n$", output)
end

describe("the VCD engines", function()
  it("write what settled at each time, to the byte, within their limits", function()
    assert_good "writer_test"
  end)

  it("read what others write, however the bytes are split, and say where a file is broken", function()
    assert_good "reader_test"
  end)
end)
