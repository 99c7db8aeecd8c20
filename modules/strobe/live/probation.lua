--- The time in which new code can still be undone: what it processed and sent is written down.

local time = require "strobe.core.time"

local EVENTS, SECONDS, LONGEST, MOST = 50, 30, 600, 100000

---@class strobe.live.Probation
---@field run strobe.live.Run         the new one
---@field before strobe.live.Generation what would come back
---@field state table                 S0
---@field number integer              of the generation before
---@field journal {event: strobe.live.Event, now: number}[]
---@field effects strobe.live.Effect[]
---@field replaced table[]            what it keeps instead of the old
---@field dropped table<string, true> streams that are kept for the case that it is undone
---@field late strobe.live.Event[]    what came on these
---@field failure? any                why it is to be undone
local Probation = {}
Probation.__index = Probation

---@param run strobe.live.Run
---@param before strobe.live.Generation
---@param state table
---@param limits? {events?: integer, seconds?: number}
---@return strobe.live.Probation
function Probation.new(run, before, state, limits)
  limits = limits or {}
  return setmetatable({
    run = run, before = before, state = state, journal = {}, effects = {}, began = time.now(),
    replaced = {}, dropped = {}, late = {},
    least_events = limits.events or EVENTS, least_seconds = limits.seconds or SECONDS,
  }, Probation)
end

---@param event strobe.live.Event
---@param now number at which it was delivered
function Probation:processed(event, now)
  self.journal[#self.journal + 1] = { event = event, now = now }
  if self.failure == nil and self:is_over() then
    self.run.unit.runtime:finalise(self.run.unit)
  end
end

---@param effect strobe.live.Effect
function Probation:sent(effect)
  self.effects[#self.effects + 1] = effect
end

--- Whether a run is the one on probation.
---@param run strobe.live.Run
---@return boolean
function Probation:covers(run)
  return self.run == run
end

--- Whether it has proven itself, or there is no more room to write down.
---@return boolean
function Probation:is_over()
  local seconds = time.now() - self.began
  return #self.journal >= self.least_events and seconds >= self.least_seconds or seconds >= LONGEST
    or #self.journal >= MOST
end

--- When to look again, if no event comes.
---@return number
function Probation:next_look()
  local seconds = time.now() - self.began
  return self.began + (seconds < self.least_seconds and self.least_seconds or LONGEST)
end

return Probation
