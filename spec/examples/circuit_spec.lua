local sh = require("spec.support.shell").run

describe("examples/circuit.lua", function()
  it("ticks, toggles and buzzes, in that order, and says how it ended", function()
    local output, status = sh "$S --clock=virtual examples/circuit.lua"
    assert.equal(table.concat({
      "[ Clock ] tack 1",
      "[ IOPin ] 1",
      "[ Buzzer ] bzzz",
      "[ Clock ] tack 2",
      "[ IOPin ] 0",
      "[ Clock ] tack 3",
      "[ IOPin ] 1",
      "[ Buzzer ] bzzz",
      "[ Clock ] tack 4",
      "[ IOPin ] 0",
      "[ Clock ] tack 5",
      "[ IOPin ] 1",
      "[ Buzzer ] bzzz",
      "[ Clock ] acknowledged: 1 0 1 0 1",
      "[ IOPin ] the clock has closed: 1000 (normal)",
      "[ IOPin ] the buzzer was told to go: 1001 (going away)",
      "[ Buzzer ] the iopin has closed: 1001 (going away)",
      "5 tacks took 5 seconds\n",
    }, "\n"), output)
    assert.equal(0, status)
  end)
end)
