--- Signals by name and number.

local uv = require "luv"

local signals = {}

-- Numbers that the system knows.
local MOST = 64

--- The number of a signal given as "SIGTERM", "sigterm" or a number. Raises for what is none.
---@param where string who asks: "add_signal_handler"
---@param signal string|integer
---@param level? integer whose mistake it is, as for error (2: the caller's caller)
---@return integer
function signals.number(where, signal, level)
  local number = signal
  if type(signal) == "string" then
    local name = signal:upper()
    number = name:find "^SIG%u" and uv.constants[name]
  end
  if math.type(number) ~= "integer" or number < 1 or number > MOST then
    local message = ("%s: a signal's name or number expected, got %s"):format(where, tostring(signal))
    error(message, (level or 2) + 1)
  end
  return number
end

--- The name of a signal, "SIGTERM"; of one that has none "signal 40".
---@param number integer
---@return string
function signals.name(number)
  local found
  for name, value in pairs(uv.constants) do
    if value == number and name:find "^SIG%u" and (not found or name < found) then
      found = name
    end
  end
  return found or ("signal %d"):format(number)
end

return signals
