--- Barriers: tasks that wait for each other. asyncio.Barrier
--
-- A barrier fills until the last party comes, then drains: the parties leave one
-- after another, and who comes meanwhile waits for the next round.

local errors = require "strobe.async.error"
local lot = require "strobe.core.lot"

---@class strobe.Barrier a place where so many tasks wait for each other
---@field parties integer   how many tasks it takes
---@field n_waiting integer how many wait for the rest
---@field broken boolean    whether it was aborted
---@field private count integer tasks of this round that have not left
---@field private state "filling"|"draining"|"resetting"|"broken"
---@field private filling userdata those who wait for the rest
---@field private next_round userdata those who wait for the leaving of the others
local Barrier = {}
Barrier.__name = "Barrier"

local properties = {
  broken = function(barrier)
    return barrier.state == "broken"
  end,
  n_waiting = function(barrier)
    return barrier.state == "filling" and barrier.count or 0
  end,
}

function Barrier.__index(barrier, name)
  local property = properties[name]
  if property then
    return property(barrier)
  end
  return Barrier[name]
end

local function enter(barrier)
  while barrier.state == "draining" or barrier.state == "resetting" do
    barrier.next_round:park()
  end
  if barrier.state == "broken" then
    error(errors.BrokenBarrierError "the barrier was aborted", 0)
  end
  local index = barrier.count
  barrier.count = index + 1
  return index
end

local function change(barrier, state)
  barrier.state = state
  barrier.filling:wake()
end

-- Waits for the rest of the parties; the last one lets all of them go.
local function fill(barrier, index)
  if index + 1 == barrier.parties then
    change(barrier, "draining")
    return
  end
  while barrier.state == "filling" do
    barrier.filling:park()
  end
  if barrier.state ~= "draining" then
    error(errors.BrokenBarrierError "the barrier was aborted or reset", 0)
  end
end

local function leave(barrier)
  barrier.count = barrier.count - 1
  if barrier.count > 0 then
    return
  end
  if barrier.state ~= "broken" then
    barrier.state = "filling"
  end
  barrier.next_round:wake()
end

--- Waits until `parties` tasks have come here. asyncio.Barrier.wait
---
--- Raises BrokenBarrierError when the barrier is, or gets meanwhile, aborted or
--- reset. A task that is cancelled here no longer counts; the others wait on.
---@async
---@return integer index another one for each party: 0 for the first to `parties` - 1
function Barrier:wait()
  local index = enter(self)
  local ok, e = pcall(fill, self, index)
  leave(self)
  if not ok then
    error(e, 0)
  end
  return index
end

--- Empties the barrier, and mends it if it is broken. Who waits at it gets a
--- BrokenBarrierError. Does not wait. asyncio.Barrier.reset
function Barrier:reset()
  change(self, self.count > 0 and "resetting" or "filling")
  if self.count == 0 then
    self.next_round:wake()
  end
end

--- Breaks the barrier: who waits at it, now or later, gets a BrokenBarrierError.
--- Does not wait. asyncio.Barrier.abort
function Barrier:abort()
  change(self, "broken")
  self.next_round:wake()
end

function Barrier:__tostring()
  if self.broken then
    return "<Barrier [broken]>"
  end
  return ("<Barrier [%s, waiters:%d/%d]>"):format(self.state, self.n_waiting, self.parties)
end

--- A barrier for so many tasks.
---@param parties integer 1 or more
---@return strobe.Barrier
local function new(parties)
  if math.type(parties) ~= "integer" or parties < 1 then
    error(("Barrier: a number of parties of 1 or more expected, got %s"):format(tostring(parties)), 2)
  end
  return setmetatable({
    parties = parties,
    state = "filling",
    count = 0,
    filling = lot.new "barrier",
    next_round = lot.new "barrier",
  }, Barrier)
end

return { Barrier = new }
