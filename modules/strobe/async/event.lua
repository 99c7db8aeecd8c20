--- Events: a flag that tasks wait for. asyncio.Event

local lot = require "strobe.core.lot"

---@class strobe.async.Event a flag that tasks wait for
---@field private flag boolean
---@field private waiters userdata
local Event = {}
Event.__index = Event
Event.__name = "Event"

--- Waits until the flag is set; returns at once if it is. asyncio.Event.wait
---
--- A task that waited goes on even if the flag is cleared before it runs.
---@async
---@return true
function Event:wait()
  if not self.flag then
    self.waiters:park()
  end
  return true
end

--- Sets the flag and wakes all who wait. asyncio.Event.set
function Event:set()
  if not self.flag then
    self.flag = true
    self.waiters:wake()
  end
end

--- Clears the flag: from now on `wait` waits. asyncio.Event.clear
function Event:clear()
  self.flag = false
end

--- Whether the flag is set. asyncio.Event.is_set
---@return boolean
function Event:is_set()
  return self.flag
end

function Event:__tostring()
  local waiting = #self.waiters
  return ("<Event [%s%s]>"):format(self.flag and "set" or "unset", waiting > 0 and ", waiters:" .. waiting or "")
end

--- A new event, which is not set.
---@return strobe.async.Event
local function new()
  return setmetatable({ flag = false, waiters = lot.new "event" }, Event)
end

return { Event = new }
