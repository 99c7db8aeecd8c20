local sh = require("spec.support.shell").run

describe("examples/i2c.lua", function()
  it("writes to a memory chip and reads it back", function()
    local output, status = sh "$S --clock=virtual examples/i2c.lua"
    assert.equal(table.concat({
      "somebody answers at 0x50",
      "while it stores them, 5 ms: nobody acknowledges the address 0x50",
      "read back: strobe",
      "that took 0.85 ms: 9 bytes of 9 clocks, 10 µs each, and start and stop",
      "another address: nobody acknowledges the address 0x51\n",
    }, "\n"), output)
    assert.equal(0, status)
  end)
end)
