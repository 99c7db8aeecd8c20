--- A unit: a strategy or component under a name. The runtime owns its inbox, timers and what it keeps; its code and
-- data come and go with its generations.

local contexts = require "strobe.live.ctx"
local Inbox = require "strobe.live.inbox"
local quota = require "strobe.live.quota"
local runs = require "strobe.live.run"
local Supervision = require "strobe.live.supervision"
local time = require "strobe.core.time"
local warnings = require "strobe.async.warnings"

-- Seconds for a unit's tasks to clean up, and for dispose.
local CLEANUP = 1
-- Attempts that are remembered.
local HISTORY = 100

---@class strobe.live.RunningUnit
---@field name string
---@field path string its file
---@field runtime strobe.live.Runtime
---@field inbox strobe.live.Inbox
---@field run? strobe.live.Run which gets the events
---@field state "starting"|"running"|"stopped"|"failed"|"ended"
---@field number integer of the last attempt
---@field history table[] of attempts: {number, verdict, time, files}
---@field probation strobe.live.Probation|false
---@field deadlines table<string, number> of named timers
---@field keeper strobe.live.Keeper
---@field subscriptions table<string, true>
---@field skipped integer events of streams that are no longer subscribed
---@field failed_events integer
---@field events integer which were processed
---@field supervision strobe.live.Supervision
---@field flight strobe.live.Ring of the flight recorder
local Unit = {}
Unit.__index = Unit
Unit.__name = "unit"

Unit.CLEANUP = CLEANUP

--- Makes one, without code.
---@param runtime strobe.live.Runtime
---@param name string
---@param path string
---@param options {inbox?: table, supervision?: strobe.live.SupervisionOptions}
---@return strobe.live.RunningUnit
function Unit.new(runtime, name, path, options)
  local unit = setmetatable({
    runtime = runtime, name = name, path = path, inbox = Inbox.new(options.inbox), state = "starting", number = 0,
    history = {}, deadlines = {}, keeper = contexts.keeper(), subscriptions = {}, skipped = 0, failed_events = 0,
    supervision = Supervision.new(options.supervision), flight = runtime.flight:ring(), events = 0,
    held = false, probation = false,
  }, Unit)
  unit.inbox.filling = function()
    if time.mode() ~= "virtual" then -- where a feed is only held up
      warnings.tell {
        message = ("the inbox of unit %s is more than half full: it takes events slower than they come"):format(name),
        unit = name,
      }
    end
  end
  runtime:introduce(unit)
  return unit
end

-- --- Events ------------------------------------------------------------------------------------

--- Whether a run may take events now.
---@param run strobe.live.Run
---@return boolean
function Unit:delivers_to(run)
  return self.run == run and not self.held and not run.starting
end

--- Stops or resumes delivery.
---@param held boolean
function Unit:hold(held)
  self.held = held
  if not held and self.run then
    self.run:wake()
  end
end

--- An event of a feed: false when the inbox has no room, and none may be dropped.
---@param stream string
---@param data any
---@param when number
---@param stream_seq? integer
---@return boolean
function Unit:offer(stream, data, when, stream_seq)
  local inbox, run = self.inbox, self.run
  local taken = inbox:offer(stream, data, when, stream_seq) or self:sheds(stream, data, when, stream_seq)
  if run and run.at_boundary and not self.held and inbox.last - inbox.first + 1 >= run.wanted then
    run:wake()
  end
  return taken
end

--- Takes an event in place of the oldest, if it has stopped by itself: else all others would wait for it for ever.
---@package
---@param ... any as for offer
---@return boolean
function Unit:sheds(...)
  if self.state ~= "failed" and self.state ~= "ended" then
    return false
  elseif self.shedding ~= self.run then
    self.shedding = self.run
    local text = "unit %s has %s and its inbox is full: the oldest events are dropped"
    self.runtime:log("warning", text:format(self.name, self.state), { unit = self.name })
  end
  return self.inbox:replace_oldest(...)
end

--- An event that comes before all that wait, such as a fill of an order.
---@param stream string
---@param data any
---@param when number
---@param held? boolean it is not delivered, nor what is behind it, until `let_go` or `forget`
---@return strobe.Event
function Unit:interject(stream, data, when, held)
  local event = self.inbox:event(stream, data, when)
  self.inbox:interject(event, held)
  if not held then
    self:hold(self.held)
  end
  return event
end

--- Delivers an event that was held.
---@param event strobe.Event
function Unit:let_go(event)
  event.held = nil
  self:hold(self.held)
end

--- Takes back an event that was held.
---@param event strobe.Event
function Unit:forget(event)
  self.inbox:withdraw(event)
  self:hold(self.held)
end

