--- The probations of a runtime's units: who looks after them, and how they end.

local rollback = require "strobe.live.rollback"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"

---@class strobe.live.Probations
---@field dropping boolean whether a unit on probation has dropped streams
---@field private runtime strobe.live.Runtime
---@field private watching table<strobe.live.RunningUnit, strobe.Task>
local Probations = {}
Probations.__index = Probations

---@param runtime strobe.live.Runtime
---@return strobe.live.Probations
function Probations.new(runtime)
  return setmetatable({ runtime = runtime, watching = {}, dropping = false }, Probations)
end

local function look_for_dropped(probations)
  probations.dropping = false
  for _, unit in ipairs(probations.runtime.order) do
    probations.dropping = probations.dropping or unit.probation and next(unit.probation.dropped) ~= nil
  end
end

-- Ends the task that looks after a unit's probation, unless that is the one which calls.
local function stop_watch(probations, unit)
  local task = probations.watching[unit]
  probations.watching[unit] = nil
  if task and task ~= tasks.current_task() then
    task:cancel()
  end
end

--- Ends the probation of a unit and of those that were exchanged with it: what they replaced cannot come back.
---@param unit strobe.live.RunningUnit
---@return strobe.live.Probation[] ended what they replaced is to be closed
function Probations:finish(unit)
  local ended = {}
  for _, probation in ipairs(unit.probation and unit.probation.set.members or ended) do
    if probation.unit.probation == probation then
      probation.unit.probation = false
      probation.unit.skipped = probation.unit.skipped + #probation.late
      stop_watch(self, probation.unit)
      self.runtime.leftovers:add(probation.before, probation.unit)
      ended[#ended + 1] = probation
    end
  end
  look_for_dropped(self)
  return ended
end

--- Ends the probation of a unit and of those that were exchanged with it, as the unit is exchanged again.
---@param unit strobe.live.RunningUnit
---@return strobe.live.Probation[] ended what they replaced is to be closed
function Probations:supersede(unit)
  local ended = self:finish(unit)
  for _, probation in ipairs(ended) do
    if probation.unit == unit then
      unit:correct(probation.run.generation.number, "superseded")
    end
    self.runtime:superseded(probation)
  end
  return ended
end

local function close_replaced(ended)
  for _, probation in ipairs(ended) do
    probation.unit.keeper:close_replaced(probation.replaced)
  end
end

--- Ends all of them, as the runtime ends: what was replaced is closed.
---@async
function Probations:close()
  for _, unit in ipairs(self.runtime.order) do
    close_replaced(self:finish(unit))
  end
end

--- Ends the probation of a unit: it has proven itself, and those that were exchanged with it.
---@param unit strobe.live.RunningUnit
function Probations:finalise(unit)
  local ended = self:finish(unit)
  if #ended > 0 then
    self.runtime:spawn(close_replaced, ended)
  end
  for _, probation in ipairs(ended) do
    self.runtime:proven(probation)
  end
end

-- Looks when time may have ended a probation. One that has failed is ended by its rollback alone.
local function watch(probation)
  local unit = probation.unit
  while unit.probation == probation and not probation.set.failed do
    probation:look()
    time.sleep_until(probation:next_look() + 1e-3)
  end
end

--- Looks after a unit's probation that no event ends.
---@param unit strobe.live.RunningUnit
function Probations:watch(unit)
  look_for_dropped(self)
  stop_watch(self, unit)
  if unit.probation then
    local task = self.runtime:spawn(watch, unit.probation)
    self.watching[unit] = task
    task:set_name("probation of " .. unit.name)
  end
end

--- One has ended by a rollback.
---@param probation strobe.live.Probation
function Probations:rolled_back(probation)
  if probation.unit.run ~= probation.run then -- or else the old code has failed as well
    self.runtime.leftovers:add(probation.run.generation, probation.unit)
  end
  self:watch(probation.unit)
end

local function perform(probations, probation, code, e)
  local runtime, unit = probations.runtime, probation.unit
  local held <close> = runtime.lock:acquire() -- luacheck: ignore
  if unit.probation ~= probation then
    return nil
  end
  local mine
  for _, report in ipairs(rollback.perform(probation.set, code, e)) do
    runtime:tell(report)
    mine = report.unit == unit.name and report or mine
  end
  return mine
end

--- Undoes a reload, in a task of its own.
---@param probation strobe.live.Probation
---@param code "error"|"budget"|"manual"
---@param e? any
---@return strobe.Task its result: the report of the unit, nil when its probation had ended meanwhile
function Probations:undo(probation, code, e)
  probation.unit:hold(true)
  return self.runtime:spawn(perform, self, probation, code, e)
end

--- Undoes a reload as somebody wishes.
---@async
---@param unit strobe.live.RunningUnit
---@return strobe.live.Report? nil when it is not on probation
function Probations:undo_by_hand(unit)
  local probation = unit.probation
  if not probation then
    return nil
  end
  probation.set.failed = probation.set.failed or probation -- no event ends it any more
  return self:undo(probation, "manual"):await()
end

return Probations
