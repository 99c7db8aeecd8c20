--- Drawdown: how far equity has fallen from its highest value so far.

---@class strobe.backtest.Fall
---@field depth number    from the peak to the lowest value since, above 0
---@field peak number     equity before it
---@field begin number    when the peak was left
---@field low number      when it was deepest
---@field recovered? number when the peak was reached again; nil: not yet

---@class strobe.backtest.Drawdown
---@field peak? number    the highest equity so far
---@field current number  how far below it equity is now
---@field deepest? strobe.backtest.Fall
---@field private peak_time number
---@field private fall? strobe.backtest.Fall which goes on
local Drawdown = {}
Drawdown.__index = Drawdown

local drawdowns = {}

--- Makes one that has seen nothing.
---@return strobe.backtest.Drawdown
function drawdowns.new()
  return setmetatable({ current = 0 }, Drawdown)
end

local function rise(drawdown, time, equity)
  if drawdown.fall then
    drawdown.fall.recovered = time
    drawdown.fall = nil
  end
  drawdown.peak, drawdown.peak_time, drawdown.current = equity, time, 0
end

--- Equity at a time, which is not before the last one.
---@param time number
---@param equity number
---@return number current how far equity is below its peak, 0 or more
function Drawdown:add(time, equity)
  if not self.peak or equity >= self.peak then
    rise(self, time, equity)
    return 0
  end
  local depth = self.peak - equity
  self.current = depth
  self.fall = self.fall or { depth = 0, peak = self.peak, begin = self.peak_time, low = time }
  if depth > self.fall.depth then
    self.fall.depth, self.fall.low = depth, time
  end
  if not self.deepest or self.fall.depth > self.deepest.depth then
    self.deepest = self.fall
  end
  return depth
end

return drawdowns
