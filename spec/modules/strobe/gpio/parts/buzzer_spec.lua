local gpio = require "strobe.gpio"

-- A buzzer from D8 to GND.
local function wired()
  local board = gpio.board { pins = { "D8" } }
  local buzzer = board:add "buzzer"
  board:wire("D8", buzzer:pin "1")
  board:wire(buzzer:pin "2", "GND")
  local line = assert(board:line("D8", { direction = "output" }))
  board:sleep(0.1)
  return board, buzzer, line
end

describe("a buzzer", function()
  it("sounds at the frequency with which it is driven", function()
    local board <close>, buzzer, line = wired()
    assert.same({ sounding = false, frequency = 0 }, buzzer.state)
    for _, frequency in ipairs { 500, 2000, 31.25 } do
      line:pwm(frequency)
      board:sleep(0.2)
      assert.same({ sounding = true, frequency = frequency }, buzzer.state)
    end
    line:pwm(440)
    board:sleep(0.2)
    assert.near(440, buzzer.state.frequency, 0.001)
  end)

  it("sounds whichever of its pins is driven", function()
    local board <close> = gpio.board { pins = { "A", "B" } }
    local buzzer = board:add "buzzer"
    board:wire("A", buzzer:pin "1")
    board:wire("B", buzzer:pin "2")
    local a = assert(board:line("A", { direction = "output", output_value = 0 }))
    local b = assert(board:line("B", { direction = "output" }))
    b:pwm(800)
    board:sleep(0.1)
    assert.same({ sounding = true, frequency = 800 }, buzzer.state)
    b:set_value(1)
    a:pwm(200)
    board:sleep(0.1)
    assert.same({ sounding = true, frequency = 200 }, buzzer.state)
  end)

  it("is silent soon after the tone ends", function()
    local board <close>, buzzer, line = wired()
    line:pwm(1000)
    board:sleep(0.1)
    line:set_value(0)
    board:sleep(0.04)
    assert.is_true(buzzer.state.sounding)
    board:sleep(0.02)
    assert.same({ sounding = false, frequency = 1000 }, buzzer.state)
    assert.equal(0, board.core:stats().events)
  end)

  it("makes no tone of a single click", function()
    local board <close>, buzzer, line = wired()
    for _ = 1, 3 do
      line:set_value(1)
      board:sleep(0.1)
      line:set_value(0)
      board:sleep(0.1)
    end
    assert.same({ sounding = false, frequency = 0 }, buzzer.state)
  end)

  it("plays a tone", function()
    local board <close> = gpio.board { pins = { "8" } }
    local buzzer, a = board:add "buzzer", board:arduino()
    board:wire("8", buzzer:pin "1")
    board:wire("GND", buzzer:pin "2")
    a.tone(8, 1000, 200)
    a.delay(100)
    assert.same({ sounding = true, frequency = 1000 }, buzzer.state)
    a.delay(200)
    assert.is_false(buzzer.state.sounding)
  end)
end)
