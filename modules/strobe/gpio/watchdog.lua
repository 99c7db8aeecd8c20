--- A watchdog: says when something has not happened for a while. It costs a timer a period, however often it is
-- fed, and none once it has barked.

local watchdog = {}

local SECOND = 1000 * 1000 * 1000 -- in ns

---@class strobe.gpio.Watchdog
---@field private fed integer ns
local Watchdog = {}
Watchdog.__index = Watchdog

local function look(self)
  local left = self.period - (self.part.board:now_ns() - self.fed)
  if left > 0 then
    self.part:after(left / SECOND, function()
      look(self)
    end)
  else
    self.awake = false
    self.bark()
  end
end

--- Makes one, asleep until it is fed.
---@param part strobe.gpio.Part
---@param period number seconds without being fed
---@param bark fun()
---@return strobe.gpio.Watchdog
function watchdog.new(part, period, bark)
  return setmetatable({ part = part, period = math.floor(period * SECOND), bark = bark }, Watchdog)
end

--- It has happened.
function Watchdog:feed()
  self.fed = self.part.board:now_ns()
  if not self.awake then
    self.awake = true
    look(self)
  end
end

return watchdog
