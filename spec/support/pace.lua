--- Real time under the virtual clock, for specs of what goes by it: who looks on from outside does.

local time = require "strobe.core.time"

---@class spec.Pace
local Pace = {}
Pace.__index = Pace

--- Lets virtual time pass as real time does, until that is closed: a `<close>` value.
---@return spec.Pace
function Pace.keep()
  time.keep_pace()
  return setmetatable({}, Pace)
end

function Pace:close() -- luacheck: ignore self
  time.end_pace()
end

Pace.__close = Pace.close

return Pace
