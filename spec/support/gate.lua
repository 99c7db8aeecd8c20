--- Logic gates in specs: what comes out of them.

local gpio = require "strobe.gpio"

local gate = {}

gate.NS = 1e-9

--- A board with a gate whose inputs are its pins.
---@param kind string
---@param inputs string[]
---@param attributes? table
---@return strobe.gpio.Board
---@return strobe.gpio.Part
---@return strobe.gpio.Line[]
function gate.wired(kind, inputs, attributes)
  local board = gpio.board { pins = inputs }
  local its = board:add(kind, attributes)
  local lines = {}
  for i, input in ipairs(inputs) do
    lines[i] = assert(board:line(input, { direction = "output", output_value = 0 }))
    board:wire(lines[i], its:pin(input))
  end
  return board, its, lines
end

--- What comes out for each mix of inputs, 8 ns after it.
---@param kind string
---@param inputs string[]
---@param mixes string "00 0x …"
---@return string levels "01x…"
function gate.outputs(kind, inputs, mixes)
  local board <close>, its, lines = gate.wired(kind, inputs)
  local found = {}
  for mix in mixes:gmatch "%S+" do
    for i, line in ipairs(lines) do
      line:set_value(mix:sub(i, i))
    end
    board:sleep(8 * gate.NS)
    found[#found + 1] = its.line.OUT:level()
  end
  return table.concat(found)
end

--- The times and levels of an output from now on, "0@110" at 110 ns.
---@param board strobe.gpio.Board
---@param its strobe.gpio.Part
---@return string[]
function gate.changes(board, its)
  local list = {}
  board.core:subscribe({ its.line.OUT }, "change", nil, function(level, time)
    list[#list + 1] = ("%s@%d"):format(level, time)
  end)
  return list
end

return gate
