--- Traces of a small board, for specs.

local gpio = require "strobe.gpio"

local traces = {}

--- A board "bench" with the pins D2 and D13.
---@param options? table as gpio.board
---@return strobe.gpio.Board
function traces.board(options)
  options = options or {}
  options.name, options.pins = "bench", { "D2", "D13" }
  return gpio.board(options)
end

--- A list, and a sink that puts there what it is given.
---@return string[]
---@return fun(bytes: string): true
function traces.sink()
  local parts = {}
  return parts, function(bytes)
    parts[#parts + 1] = bytes
    return true
  end
end

--- Traces what `run` does on such a board: the text.
---@async
---@param run fun(board: strobe.gpio.Board, trace: table)
---@param options? table as board:trace
---@param board_options? table as gpio.board
---@param prepare? fun(board: strobe.gpio.Board) before the trace begins
---@return string
function traces.of(run, options, board_options, prepare)
  local board <close> = traces.board(board_options)
  if prepare then
    prepare(board)
  end
  local parts, sink = traces.sink()
  local trace = assert(board:trace(sink, options))
  run(board, trace)
  assert(trace:close())
  return table.concat(parts)
end

--- The values and times of a variable of a VCD file's content.
---@param content table of vcd.parse
---@param name string
---@return any[]? values
---@return integer[]? times
function traces.values_of(content, name)
  for _, var in ipairs(content.vars) do
    if var.name == name then
      return var.changes.values, var.changes.times
    end
  end
end

return traces
