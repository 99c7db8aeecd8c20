local gate = require "spec.support.gate"
local gpio = require "strobe.gpio"
local logic = require "strobe.gpio.gate"

local NS = gate.NS

describe("the logic of gates", function()
  it("knows what is decided although an input is unknown", function()
    local levels = { "0", "1", "x", "z" }
    local found = { both = "", either = "", differ = "" }
    for _, a in ipairs(levels) do
      for _, b in ipairs(levels) do
        for name in pairs(found) do
          found[name] = found[name] .. logic[name](a, b)
        end
      end
    end
    assert.same({ both = "000001xx0xxx0xxx", either = "01xx1111x1xxx1xx", differ = "01xx10xxxxxxxxxx" }, found)
    assert.same({ "1", "0", "x", "x" }, { logic.invert "0", logic.invert "1", logic.invert "x", logic.invert "z" })
  end)
end)

describe("a gate", function()
  it("answers after its delay, and swallows what is shorter", function()
    local board <close>, its, lines = gate.wired("inverter", { "IN" }, { delay = 10 * NS })
    board:sleep(100 * NS)
    local list = gate.changes(board, its)
    lines[1]:set_value(1)
    board:sleep(30 * NS)
    lines[1]:set_value(0)
    board:sleep(9 * NS) -- too short
    lines[1]:set_value(1)
    board:sleep(61 * NS)
    lines[1]:set_value(0)
    board:sleep(50 * NS)
    assert.same({ "0@110", "1@210" }, list)
  end)

  it("makes a ring oscillate with the sum of the delays", function()
    local board <close> = gpio.board { pins = { "START" } }
    local nand = board:add("nand", { delay = 10 * NS })
    local second, third = board:add("inverter", { delay = 10 * NS }), board:add("inverter", { delay = 10 * NS })
    local start = assert(board:line("START", { direction = "output", output_value = 0 }))
    board:wire(start, nand:pin "A")
    board:wire(nand:pin "OUT", second:pin "IN")
    board:wire(second:pin "OUT", third:pin "IN")
    board:wire(third:pin "OUT", nand:pin "B")
    board:sleep(100 * NS)
    local list = gate.changes(board, nand)
    start:set_value(1)
    board:sleep(100 * NS)
    assert.same({ "0@110", "1@140", "0@170", "1@200" }, list)
  end)
end)
