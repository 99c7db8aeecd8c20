local gpio = require "strobe.gpio"

local NS = 1e-9

-- A gate whose inputs are the pins A and B.
local function wired(kind, inputs, attributes)
  local board = gpio.board { pins = { "A", "B" } }
  local gate = board:add(kind, attributes)
  local lines = {}
  for i, input in ipairs(inputs) do
    lines[i] = assert(board:line(i == 1 and "A" or "B", { direction = "output", output_value = 0 }))
    board:wire(lines[i], gate:pin(input))
  end
  return board, gate, lines
end

-- What comes out for each mix of inputs: "0x1…", in the order of `levels`.
local function outputs(kind, inputs, levels)
  local board <close>, gate, lines = wired(kind, inputs)
  local found = {}
  for mix in levels:gmatch "%S+" do
    for i, line in ipairs(lines) do
      line:set_value(mix:sub(i, i))
    end
    board:sleep(8 * NS)
    found[#found + 1] = gate.line.OUT:level()
  end
  return table.concat(found)
end

-- Times and levels of an output, in ns.
local function changes(board, part, pin)
  local list = {}
  board.core:subscribe({ part.line[pin] }, "change", nil, function(level, time)
    list[#list + 1] = ("%s@%d"):format(level, time)
  end)
  return list
end

describe("a gate", function()
  local mixes = "00 01 10 11 0z z0 1z z1 zz x0 x1"
  for kind, expected in pairs {
    ["and"] = "000100xxx0x",
    nand = "111011xxx1x",
    ["or"] = "0111xx11xx1",
    nor = "1000xx00xx0",
    xor = "0110xxxxxxx",
  } do
    it(("has the truth table of its data sheet: %s"):format(kind), function()
      assert.equal(expected, outputs(kind, { "A", "B" }, mixes))
    end)
  end

  it("has the truth table of its data sheet: inverter", function()
    assert.equal("10xx", outputs("inverter", { "IN" }, "0 1 z x"))
  end)

  it("answers after its delay, and swallows what is shorter", function()
    local board <close>, gate, lines = wired("inverter", { "IN" }, { delay = 10 * NS })
    board:sleep(100 * NS)
    local list = changes(board, gate, "OUT")
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
    local list = changes(board, nand, "OUT")
    start:set_value(1)
    board:sleep(100 * NS)
    assert.same({ "0@110", "1@140", "0@170", "1@200" }, list)
  end)
end)
