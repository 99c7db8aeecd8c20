--- Semaphores: at most so many tasks at a time. asyncio.Semaphore

local Guard = require "strobe.async.guard"
local Waitlist = require "strobe.async.waitlist"

---@class strobe.Semaphore permits, of which each task takes one, first come first served
---@field private value integer  permits that nobody has and nobody was promised
---@field private bound? integer the most there may be, in a BoundedSemaphore
---@field private waiters strobe.Waitlist
local Semaphore = {}
Semaphore.__index = Semaphore
Semaphore.__name = "Semaphore"

-- Promises what is free to those who wait.
local function hand_out(semaphore)
  semaphore.value = semaphore.value - semaphore.waiters:wake(semaphore.value)
end

--- Waits for a permit and takes it. asyncio.Semaphore.acquire
---
--- `local held <close> = semaphore:acquire()` releases it with the block. The
--- result may also be left alone, and the permit be released by hand.
---@async
---@return strobe.Guard held
function Semaphore:acquire()
  if not self:locked() then
    self.value = self.value - 1
    return Guard.new(self)
  end
  local ok, e, woken = self.waiters:park()
  if woken and not ok then
    self.value = self.value + 1
  end
  -- Some may have lined up behind the woken ones although a permit was free.
  hand_out(self)
  if not ok then
    error(e, 0)
  end
  return Guard.new(self)
end

--- Gives a permit back, or adds one. A BoundedSemaphore raises when there would be
--- more than at its beginning. asyncio.Semaphore.release
function Semaphore:release()
  if self.bound and self.value >= self.bound then
    error("BoundedSemaphore:release: released too many times", 2)
  end
  self.value = self.value + 1
  if #self.waiters > 0 then
    self.value = self.value - self.waiters:wake(1)
  end
end

--- Whether acquire would wait now: none is free, or others come first.
--- asyncio.Semaphore.locked
---@return boolean
function Semaphore:locked()
  return self.value == 0 or self.waiters.woken > 0 or #self.waiters > 0
end

function Semaphore:__tostring()
  local state = self:locked() and "locked" or "unlocked, value:" .. self.value
  local waiting = #self.waiters
  local name = self.bound and "BoundedSemaphore" or "Semaphore"
  return ("<%s [%s%s]>"):format(name, state, waiting > 0 and ", waiters:" .. waiting or "")
end

local function create(name, value)
  value = value == nil and 1 or value
  if math.type(value) ~= "integer" or value < 0 then
    error(("%s: an initial value of 0 or more expected, got %s"):format(name, tostring(value)), 3)
  end
  return setmetatable({ value = value, waiters = Waitlist.new "semaphore" }, Semaphore)
end

local semaphores = {}

--- A semaphore with `value` permits, by default 1.
---@param value? integer 0 or more
---@return strobe.Semaphore
function semaphores.Semaphore(value)
  return create("Semaphore", value)
end

--- A semaphore that refuses to be released more often than it was acquired.
---@param value? integer 0 or more, by default 1
---@return strobe.Semaphore
function semaphores.BoundedSemaphore(value)
  local semaphore = create("BoundedSemaphore", value)
  semaphore.bound = semaphore.value
  return semaphore
end

return semaphores
