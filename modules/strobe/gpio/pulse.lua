--- Pulse trains, as NodeMCU's gpio.serout: a pin that toggles after each of a list of delays.

local duration = require "strobe.gpio.duration"
local mistake = require("strobe.mistake").raise

local pulse = {}

local MOST_DELAYS = 1000 * 1000
local MOST_CYCLES = 1000 * 1000

local function in_ns(delays)
  if type(delays) ~= "table" or #delays == 0 or #delays > MOST_DELAYS then
    mistake("board:serout: delays: a list of 1 to %d times expected", MOST_DELAYS)
  end
  local list = {}
  for i = 1, #delays do
    list[i] = duration.ns(("board:serout: delays[%d]"):format(i), delays[i])
  end
  return list
end

local function check_cycles(cycles)
  if math.type(cycles) ~= "integer" or cycles < 1 or cycles > MOST_CYCLES then
    mistake("board:serout: cycles: 1 to %d expected, got %s", MOST_CYCLES, tostring(cycles))
  end
end

-- The line to drive, and whether it was made here.
local function open_line(board, pin, level)
  local settings = { direction = "output", output_value = level }
  if type(pin) == "table" and pin.reconfigure then
    pin:reconfigure(settings)
    return pin, false
  end
  settings.consumer = "serout"
  local line, message, code = board:line(pin, settings)
  return line, line and true or message, code
end

local function run(board, line, start_level, delays, cycles)
  for _ = 1, cycles do
    local level = start_level
    for _, ns in ipairs(delays) do
      line.core:set(level)
      level = 1 - level
      local good, message, code = board.core:delay(ns)
      if not good then
        return nil, message, code
      end
    end
  end
  return true
end

--- board:serout
---@async
---@param board strobe.gpio.Board
---@param pin string|integer|strobe.gpio.Line
---@param level integer
---@param delays number[] seconds
---@param cycles? integer
---@return boolean? ok
---@return string? message
---@return string? code
function pulse.serout(board, pin, level, delays, cycles)
  local list = in_ns(delays)
  cycles = cycles or 1
  check_cycles(cycles)
  if level ~= 0 and level ~= 1 then
    mistake("board:serout: start_level: 0 or 1 expected, got %s", tostring(level))
  end
  local line, ours, code = open_line(board, pin, level)
  if not line then
    return nil, ours, code
  end
  local release <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      if ours then
        line:release()
      end
    end,
  })
  return run(board, line, level, list, cycles)
end

return pulse
