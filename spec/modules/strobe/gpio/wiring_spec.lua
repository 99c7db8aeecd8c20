local errors = require "spec.support.errors"
local gpio = require "strobe.gpio"

describe("a wire", function()
  it("joins pins, lines, parts and rails", function()
    local board <close> = gpio.board { pins = 3 }
    local line <close> = assert(board:line(0))
    local led = board:add "led"
    board:wire(line, 1)
    board:wire("1", led:pin "anode")
    board:wire("VCC", 1)
    board:wire("led1.cathode", "GND")
    board:sleep(0.001)
    assert.equal("1", line:level())
    assert.is_true(led:is_lit())
  end)

  it("may be cut and restored, more than once", function()
    local board <close> = gpio.board { pins = 1 }
    local line <close> = assert(board:line(0, { bias = "pull-up" }))
    local wire = board:wire(0, "GND")
    board:sleep(0.001)
    assert.equal("0", line:level())
    wire:cut()
    wire:cut()
    board:sleep(0.001)
    assert.equal("1", line:level())
    assert.is_false(wire:joined())
    wire:restore()
    wire:restore()
    board:sleep(0.001)
    assert.equal("0", line:level())
  end)

  it("has two ends on one board", function()
    local board <close> = gpio.board { name = "bench", pins = 2 }
    local other <close> = gpio.board { name = "other", pins = 2 }
    local line = assert(other:line(1))
    assert.matches("board:wire: both ends are at 0", errors.raised_by(board.wire, board, 0, "0"))
    assert.matches("board bench has no pin D9; it has 0, 1", errors.raised_by(board.wire, board, 0, "D9"))
    assert.matches("board bench has no part u1; it has none", errors.raised_by(board.wire, board, 0, "u1.a"))
    assert.matches("1 is on board other, not on bench", errors.raised_by(board.wire, board, 0, line))
  end)

  it("to a part's supply pin is one to its rail, and shows a short there", function()
    local board <close> = gpio.board { name = "bench", pins = 2 }
    board:add("dht22", { name = "s" })
    board:wire(0, "s.GND")
    board:wire("s.VCC", 1)
    local low <close> = assert(board:line(0, { bias = "pull-up" }))
    local high <close> = assert(board:line(1, { bias = "pull-down" }))
    board:sleep(0.001)
    assert.same({ 0, 1 }, { low:get_value(), high:get_value() })
    board:wire("s.VCC", "GND")
    board:sleep(0.001)
    assert.equal("board bench: net 1: s.VCC drives 1, GND drives 0", board:contentions()[1].message)
  end)

  it("may not be a rail's owner", function()
    local board <close> = gpio.board { name = "bench" }
    assert.same({ "board bench: pin GND is in use by the board", "EBUSY" }, { select(2, board:line "GND") })
  end)
end)
