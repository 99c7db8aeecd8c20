--- Locks: one task at a time. asyncio.Lock
--
-- A release hands the lock to the task that has waited longest. Until that task
-- runs nobody else can take it, so that the order is that of asking.

local Guard = require "strobe.async.guard"
local Waitlist = require "strobe.async.waitlist"
local current_id = require("strobe.core.task").current_id

---@class strobe.Lock
---@field private held false|true|integer its task's number, true for a callback; also on its way to a woken task
---@field private waiters strobe.Waitlist
local Lock = {}
Lock.__index = Lock
Lock.__name = "Lock"

-- The oldest waiter becomes the holder; without one the lock is free.
local function hand_on(lock)
  if lock.waiters:wake(1) == 0 then
    lock.held = false
  end
end

--- Waits for the lock and takes it. asyncio.Lock.acquire
---
--- `local held <close> = lock:acquire()` releases it with the block. The result
--- may also be left alone, and the lock be released by hand.
---@async
---@return strobe.Guard held
function Lock:acquire()
  if not self.held then
    self.held = current_id() or true
    return Guard.new(self)
  end
  local ok, e, woken = self.waiters:park()
  if not ok then
    if woken then
      hand_on(self)
    end
    error(e, 0)
  end
  self.held = current_id() or true
  return Guard.new(self)
end

--- Gives the lock to the next waiter, or frees it; any task may do so. Raises when
--- it is not acquired. asyncio.Lock.release
function Lock:release()
  if not self:locked() then
    error("Lock:release: the lock is not acquired", 2)
  end
  hand_on(self)
end

--- Whether a task has the lock. asyncio.Lock.locked
---@return boolean
function Lock:locked()
  return self.held ~= false and self.waiters.woken == 0
end

function Lock:__tostring()
  local state = self:locked() and "locked" or "unlocked"
  local waiting = #self.waiters
  return ("<Lock [%s%s]>"):format(state, waiting > 0 and ", waiters:" .. waiting or "")
end

--- A new lock, which is free.
---@return strobe.Lock
local function new()
  return setmetatable({ held = false, waiters = Waitlist.new "lock" }, Lock)
end

-- The number of the task that has a lock; nil when it is free, on its way, or a callback has it. For introspection.
local function holder(lock)
  return lock:locked() and lock.held ~= true and lock.held or nil
end

return { Lock = new, holder = holder }