--- A run has processed an event, or a batch.
---@param run strobe.live.Run
---@param event strobe.Event the first
---@param batch? strobe.Event[]
function Unit:acknowledged(run, event, batch)
  if run.replay then
    return
  end
  self.events = self.events + (batch and #batch or 1)
  local probation = self.probation
  if probation and probation.run == run then
    probation:processed(event, run.began, true)
    for i = 2, batch and #batch or 1 do
      probation:processed(batch[i], run.began, false)
    end
  end
end

--- What a run was doing was cut: it counts as processed.
---@param run strobe.live.Run
---@return true
function Unit:settle_cut(run)
  local event, batch = run.event, run.batch
  run.event, run.batch = false, false
  if event then
    self:acknowledged(run, event, batch)
  end
  return true
end

-- Writes an effect down with the event at hand, and all of its batch, in place of the one it is again.
local function write_down(run, effect)
  local event = run.event
  local sent = event.effects
  if not sent then
    sent = {}
    for _, one in ipairs(run.batch or { event }) do
      one.effects = sent
    end
  end
  effect.matched = true -- it is not one of before
  for i, other in ipairs(effect.before and sent or {}) do
    if other == effect.before then
      sent[i] = effect
      return
    end
  end
  sent[#sent + 1] = effect
end

--- An effect leaves the unit.
---@param run strobe.live.Run
---@param effect strobe.live.Effect
function Unit:sent(run, effect)
  effect.unit = self
  self.flight:note("effect", effect)
  if run.event and effect.task == run.main then
    write_down(run, effect)
  end
  if self.probation and self.probation:covers(run) then
    self.probation:sent(effect)
  end
end

-- --- Failure -----------------------------------------------------------------------------------

local function report_failure(unit, run, e)
  local text = "gen %d failed at event %d\n%s"
  unit.flight:note("error", { text = tostring(e), trace = run.trace, gen = run.generation.number, seq = run.seen })
  unit.runtime:log("error", text:format(run.generation.number, run.seen, run.trace or tostring(e)), {
    unit = unit.name, gen = run.generation.number, seq = run.seen,
  })
end

--- Takes back what is at hand, to be tried again: `redelivered` if effects of it were sent.
---@param run strobe.live.Run
---@return integer events
function Unit:take_back(run)
  local list = run.batch or run.event and { run.event } or {}
  run.event, run.batch = false, false
  for i = #list, 1, -1 do
    local event = list[i]
    event.redelivered, event.numbered = event.effects and true, nil
    for _, effect in ipairs(event.effects or {}) do
      effect.matched = nil
      event.numbered = math.max(event.numbered or 0, effect.n)
    end
    self.inbox:put_back(event)
  end
  return #list
end

-- Whether it is this that would be started again: a reload may have come in between, or the end.
local function is_left(unit, run)
  return unit.run == run and not unit.held
end

local function restart(unit, run, pause)
  time.sleep(pause)
  if is_left(unit, run) then
    run:stop("restart", CLEANUP) -- what it has left
    if is_left(unit, run) then
      unit:begin(runs.new(unit, run.generation, run.st))
    end
  end
end

--- A task of a run has raised.
---@param run strobe.live.Run
---@param e any
function Unit:failed(run, e)
  if run ~= self.run or run.starting then
    return -- a reload is watching
  end
  report_failure(self, run, e)
  local probation = self.probation
  if probation and probation:covers(run) and not probation.set.failed then
    probation.set.failed, probation.set.failure = probation, e
    self.runtime.probations:undo(probation, quota.code_of(e), e)
  else
    self.runtime.flight:save(self, "failure")
  end
end

--- The main task of a run has ended.
---@param run strobe.live.Run
function Unit:main_ended(run)
  if run ~= self.run or run.starting or run.stopping or run.cut then
    return
  elseif run.failure ~= nil and self.probation and self.probation:covers(run) then
    return
  end
  local failed = run.failure ~= nil
  local seq = failed and run.event and run.event.seq or nil
  if failed then
    self.failed_events = self.failed_events + 1
    self:take_back(run)
  else
    self:settle_cut(run) -- to return is to have processed it
  end
  local pause, why = self.supervision:decide(time.now(), failed, seq)
  if pause then
    self.runtime:spawn(restart, self, run, pause):set_name("restart of " .. self.name)
  elseif failed then
    self.state = "failed"
    self.runtime:log("error", ("unit %s stops: %s; fix it and reload"):format(self.name, why), { unit = self.name })
  else
    self.state = "ended"
  end
  self.inbox:wake_waiting()
end

-- --- Runs --------------------------------------------------------------------------------------

--- Begins a run, which gets the events from now on.
---@param run strobe.live.Run
function Unit:begin(run)
  self.run, self.state = run, "running"
  run:start(contexts.new(run))
end

--- Remembers an attempt.
---@param number integer of the generation
---@param verdict string
---@param files string[]
function Unit:remember(number, verdict, files)
  local history = self.history
  history[#history + 1] = { number = number, verdict = verdict, time = time.wall(), files = files }
  if #history > HISTORY then
    table.remove(history, 1)
  end
end

--- What became of an attempt later.
---@param number integer
---@param verdict string
function Unit:correct(number, verdict)
  for _, attempt in ipairs(self.history) do
    if attempt.number == number then
      attempt.verdict = verdict
    end
  end
end

--- Ends it: its tasks are cancelled, and what it kept is closed.
---@async
function Unit:stop()
  local run = self.run
  self.held, self.state = true, "stopped"
  if run then
    run:dispose("stop", CLEANUP)
    run:stop("stop", CLEANUP)
  end
  self.keeper:close()
end

return Unit
