local gpio = require "strobe.gpio"

local NS = 1e-9

-- A flip-flop whose pins D, CLK, SD and RD are lines of the board.
local function wired(attributes)
  local board = gpio.board { pins = { "D", "CLK", "SD", "RD" } }
  local flip_flop, lines = board:add("flip_flop", attributes), {}
  for name, value in pairs { D = 0, CLK = 0, SD = 1, RD = 1 } do
    lines[name] = assert(board:line(name, { direction = "output", output_value = value }))
    board:wire(name, flip_flop:pin(name))
  end
  board:sleep(100 * NS)
  return board, flip_flop, lines
end

local function outputs(flip_flop)
  return flip_flop.line.Q:level() .. flip_flop.line.QN:level()
end

local function clock(board, lines)
  lines.CLK:set_value(1)
  board:sleep(50 * NS)
  lines.CLK:set_value(0)
  board:sleep(50 * NS)
end

describe("a D flip-flop", function()
  it("takes D when the clock rises, and nothing else", function()
    local board <close>, flip_flop, lines = wired()
    assert.equal("01", outputs(flip_flop))
    lines.D:set_value(1)
    board:sleep(50 * NS)
    assert.equal("01", outputs(flip_flop))
    clock(board, lines)
    assert.equal("10", outputs(flip_flop))
    lines.D:set_value(0)
    board:sleep(50 * NS)
    assert.equal("10", outputs(flip_flop))
    clock(board, lines)
    assert.equal("01", outputs(flip_flop))
  end)

  it("shows it after its delay", function()
    local board <close>, flip_flop, lines = wired { delay = 14 * NS }
    lines.D:set_value(1)
    lines.CLK:set_value(1)
    board:sleep(13 * NS)
    assert.equal("0", flip_flop.line.Q:level())
    board:sleep(1 * NS)
    assert.equal("1", flip_flop.line.Q:level())
    assert.equal("1", flip_flop.state.q)
  end)

  it("is set and reset at once, whatever the clock does", function()
    local board <close>, flip_flop, lines = wired()
    lines.SD:set_value(0)
    board:sleep(50 * NS)
    assert.equal("10", outputs(flip_flop))
    clock(board, lines)
    assert.equal("10", outputs(flip_flop))
    lines.RD:set_value(0)
    board:sleep(50 * NS)
    assert.equal("11", outputs(flip_flop)) -- both: as in the data sheet
    lines.SD:set_value(1)
    board:sleep(50 * NS)
    assert.equal("01", outputs(flip_flop))
  end)

  it("does not know what it took from a D that floats", function()
    local board <close>, flip_flop, lines = wired { initial = 1 }
    assert.equal("10", outputs(flip_flop))
    lines.D:set_value "z"
    clock(board, lines)
    assert.equal("xx", outputs(flip_flop))
  end)

  it("counts with a second one behind it", function()
    local board <close> = gpio.board { pins = { "CLK" } }
    local low, high = board:add "flip_flop", board:add "flip_flop"
    local lines = { CLK = assert(board:line("CLK", { direction = "output" })) }
    board:wire("CLK", low:pin "CLK")
    board:wire(low:pin "QN", low:pin "D")
    board:wire(low:pin "QN", high:pin "CLK")
    board:wire(high:pin "QN", high:pin "D")
    board:sleep(50 * NS)
    local counted = {}
    for i = 1, 5 do
      clock(board, lines)
      counted[i] = high.line.Q:level() .. low.line.Q:level()
    end
    assert.same({ "01", "10", "11", "00", "01" }, counted)
  end)

  it("shifts with a second one on the same clock: both see what was", function()
    local board <close> = gpio.board { pins = { "D", "CLK" } }
    local first, second = board:add("flip_flop", { delay = 0 }), board:add("flip_flop", { delay = 0 })
    local d = assert(board:line("D", { direction = "output", output_value = 1 }))
    local lines = { CLK = assert(board:line("CLK", { direction = "output" })) }
    board:wire(d, first:pin "D")
    board:wire(first:pin "Q", second:pin "D")
    board:wire("CLK", first:pin "CLK")
    board:wire("CLK", second:pin "CLK")
    board:sleep(50 * NS)
    clock(board, lines)
    assert.same({ "1", "0" }, { first.state.q, second.state.q })
    clock(board, lines)
    assert.same({ "1", "1" }, { first.state.q, second.state.q })
  end)
end)
