local gpio = require "strobe.gpio"

local PINS = { "A", "B", "C", "D", "E", "F", "G", "DP" }

-- A digit whose segments are lines of the board, and COM is at a rail.
local function digit(rail, attributes)
  local board = gpio.board { pins = PINS }
  local display, lines = board:add("seven_segment", attributes), {}
  board:wire(display:pin "COM", rail)
  for _, pin in ipairs(PINS) do
    lines[pin] = assert(board:line(pin, { direction = "output", output_value = 0 }))
    board:wire(pin, display:pin(pin))
  end
  return board, display, lines
end

local function drive(board, lines, on, segments)
  for _, pin in ipairs(PINS) do
    lines[pin]:set_value(segments:find(pin, 1, true) and on or 1 - on)
  end
  board:sleep(0.001)
end

describe("a seven-segment digit", function()
  it("tells which segments are lit, and what they look like", function()
    local board <close>, display, lines = digit("GND", { common = "cathode" })
    for segments, character in pairs {
      ABCDEF = "0", BC = "1", ABDEG = "2", ABCDG = "3", BCFG = "4", ACDFG = "5", ACDEFG = "6", ABC = "7",
      ABCDEFG = "8", ABCDFG = "9", G = "-", AB = "?",
    } do
      drive(board, lines, 1, segments)
      assert.same({ segments, character, false }, {
        display.state.segments, display.state.character, display.state.point,
      })
    end
    lines.DP:set_value(1)
    board:sleep(0.001)
    assert.is_true(display.state.point)
  end)

  it("is lit by zeros where the anodes are common", function()
    local board <close>, display, lines = digit "VCC"
    drive(board, lines, 0, "ABC")
    assert.equal("7", display.state.character)
  end)

  it("is dark with its common pin at the wrong rail", function()
    local board <close>, display, lines = digit("VCC", { common = "cathode" })
    drive(board, lines, 1, "ABC")
    assert.same({ "", " ", false }, { display.state.segments, display.state.character, display.state.point })
  end)

  it("shows what a shift register holds", function()
    local board <close> = gpio.board { pins = { "DS", "SHCP", "STCP" } }
    local display, register = board:add("seven_segment", { common = "cathode" }), board:add "shift_register"
    local lines = {}
    board:wire(display:pin "COM", "GND")
    for i, pin in ipairs(PINS) do
      board:wire(register:pin("Q" .. i - 1), display:pin(pin))
    end
    for _, pin in ipairs { "DS", "SHCP", "STCP" } do
      lines[pin] = assert(board:line(pin, { direction = "output" }))
      board:wire(pin, register:pin(pin))
    end
    board:sleep(0.001)
    for bit in ("01100110"):gmatch "." do -- "4": BCFG
      lines.DS:set_value(math.tointeger(bit))
      board:sleep(0.001)
      lines.SHCP:set_value(1)
      board:sleep(0.001)
      lines.SHCP:set_value(0)
    end
    assert.equal(" ", display.state.character)
    lines.STCP:set_value(1)
    board:sleep(0.001)
    assert.equal("4", display.state.character)
  end)
end)
