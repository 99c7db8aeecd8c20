--- A callback once some real time has passed, whatever the clock says of tasks: people do not type in virtual time.

local uv = require "luv"

---@class strobe.console.Alarm
---@field private f fun()
local Alarm = {}
Alarm.__index = Alarm
Alarm.__name = "alarm"

--- Makes one that is not set.
---@param f fun() may not wait
---@return strobe.console.Alarm
function Alarm.new(f)
  return setmetatable({ f = f, timer = assert(uv.new_timer()) }, Alarm)
end

--- Whether it is to come.
---@return boolean
function Alarm:is_set()
  return self.timer:is_active()
end

--- Sets it anew, or not at all.
---@param seconds? number
function Alarm:set(seconds)
  if self.timer:is_closing() then
    return
  elseif seconds then
    self.timer:start(math.ceil(math.max(seconds, 0) * 1000), 0, self.f)
  else
    self.timer:stop()
  end
end

--- For good. Twice is harmless.
function Alarm:close()
  if not self.timer:is_closing() then
    self.timer:close()
  end
end

return Alarm
