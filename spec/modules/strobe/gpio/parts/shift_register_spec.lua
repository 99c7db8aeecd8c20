local gpio = require "strobe.gpio"

local US = 1e-6

-- So many registers in a chain, and lines for data, shift clock, latch, enable and clear.
local function chained(count)
  local board = gpio.board { pins = { "DS", "SHCP", "STCP", "OE", "MR" } }
  local chips, lines = {}, {}
  for name, value in pairs { DS = 0, SHCP = 0, STCP = 0, OE = 0, MR = 1 } do
    lines[name] = assert(board:line(name, { direction = "output", output_value = value }))
  end
  for i = 1, count do
    chips[i] = board:add "shift_register"
    board:wire(i == 1 and "DS" or chips[i - 1]:pin "Q7S", chips[i]:pin "DS")
    for _, pin in ipairs { "SHCP", "STCP", "OE", "MR" } do
      board:wire(pin, chips[i]:pin(pin))
    end
  end
  board:sleep(1 * US)
  return board, chips, lines
end

local function pulse(board, line)
  line:set_value(1)
  board:sleep(1 * US)
  line:set_value(0)
  board:sleep(1 * US)
end

-- Arduino's shiftOut, MSBFIRST.
local function shift_out(board, lines, byte)
  for i = 7, 0, -1 do
    lines.DS:set_value(byte >> i & 1)
    pulse(board, lines.SHCP)
  end
end

-- The levels at Q7 to Q0.
local function outputs(chip)
  local levels = {}
  for i = 7, 0, -1 do
    levels[#levels + 1] = chip.line["Q" .. i]:level()
  end
  return table.concat(levels)
end

describe("a shift register", function()
  it("shows a byte when it is latched, the first bit at Q7", function()
    local board <close>, chips, lines = chained(1)
    shift_out(board, lines, 0xa5)
    assert.equal("00000000", outputs(chips[1]))
    pulse(board, lines.STCP)
    assert.equal("10100101", outputs(chips[1]))
    assert.same({ 0xa5, 0xa5 }, { chips[1].state.shifted, chips[1].state.latched })
  end)

  it("hands on what leaves to the next in the chain", function()
    local board <close>, chips, lines = chained(3)
    for _, byte in ipairs { 0x12, 0x34, 0x56 } do
      shift_out(board, lines, byte)
    end
    pulse(board, lines.STCP)
    assert.same({ 0x56, 0x34, 0x12 }, { chips[1].state.latched, chips[2].state.latched, chips[3].state.latched })
  end)

  it("lets its outputs go while OE is high", function()
    local board <close>, chips, lines = chained(1)
    shift_out(board, lines, 0xff)
    pulse(board, lines.STCP)
    lines.OE:set_value(1)
    board:sleep(1 * US)
    assert.equal("zzzzzzzz", outputs(chips[1]))
    lines.OE:set_value(0)
    board:sleep(1 * US)
    assert.equal("11111111", outputs(chips[1]))
  end)

  it("forgets what is shifted when MR falls, not what is latched", function()
    local board <close>, chips, lines = chained(1)
    shift_out(board, lines, 0xff)
    pulse(board, lines.STCP)
    lines.MR:set_value(0)
    board:sleep(1 * US)
    lines.DS:set_value(1)
    pulse(board, lines.SHCP) -- held: nothing goes in
    assert.same({ 0, 0xff }, { chips[1].state.shifted, chips[1].state.latched })
    pulse(board, lines.STCP)
    assert.equal("00000000", outputs(chips[1]))
  end)

  it("works with OE and MR unconnected, and is one clock behind with tied clocks", function()
    local board <close> = gpio.board { pins = { "DS", "CLK" } }
    local chip = board:add "shift_register"
    local lines = {}
    for _, name in ipairs { "DS", "CLK" } do
      lines[name] = assert(board:line(name, { direction = "output" }))
    end
    board:wire("DS", chip:pin "DS")
    board:wire("CLK", chip:pin "SHCP")
    board:wire("CLK", chip:pin "STCP")
    lines.DS:set_value(1)
    board:sleep(1 * US)
    pulse(board, lines.CLK)
    assert.equal("00000000", outputs(chip))
    pulse(board, lines.CLK)
    assert.equal("00000001", outputs(chip))
  end)

  it("takes what shiftOut sends", function()
    local board <close> = gpio.board { pins = { "2", "3", "4" } }
    local chip, a = board:add "shift_register", board:arduino()
    for pin, name in pairs { ["2"] = "DS", ["3"] = "SHCP", ["4"] = "STCP" } do
      board:wire(pin, chip:pin(name))
      a.pinMode(pin, a.OUTPUT)
    end
    a.shiftOut(2, 3, a.MSBFIRST, 0xb1)
    a.digitalWrite(4, a.HIGH)
    a.delay(1)
    assert.equal("10110001", outputs(chip))
  end)
end)
