--- The time in which new code can still be undone: what it processed and sent is written down.
--
-- Units that were exchanged together are on probation together: it ends for all of them, or all are undone. An event's
-- data is written down as it is, not copied: handlers do not change it.

local time = require "strobe.core.time"

-- Least events and seconds; what ends it early: seconds, events, bytes.
local EVENTS, SECONDS, LONGEST, MOST, BYTES = 50, 30, 600, 100000, 64 * 1024 * 1024
-- Events between two looks at whether all of a set have proven themselves.
local LOOK = 16
-- Events of which one is weighed; what an event takes by itself, and a field of its data; how deep it is looked into.
local SAMPLE, EVENT, FIELD, DEPTH = 64, 300, 40, 6

---@class strobe.live.Limits
---@field off? boolean
---@field events? integer   at least so many (50)
---@field seconds? number   and at least so long (30)
---@field longest? number   seconds after which it ends in any case (600)
---@field journal? integer  events which can be written down, and effects (100,000)
---@field bytes? integer    of these, about (64 MiB)

---@class strobe.live.Probation
---@field unit strobe.live.RunningUnit
---@field run strobe.live.Run         the new one
---@field before strobe.live.Generation what would come back
---@field state? table                S0, when it has been copied
---@field seq integer                 the event before the first one of the journal
---@field set strobe.live.ProbationSet of those that were exchanged together
---@field count integer               of events in the journal
---@field events strobe.Event[]
---@field times number[]              at which they were delivered
---@field begins table<integer, true> which of them began a step
---@field effects strobe.live.Effect[]
---@field replaced table[]            what it keeps instead of the old
---@field dropped table<string, true> streams that are kept for the case that it is undone
---@field late strobe.Event[]    what came on these
local Probation = {}
Probation.__index = Probation

---@class strobe.live.ProbationSet
---@field members strobe.live.Probation[]
---@field failed? strobe.live.Probation which of them is why all are to be undone
---@field failure? any

--- Begins one for new code.
---@param run strobe.live.Run
---@param before strobe.live.Generation
---@param limits? strobe.live.Limits
---@param set strobe.live.ProbationSet it is added to
---@return strobe.live.Probation
function Probation.new(run, before, limits, set)
  limits = limits or {}
  local probation = setmetatable({
    unit = run.unit, run = run, before = before, seq = run.seen, set = set,
    count = 0, events = {}, times = {}, begins = {}, bytes = 0, weight = EVENT,
    effects = {}, began = time.now(), clock_began = run.unit.runtime:now(), replaced = {}, dropped = {}, late = {},
    least_events = limits.events or EVENTS, least_seconds = limits.seconds or SECONDS,
    longest = limits.longest or LONGEST, most = limits.journal or MOST, most_bytes = limits.bytes or BYTES,
  }, Probation)
  probation.look_at = math.max(math.min(probation.least_events, probation.most), 1)
  table.insert(set.members, probation)
  return probation
end

-- About what data takes, down to a depth.
local function weigh(data, depth)
  if type(data) == "string" then
    return #data
  elseif type(data) ~= "table" or depth == 0 then
    return 0
  end
  local bytes = FIELD
  for _, value in next, data do
    bytes = bytes + FIELD + weigh(value, depth - 1)
  end
  return bytes
end

--- Writes down an event that was processed.
---@param event strobe.Event
---@param now number at which it was delivered
---@param begins boolean whether a step began with it
function Probation:processed(event, now, begins)
  local count = self.count + 1
  self.count, self.events[count], self.times[count], self.begins[count] = count, event, now, begins or nil
  if count % SAMPLE == 1 or type(event.data) == "string" then
    self.weight = EVENT + weigh(event.data, DEPTH)
  end
  self.bytes = self.bytes + self.weight
  if count >= self.look_at or self.bytes >= self.most_bytes then
    self.look_at = math.min(count + LOOK, math.max(self.most, count + 1))
    self:look()
  end
end

--- Ends it if it is over.
function Probation:look()
  if self.unit.probation == self and not self.set.failed and self:is_over() then
    self.unit.runtime.probations:finalise(self.unit)
  end
end

--- Keeps an event of a stream which the new code has dropped; without room the probation is over.
---@param event strobe.Event
function Probation:put_late(event)
  table.insert(self.late, event)
  if #self.late >= self.most then
    self:look()
  end
end

--- The new code has sent something.
---@param effect strobe.live.Effect
function Probation:sent(effect)
  self.effects[#self.effects + 1] = effect
  if #self.effects >= self.most then
    self:look()
  end
end

--- Whether a run is the one on probation.
---@param run strobe.live.Run
---@return boolean
function Probation:covers(run)
  return self.run == run
end

local function has_no_room(probation)
  return probation.count >= probation.most or #probation.late >= probation.most
    or #probation.effects >= probation.most or probation.bytes >= probation.most_bytes
    or time.now() - probation.began >= probation.longest
end

local function has_proven_itself(probation)
  return probation.count >= probation.least_events and time.now() - probation.began >= probation.least_seconds
end

--- Whether all of the set have proven themselves, or one has no more room to write down.
---@return boolean
function Probation:is_over()
  local proven = true
  for _, member in ipairs(self.set.members) do
    if has_no_room(member) then
      return true
    end
    proven = proven and has_proven_itself(member)
  end
  return proven
end

--- When to look again, if no event comes.
---@return number
function Probation:next_look()
  local seconds = time.now() - self.began
  return self.began + (seconds < self.least_seconds and self.least_seconds or self.longest)
end

return Probation
