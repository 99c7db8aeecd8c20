--- Tasks that wait in a row, and the wake-ups on their way to them.
--
-- A parking lot alone cannot tell a task that was cancelled while it waited from
-- one that was cancelled after its wake-up, before it ran: only the latter must
-- pass the wake-up on. Counting tells: of the tasks inside `park`, those neither
-- parked nor woken were cancelled while they waited. When tasks of both sorts are
-- about to run, the last of them takes the part of the woken one; the others
-- lose nothing by it, for all of them raise.

local lot = require "strobe.core.lot"

---@class strobe.Waitlist
---@field inside integer tasks in park; at 0 there is nobody to wake
---@field woken integer  tasks that were woken and have not run since
---@field private parked userdata
local Waitlist = {}
Waitlist.__index = Waitlist
Waitlist.__name = "waitlist"

--- A new empty list.
---@param label string what people read in reports: "lock", "queue item"
---@return strobe.Waitlist
function Waitlist.new(label)
  return setmetatable({ parked = lot.new(label), inside = 0, woken = 0 }, Waitlist)
end

--- Waits until woken. Never raises: whoever is given a wake-up has to use it or
--- to pass it on, and then to raise the error.
---@async
---@return boolean ok
---@return any e         what was raised: CancelledError, or why nobody may wait here
---@return boolean woken whether there was a wake-up for this task
function Waitlist:park()
  local parked = self.parked
  self.inside = self.inside + 1
  local ok, e = pcall(parked.park, parked)
  local woken = ok or self.inside - #parked == self.woken
  self.inside = self.inside - 1
  if woken then
    self.woken = self.woken - 1
  end
  return ok, e, woken
end

--- Wakes up to `most` tasks, the oldest first; all of them without `most`.
---@param most? integer
---@return integer woken how many there were
function Waitlist:wake(most)
  if self.inside == 0 then
    return 0
  end
  local woken = self.parked:wake(most)
  self.woken = self.woken + woken
  return woken
end

--- How many wait and were not woken.
---@return integer
function Waitlist:__len()
  return #self.parked
end

return Waitlist
