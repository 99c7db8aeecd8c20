--- The Sharpe ratio of an equity curve of any length: mean and deviation of what was won per period.
--
-- What is won counts as a share of the starting capital, not reinvested; that capital then falls out of the ratio, so
-- it is defined without any. The rate without risk is 0. Several periods are counted side by side, and the longest that
-- came often enough is the one that is told.

local DAY = 86400
local PERIODS = { 1, 60, 3600, DAY }
-- As many periods make a ratio worth telling.
local ENOUGH = 30
local YEAR = 365 * DAY

-- Mean and sum of squares, by Welford's method.
local function include(scale, change, times)
  local n = scale.n + times
  local delta = change - scale.mean
  scale.squares = scale.squares + delta * delta * scale.n * times / n
  scale.mean = scale.mean + delta * times / n
  scale.n = n
end

---@class strobe.backtest.Sharpe
---@field private scales table[]
---@field private due number when the shortest period ends
---@field private last? number equity
local Sharpe = {}
Sharpe.__index = Sharpe

local ratios = {}

---@return strobe.backtest.Sharpe
function ratios.new()
  return setmetatable({ scales = {}, due = -math.huge }, Sharpe)
end

local function begin(self, time, equity)
  for i, seconds in ipairs(PERIODS) do
    self.scales[i] = { period = seconds, begin = time, index = 0, base = equity, n = 0, mean = 0, squares = 0 }
  end
  self.due = time + PERIODS[1]
end

-- The periods which have ended before `time`; in all but the first of them nothing has changed.
local function pass(scale, time, equity)
  local index = (time - scale.begin) // scale.period
  local ended = index - scale.index
  if ended > 0 then
    include(scale, equity - scale.base, 1)
    if ended > 1 then
      include(scale, 0, ended - 1)
    end
    scale.index, scale.base = index, equity
  end
end

--- Equity at a time, which is not before the last one.
---@param time number
---@param equity number
function Sharpe:add(time, equity)
  if not self.last then
    begin(self, time, equity)
  elseif time >= self.due then
    for _, scale in ipairs(self.scales) do
      pass(scale, time, self.last)
    end
    self.due = self.scales[1].begin + (self.scales[1].index + 1) * PERIODS[1]
  end
  self.last = equity
end

local function chosen(scales)
  for i = #scales, 1, -1 do
    if scales[i].n >= ENOUGH then
      return scales[i]
    end
  end
  return scales[1]
end

--- The ratio: per period, and for a year of 365 days when there was a day at least. What has not come to its end counts
--- for nothing. Without a value when there were fewer than two periods, or nothing has changed.
---@return {period: integer, periods: integer, value?: number, annual?: number} period in seconds
function Sharpe:result()
  local scale = chosen(self.scales)
  if not scale then
    return { period = PERIODS[1], periods = 0 }
  end
  local result = { period = scale.period, periods = math.tointeger(scale.n) }
  local deviation = scale.n >= 2 and math.sqrt(scale.squares / (scale.n - 1)) or 0
  if deviation > 0 then
    result.value = scale.mean / deviation
    if scale.n * scale.period >= DAY then
      result.annual = result.value * math.sqrt(YEAR / scale.period)
    end
  end
  return result
end

return ratios
