local sh = require("spec.support.shell").run

describe("examples/blink.lua", function()
  it("has the LED on for half of each second", function()
    local output, status = sh "$S --clock=virtual examples/blink.lua"
    assert.equal(table.concat({
      "0.25 s: the LED is on",
      "0.75 s: the LED is off",
      "1.25 s: the LED is on",
      "1.75 s: the LED is off",
      "2.25 s: the LED is on",
      "2.75 s: the LED is off\n",
    }, "\n"), output)
    assert.equal(0, status)
  end)
end)
