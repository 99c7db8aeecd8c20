--- Pauses between attempts to connect: each longer than the one before, and each at random, so that many who have
--- lost the same server do not come back at once. They stay long until data have come: to be connected is not enough.

local time = require "strobe.core.time"

local FIRST, FACTOR, LONGEST = 0.1, 2, 30

---@class strobe.live.Backoff
---@field private pause? number of the next, at most; nil: at once
local Backoff = {}
Backoff.__index = Backoff

---@return strobe.live.Backoff
function Backoff.new()
  return setmetatable({}, Backoff)
end

--- Data have come: the next failure is a new one.
function Backoff:reset()
  self.pause = nil
end

--- The seconds before the next attempt: half of the pause to all of it.
---@return number
function Backoff:next()
  local pause = self.pause or FIRST
  self.pause = math.min(pause * FACTOR, LONGEST)
  return pause * (0.5 + 0.5 * math.random())
end

--- Waits so long.
---@async
function Backoff:wait()
  time.sleep(self:next())
end

return Backoff
