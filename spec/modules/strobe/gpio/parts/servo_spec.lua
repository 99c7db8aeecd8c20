local gpio = require "strobe.gpio"

-- A servo on D9, and a function that sends pulses of so many seconds for a while.
local function wired(attributes)
  local board = gpio.board { pins = { "D9" } }
  local servo = board:add("servo", attributes)
  board:wire("D9", servo:pin "PWM")
  local line = assert(board:line("D9", { direction = "output" }))
  board:sleep(0.01)
  return board, servo, function(pulse)
    line:pwm(50, pulse / 0.02)
    board:sleep(0.1)
    return servo.state.angle
  end
end

describe("a servo", function()
  it("turns to the angle of its pulses", function()
    local board <close>, servo, send = wired()
    assert.equal(90, servo.state.angle)
    assert.equal(0, send(544e-6))
    assert.equal(180, send(2400e-6))
    assert.near(90, send(1472e-6), 1e-9)
    assert.near(45, send(1008e-6), 1e-9)
    assert.near(1008e-6, servo.state.pulse, 1e-12)
    assert.is_nil(board.failure)
  end)

  it("stops at its ends", function()
    local board <close>, _, send = wired()
    assert.equal(0, send(0.1e-3))
    assert.equal(180, send(3e-3))
    board:close()
  end)

  it("may have another range", function()
    local board <close>, _, send = wired { least_pulse = 1e-3, most_pulse = 2e-3 }
    assert.near(90, send(1.5e-3), 1e-9)
    assert.near(18, send(1.1e-3), 1e-9)
    board:close()
  end)
end)
