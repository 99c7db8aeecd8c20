local gpio = require "strobe.gpio"

-- An LED from D13 to GND.
local function wired()
  local board = gpio.board { pins = { "D13" } }
  local led = board:add("led", { color = "green" })
  board:wire("D13", led:pin "anode")
  board:wire(led:pin "cathode", "GND")
  local line = assert(board:line("D13", { direction = "output" }))
  board:sleep(0.1)
  return board, led, line
end

describe("an LED", function()
  it("is lit from anode to cathode", function()
    local board <close>, led, line = wired()
    assert.same({ color = "green", lit = false, brightness = 0 }, led.state)
    line:set_value(1)
    board:sleep(0.001)
    assert.same({ color = "green", lit = true, brightness = 1 }, led.state)
    line:set_value "z"
    board:sleep(0.001)
    assert.is_false(led:is_lit())
  end)

  it("is dark the wrong way round, and without a cathode", function()
    local board <close> = gpio.board()
    local wrong, cut = board:add "led", board:add "led"
    board:wire("GND", wrong:pin "anode")
    board:wire("VCC", wrong:pin "cathode")
    board:wire("VCC", cut:pin "anode")
    board:sleep(0.001)
    assert.same({ false, false }, { wrong:is_lit(), cut:is_lit() })
  end)

  it("looks as bright as the duty of its PWM", function()
    local board <close>, led, line = wired()
    line:pwm(490, 0.25)
    board:sleep(0.1)
    assert.near(0.25, led.state.brightness, 1e-6)
    line:pwm(490, 0.75)
    board:sleep(0.1)
    assert.near(0.75, led.state.brightness, 1e-6)
    line:set_value(1)
    board:sleep(0.1)
    assert.equal(1, led.state.brightness)
    line:set_value(0)
    board:sleep(0.1)
    assert.equal(0, led.state.brightness)
  end)

  it("is seen to flicker when it is slow", function()
    local board <close>, led, line = wired()
    line:pwm(10, 0.5)
    local seen = {}
    for i = 1, 6 do
      board:sleep(i == 1 and 0.025 or 0.05)
      seen[i] = led.state.brightness
    end
    assert.same({ 1, 0, 1, 0, 1, 0 }, seen)
  end)

  it("leaves no timer behind when it rests", function()
    local board <close>, _, line = wired()
    line:pwm(1000, 0.5)
    board:sleep(0.1)
    line:set_value(0)
    board:sleep(0.1)
    assert.equal(0, board.core:stats().events)
  end)
end)
