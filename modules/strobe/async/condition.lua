--- Conditions: waiting under a lock for news about what the lock protects.
-- asyncio.Condition

local Lock = require("strobe.async.lock").Lock
local mistake = require "strobe.mistake"
local Waitlist = require "strobe.async.waitlist"
local errors = require "strobe.async.error"

---@class strobe.Condition a lock and the news of what it guards
---@field private lock strobe.Lock
---@field private waiters strobe.Waitlist
local Condition = {}
Condition.__index = Condition
Condition.__name = "Condition"

--- Waits for the lock and takes it: `local held <close> = condition:acquire()`.
--- asyncio.Condition.acquire
---@async
---@return strobe.Guard held
function Condition:acquire()
  return self.lock:acquire()
end

--- Releases the lock. asyncio.Condition.release
function Condition:release()
  self.lock:release()
end

--- Whether a task has the lock. asyncio.Condition.locked
---@return boolean
function Condition:locked()
  return self.lock:locked()
end

-- Takes the lock again, however often the task is cancelled meanwhile; returns the
-- last CancelledError.
local function acquire_again(lock)
  local cancelled
  while true do
    local ok, e = pcall(lock.acquire, lock)
    if ok then
      return cancelled
    elseif not errors.is(e, errors.CancelledError) then
      error(e, 0)
    end
    cancelled = e
  end
end

--- Releases the lock, waits for a notify, and takes the lock again, which it has
--- even when it raises. asyncio.Condition.wait
---
--- Another task may have been faster: check what you wait for, or use wait_for.
---@async
---@return true
function Condition:wait()
  if not self:locked() then
    mistake.raise "Condition:wait: the lock is not acquired"
  end
  self:release()
  local _, e, notified = self.waiters:park()
  e = acquire_again(self.lock) or e
  if e ~= nil then
    if notified then
      self.waiters:wake(1)
    end
    error(e, 0)
  end
  return true
end

--- Waits until predicate() is true, which is asked under the lock: now, and after
--- each notify. asyncio.Condition.wait_for
---@async
---@param predicate fun(): any
---@return any value what the predicate returned at last
function Condition:wait_for(predicate)
  mistake.expect("Condition:wait_for", "predicate", "function", predicate)
  local value = predicate()
  while not value do
    self:wait()
    value = predicate()
  end
  return value
end

--- Wakes up to n waiting tasks. They go on one after another, each when it has got
--- the lock. asyncio.Condition.notify
---@param n? integer 1 by default
function Condition:notify(n)
  if not self:locked() then
    error("Condition:notify: the lock is not acquired", 2)
  end
  self.waiters:wake(n or 1)
end

--- Wakes all waiting tasks. asyncio.Condition.notify_all
function Condition:notify_all()
  if not self:locked() then
    error("Condition:notify_all: the lock is not acquired", 2)
  end
  self.waiters:wake()
end

function Condition:__tostring()
  local state = self:locked() and "locked" or "unlocked"
  local waiting = #self.waiters
  return ("<Condition [%s%s]>"):format(state, waiting > 0 and ", waiters:" .. waiting or "")
end

--- A condition with a lock of its own, or with one that is given; several
--- conditions may share a lock.
---@param lock? strobe.Lock
---@return strobe.Condition
local function new(lock)
  if lock ~= nil and (type(lock) ~= "table" or not lock.acquire) then
    error(("Condition: a Lock expected, got %s"):format(type(lock)), 2)
  end
  return setmetatable({ lock = lock or Lock(), waiters = Waitlist.new "condition" }, Condition)
end

return { Condition = new }
