local errors = require "spec.support.errors"
local gpio = require "strobe.gpio"

-- A switch between GND (at 1) and VCC (at 3), its common pin at D2; and the changes of that as "level@ms".
local function wired(attributes)
  local board = gpio.board { pins = { "D2" } }
  local switch = board:add("switch", attributes)
  board:wire("GND", switch:pin "1")
  board:wire("D2", switch:pin "2")
  board:wire("VCC", switch:pin "3")
  local line, changes = assert(board:line "D2"), {}
  board.core:subscribe({ line.core }, "change", 64, function(level, time)
    table.insert(changes, ("%s@%g"):format(level, time / 1e6))
  end)
  board:sleep(0.01)
  return board, switch, changes
end

describe("a switch", function()
  it("joins its middle pin with one side, and with none on the way", function()
    local board <close>, switch, changes = wired()
    switch:slide()
    board:sleep(0.01)
    assert.equal(3, switch.state.position)
    switch:slide()
    board:sleep(0.01)
    assert.same({ "0@0", "z@10", "1@11", "z@20", "0@21" }, changes)
    assert.same({}, board.core:contentions())
  end)

  it("stays where it is put", function()
    local board <close>, switch, changes = wired { position = 3 }
    switch:slide(3)
    board:sleep(0.01)
    assert.same({ "1@0" }, changes)
    assert.matches("position: 1 or 3 expected, got 2", errors.raised_by(switch.slide, switch, 2))
  end)

  it("may be moved back on its way", function()
    local board <close>, switch, changes = wired { travel = 0.002 }
    switch:slide(3)
    board:sleep(0.001)
    switch:slide(1)
    board:sleep(0.01)
    assert.same({ "0@0", "z@10", "0@13" }, changes)
  end)

  it("bounces as buttons do, and rests", function()
    local board <close>, switch, changes = wired { bounce = 0.004 }
    switch:slide()
    board:sleep(0.02)
    assert.is_true(#changes > 3)
    assert.matches("^1@", changes[#changes])
    for i = 2, #changes do
      assert.matches("^[1z]@", changes[i])
    end
  end)
end)
