local gpio = require "strobe.gpio"

-- A relay driven by D2, with GND at NC and VCC at NO; and the changes of COM as "level@ms".
local function wired(attributes, value)
  local board = gpio.board { pins = { "D2" } }
  local relay = board:add("relay", attributes)
  board:wire("D2", relay:pin "IN")
  board:wire("GND", relay:pin "NC")
  board:wire("VCC", relay:pin "NO")
  local line, changes = assert(board:line("D2", { direction = "output", output_value = value or 0 })), {}
  board.core:subscribe({ relay.line.COM }, "change", 64, function(level, time)
    table.insert(changes, ("%s@%g"):format(level, time / 1e6))
  end)
  board:sleep(0.02)
  return board, relay, line, changes
end

describe("a relay", function()
  it("follows its coil late, and breaks before it makes", function()
    local board <close>, relay, line, changes = wired()
    line:set_value(1)
    board:sleep(0.02)
    assert.is_true(relay.state.on)
    line:set_value(0)
    board:sleep(0.02)
    assert.is_false(relay.state.on)
    assert.same({ "0@0", "z@20", "1@30", "z@40", "0@45" }, changes)
    assert.same({}, board.core:contentions())
  end)

  it("does not switch when the coil is on for too short", function()
    local board <close>, relay, line, changes = wired()
    line:set_value(1)
    board:sleep(0.004)
    line:set_value(0)
    board:sleep(0.02)
    assert.is_false(relay.state.on)
    assert.same({ "0@0", "z@20", "0@29" }, changes)
  end)

  it("may switch on a 0", function()
    local board <close>, relay, line, changes = wired({ trigger = "low", operate_time = 0.002 }, 1)
    assert.is_false(relay.state.on)
    line:set_value(0)
    board:sleep(0.02)
    assert.is_true(relay.state.on)
    assert.same({ "0@0", "z@20", "1@22" }, changes)
  end)

  it("is on from the beginning when its input is", function()
    local board <close>, relay = wired({}, 1)
    assert.equal("0.02", ("%g"):format(board:now()))
    assert.is_true(relay.state.on)
  end)
end)
