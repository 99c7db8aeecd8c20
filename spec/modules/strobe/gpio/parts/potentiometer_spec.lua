local errors = require "spec.support.errors"
local gpio = require "strobe.gpio"

describe("a potentiometer", function()
  it("is read as a part of the supply, and as a level", function()
    local board <close> = gpio.board { pins = { "A0" } }
    local knob = board:add("potentiometer", { position = 0.25 })
    board:wire("A0", knob:pin "SIG")
    local line = assert(board:line("A0", { direction = "input" }))
    for _, position in ipairs { 0, 0.25, 0.5, 1 } do
      knob:set(position)
      board:sleep(0.001)
      assert.same({ position, position >= 0.5 and 1 or 0 }, { board:analog "A0", line:get_value() })
    end
    assert.equal(1, knob.state.position)
  end)

  it("turns from 0 to 1", function()
    local board <close> = gpio.board()
    local knob = board:add "potentiometer"
    assert.equal(0.5, knob.state.position)
    assert.matches("potentiometer: position: 0 to 1 expected, got 512", errors.raised_by(knob.set, knob, 512))
  end)

  it("is read by analogRead", function()
    local board <close> = gpio.board { pins = { "A0" } }
    local knob, a = board:add "potentiometer", board:arduino()
    board:wire("A0", knob:pin "SIG")
    knob:set(0.75)
    assert.equal(767, a.analogRead "A0")
  end)
end)
