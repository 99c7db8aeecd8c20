--- Repetition: functions that are called again and again, on time.

local time = require "strobe.core.time"

local timers = {}

---@class strobe.Every what async.every tells its function
---@field calls integer    how often f was called
---@field overruns integer ticks that were skipped because f took longer than a period

local function check_period(name, seconds)
  if type(seconds) ~= "number" or seconds <= 0 or seconds ~= seconds then
    error(("%s: a period above 0 seconds expected, got %s"):format(name, tostring(seconds)), 3)
  end
end

local function check_function(name, f)
  if type(f) ~= "function" then
    error(("%s: a function expected, got %s"):format(name, type(f)), 3)
  end
end

-- The clock counts nanoseconds: times nearer than half of one are the same.
local SAME = 5e-10

-- Waits until the next tick of the grid start + n × period that has not passed yet;
-- those that have are counted. Returns its number.
local function steady_wait(counts, start, period, number)
  local late = time.now() - (start + number * period)
  local missed = math.max(0, math.ceil((late - SAME) / period))
  counts.overruns = counts.overruns + missed
  time.sleep_until(start + (number + missed) * period)
  return number + missed
end

--- Waits `seconds`, calls f(counts), and so on for ever, or until f returns false.
---
--- With `{steady=true}` the ticks lie on a fixed grid and do not drift by the time
--- f takes; ticks that pass while f runs are counted in `overruns`, not queued.
---@async
---@param seconds number above 0
---@param f fun(counts: strobe.Every): boolean? it may wait
---@param options? {steady?: boolean} steady: on a fixed grid (false)
---@return strobe.Every counts
function timers.every(seconds, f, options)
  check_period("every", seconds)
  check_function("every", f)
  local counts = { calls = 0, overruns = 0 }
  local steady = options and options.steady
  local start, number = time.now(), 0
  while true do
    if steady then
      number = steady_wait(counts, start, seconds, number + 1)
    else
      time.sleep(seconds)
    end
    counts.calls = counts.calls + 1
    if f(counts) == false then
      return counts
    end
  end
end

--- The decorator form: `run = async.timer(1)(run)` is a function that sleeps a
--- second, calls the original with its arguments, and so on for ever.
---@param seconds number above 0
---@param options? {steady?: boolean} as for every
---@return fun(f: function): fun(...) decorator what it returns waits
function timers.timer(seconds, options)
  check_period("timer", seconds)
  return function(f)
    check_function("timer", f)
    return function(...)
      local arguments = table.pack(...)
      return timers.every(seconds, function()
        f(table.unpack(arguments, 1, arguments.n))
      end, options)
    end
  end
end

return timers
