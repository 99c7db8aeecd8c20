local gpio = require "strobe.gpio"

-- An RGB LED with its common pin at a rail, and a line for each color.
local function wired(rail, attributes)
  local board = gpio.board { pins = { "R", "G", "B" } }
  local led, lines = board:add("rgb_led", attributes), {}
  board:wire(led:pin "COM", rail)
  for _, pin in ipairs { "R", "G", "B" } do
    lines[pin] = assert(board:line(pin, { direction = "output", output_value = rail == "VCC" and 1 or 0 }))
    board:wire(pin, led:pin(pin))
  end
  board:sleep(0.001)
  return board, led, lines
end

describe("an RGB LED", function()
  it("mixes the color that one sees", function()
    local board <close>, led, lines = wired("GND", { common = "cathode" })
    assert.same({ red = 0, green = 0, blue = 0, color = "#000000" }, led.state)
    lines.R:set_value(1)
    lines.G:pwm(1000, 0.5)
    lines.B:pwm(1000, 0.2)
    board:sleep(0.1)
    assert.same({ red = 1, green = 0.5, blue = 0.2, color = "#ff8033" }, led.state)
  end)

  it("is lit by zeros where the anodes are common", function()
    local board <close>, led, lines = wired "VCC"
    assert.equal("#000000", led.state.color)
    lines.B:set_value(0)
    board:sleep(0.001)
    assert.equal("#0000ff", led.state.color)
  end)
end)
