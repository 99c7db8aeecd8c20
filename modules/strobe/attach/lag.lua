--- How late the loop is: timers that should fire every quarter of a second, and when they do. Of the last minute.

local time = require "strobe.core.time"

local PERIOD, MOST = 0.25, 240

---@class strobe.attach.Lag
---@field private count integer
local Lag = {}
Lag.__index = Lag

--- Makes one, without figures.
---@return strobe.attach.Lag
function Lag.new()
  return setmetatable({ count = 0 }, Lag)
end

--- Measures for ever. For a task of its own, and a live clock.
---@async
function Lag:run()
  while true do
    local due = time.real() + PERIOD
    time.sleep(PERIOD)
    self:add(time.real() - due)
  end
end

--- Takes a figure.
---@param seconds number
function Lag:add(seconds)
  self[self.count % MOST + 1] = math.max(seconds, 0)
  self.count = self.count + 1
end

--- What 99 of 100 are not above.
---@return number? seconds nil when there are no figures
function Lag:p99()
  local sorted = table.move(self, 1, #self, 1, {})
  table.sort(sorted)
  return sorted[math.ceil(#sorted * 0.99)]
end

return Lag
