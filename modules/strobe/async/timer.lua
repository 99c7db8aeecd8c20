--- Repetition: functions that are called again and again, on time.

local time = require "strobe.core.time"

local timers = {}

---@class strobe.Every
---@field calls integer    how often f was called
---@field overruns integer ticks that were skipped because f took longer than a period

local function check_period(name, seconds)
  if type(seconds) ~= "number" or seconds <= 0 or seconds ~= seconds then
    error(("%s: a period above 0 seconds expected, got %s"):format(name, tostring(seconds)), 3)
  end
end

-- Waits until the next tick of a fixed grid; skipped ticks are counted.
local function steady_wait(counts, next_tick, period)
  local late = time.now() - next_tick
  if late > period then
    local skipped = late // period
    counts.overruns = counts.overruns + math.tointeger(skipped)
    next_tick = next_tick + skipped * period
  end
  time.sleep_until(next_tick)
  return next_tick + period
end

--- Waits `seconds`, calls f(counts), and so on for ever, or until f returns false.
---
--- With `{steady=true}` the ticks lie on a fixed grid and do not drift by the time
--- f takes; ticks that pass while f runs are counted in `overruns`, not queued.
---@async
---@param seconds number
---@param f fun(counts: strobe.Every): boolean?
---@param options? {steady?: boolean}
---@return strobe.Every counts
function timers.every(seconds, f, options)
  check_period("every", seconds)
  local counts = { calls = 0, overruns = 0 }
  local steady = options and options.steady
  local next_tick = time.now() + seconds
  while true do
    if steady then
      next_tick = steady_wait(counts, next_tick, seconds)
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
---@param seconds number
---@param options? {steady?: boolean}
---@return fun(f: function): fun(...)
function timers.timer(seconds, options)
  check_period("timer", seconds)
  return function(f)
    return function(...)
      local arguments = table.pack(...)
      return timers.every(seconds, function()
        return f(table.unpack(arguments, 1, arguments.n))
      end, options)
    end
  end
end

return timers
