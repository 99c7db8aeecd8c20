--- Axes: round values to write beside a picture.

local figures = require "strobe.backtest.figure"

local axes = {}

local DAY = 86400
-- Steps of time that people count in.
local STEPS = { 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, DAY, 2 * DAY,
  7 * DAY, 14 * DAY, 30 * DAY, 91 * DAY, 182 * DAY, 365 * DAY }

-- 1, 2 or 5 by a power of ten: the smallest that is not below `least`.
local function round_step(least)
  local power = 10 ^ math.floor(math.log(least, 10))
  for _, factor in ipairs { 1, 2, 5 } do
    if factor * power >= least * (1 - 1e-9) then
      return factor * power
    end
  end
  return 10 * power
end

-- Bounds that are apart, so that there is something between them.
local function spread(low, high)
  if high - low > math.max(math.abs(low), math.abs(high)) * 1e-12 then
    return low, high
  end
  local margin = low ~= 0 and math.abs(low) * 0.01 or 1
  return low - margin, high + margin
end

---@class strobe.backtest.Axis
---@field low number
---@field high number
---@field ticks {value: number, label: string}[]

--- An axis of numbers, its bounds rounded outward.
---@param low number
---@param high number
---@param count integer ticks, about
---@return strobe.backtest.Axis
function axes.numbers(low, high, count)
  low, high = spread(low, high)
  local step = round_step((high - low) / count)
  local decimals = math.max(0, math.ceil(-math.log(step, 10) - 1e-9))
  local first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
  local ticks = {}
  for i = math.tointeger(first), math.tointeger(last) do
    ticks[#ticks + 1] = { value = i * step, label = figures.fixed(i * step, decimals) }
  end
  return { low = first * step, high = last * step, ticks = ticks }
end

local function time_step(least)
  if least < 1 then
    return round_step(least)
  end
  for _, step in ipairs(STEPS) do
    if step >= least then
      return step
    end
  end
  return round_step(least / STEPS[#STEPS]) * STEPS[#STEPS]
end

-- What tells two ticks apart, and no more.
local function time_label(time, step, span)
  if not figures.is_date(time) then
    return figures.clock(time, step < 1 and math.ceil(-math.log(step, 10) - 1e-9) or 0)
  elseif step >= DAY then
    return os.date(span > 365 * DAY and "!%Y-%m-%d" or "!%d %b", math.floor(time))
  elseif span > DAY then
    return os.date("!%d %b %H:%M", math.floor(time))
  elseif step >= 60 then
    return os.date("!%H:%M", math.floor(time))
  end
  return figures.clock(time, step < 1 and math.ceil(-math.log(step, 10) - 1e-9) or 0)
end

--- An axis of time, whose bounds stay as they are.
---@param begin number
---@param finish number
---@param count integer ticks at most, about
---@return strobe.backtest.Axis
function axes.times(begin, finish, count)
  if finish - begin < 1e-6 then
    begin, finish = begin - 0.5, finish + 0.5
  end
  local step = time_step((finish - begin) / count)
  local ticks = {}
  for i = math.ceil(begin / step - 1e-9), math.floor(finish / step + 1e-9) do
    ticks[#ticks + 1] = { value = i * step, label = time_label(i * step, step, finish - begin) }
  end
  return { low = begin, high = finish, ticks = ticks }
end

return axes
