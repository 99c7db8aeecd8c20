--- Durations: seconds, as the outside says them, and the engine's whole nanoseconds.

local mistake = require("strobe.mistake").raise

local duration = {}

local SECOND = 1000 * 1000 * 1000 -- in ns
local LONGEST = math.maxinteger // SECOND

--- What is said of a name and a value that is no duration.
duration.EXPECTED = "%s: 0 seconds or more expected, got %s"

--- Whether it is a time of 0 seconds or more, up to the end of time.
---@param seconds any
---@return boolean
function duration.valid(seconds)
  return type(seconds) == "number" and seconds >= 0 and seconds < LONGEST
end

--- Raises unless it is valid.
---@param what string the argument, for the message
---@param seconds any
---@return integer ns the nearest
function duration.ns(what, seconds)
  if not duration.valid(seconds) then
    mistake(duration.EXPECTED, what, tostring(seconds))
  end
  return math.floor(seconds * SECOND + 0.5)
end

--- Nanoseconds as seconds.
---@param ns integer
---@return number
function duration.seconds(ns)
  return ns / SECOND
end

return duration
