--- A run: the code of a generation at work, with its state, its tasks and what it has staged.
--
-- Its tasks are those in whose context it stands, so a task that a task makes is one of them. Its main task asks for
-- one event after another; to ask is to acknowledge the one before. Where nothing may be delivered it waits there:
-- that is the boundary at which its code can be exchanged.

local contexts = require "strobe.async.context"
local core_task = require "strobe.core.task"
local debugger = require "strobe.core.debugger"
local errors = require "strobe.async.error"
local Event = require("strobe.async.event").Event
local freeze = require "strobe.core.freeze"
local handle = require "strobe.core.handle"
local inspect = require "strobe.core.inspect"
local lot = require "strobe.core.lot"
local Random = require "strobe.live.random"
local staging = require "strobe.live.staging"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"
local watchdog = require "strobe.core.watchdog"

-- Seconds of events without a wait after which the others get a turn.
local SLICE = 0.005
-- Events between two looks at that.
local LOOK = 8
-- Events of a batch, unless the contract says how many.
local BATCH = 1000
-- Times that a task which swallows its cancellation gets another.
local AGAIN = 10

local current = contexts.ContextVar("strobe.live.run", nil)

---@class strobe.live.Replay
---@field events strobe.Event[]
---@field times number[] of the events
---@field begins table<integer, true> which of them began a step
---@field next integer
---@field now number

---@class strobe.live.Run
---@field unit strobe.live.RunningUnit
---@field generation strobe.live.Generation
---@field st table
---@field event? strobe.Event which is not acknowledged; of a batch the first
---@field batch? strobe.Event[] the batch, if it is more than that event
---@field seen integer the number of the event at hand, or of the last one
---@field replay? strobe.live.Replay what is processed again, muted
---@field wanted integer events in the inbox for which it is woken at the boundary
---@field starting? boolean until it is committed: what it emits is held
---@field shields integer
---@field shielded_at? number real time at which the first of them began
---@field at_boundary boolean
---@field failure? any why its main task, or a child, has ended
---@field ended? boolean its main task has
---@field sending boolean ports are at work, for which it does not answer
---@field exceeded any the error of a step that was too long, see quota.lua; or false
---@field private staged strobe.live.Effect[]
---@field private counts table<strobe.Task, integer> effects of tasks, by task; 0 or more
local Run = {}
Run.__index = Run

local runs = { Run = Run, variable = current }

---@param unit strobe.live.RunningUnit
---@param generation strobe.live.Generation
---@param st table
---@return strobe.live.Run
function runs.new(unit, generation, st)
  return setmetatable({
    unit = unit, generation = generation, st = st, staged = {}, shields = 0, holds = {}, names = {}, counts = {},
    at_boundary = false, lot = lot.new "inbox", changed = Event(), keeps = {}, generators = {},
    seen = unit.run and unit.run.seen or 0, streak = LOOK - 1, wanted = 1,
    maker = {}, -- by which what it makes is known, and is not held by
    -- Asked for with each event: what is not there would be looked for twice.
    event = false, batch = false, replay = false, starting = false, instant = false, moving = false, slice_end = false,
    exceeded = false, sending = false,
  }, Run)
end

--- The run whose task calls; nil outside of units.
---@return strobe.live.Run?
function runs.current()
  return current:get()
end

-- --- Tasks -------------------------------------------------------------------------------------

-- Whoever waits for it goes on at once: the events of a unit that is reloaded wait for that.
local function signal(run)
  if run.watched then
    run.changed:set()
    run.changed:clear()
    core_task.run_next(run.watched)
  end
end

local function fail(run, e)
  if run.failure == nil and not run.stopping then
    run.failure = e
    signal(run)
    run.unit:failed(run, e)
  end
end

-- What a task of the run does, with its errors told to the unit; what it had staged since its last wait is not sent.
local function guarded(run, f, ...)
  local results = table.pack(xpcall(f, function(e)
    if errors.is(e, errors.CancelledError) then
      return e
    end
    run.trace = debug.traceback(tostring(e), 2)
    debugger.failing(e)
    return e
  end, ...))
  if results[1] and not run.exceeded then
    return table.unpack(results, 2, results.n)
  end
  watchdog.pardon()
  local e = run.exceeded or results[2]
  if not errors.is(e, errors.CancelledError) then -- all that one has staged then is of its cleanup
    run:drop_staged(core_task.current())
    fail(run, e)
  end
  error(e, 0)
end

-- A failure was told to the unit: nobody has to await the task for that.
local function look_away(task)
  task:add_done_callback(function(ended)
    if not ended:cancelled() then
      ended:exception()
    end
  end)
end

-- A task in the run's context, whoever makes it.
local function spawn(run, kind, f, ...)
  local context = contexts.Context()
  local task = context:run(function(...)
    current:set(run)
    return tasks.create_task(guarded, run, f, ...)
  end, ...)
  staging.name(run, task, kind)
  task:set_name(("%s %s"):format(run.unit.name, kind))
  inspect.own(task, run.unit.name, run.generation.number)
  look_away(task)
  return task
end

-- The children of a run that replays begin when that is over.
local function keep_back(run, task)
  freeze.freeze { task }
  run.frozen = run.frozen or {}
  table.insert(run.frozen, task)
end

--- A child of the run, which ends with it.
---@param f function
---@param ... any
---@return strobe.Task
function Run:create_task(f, ...)
  local task = spawn(self, "task", f, ...)
  if self.replay then
    keep_back(self, task)
  end
  return task
end

--- The living tasks of the run, oldest first.
---@return strobe.Task[]
function Run:tasks()
  local list = {}
  for _, task in ipairs(core_task.all()) do
    if task:get_context():get(current) == self then
      list[#list + 1] = task
    end
  end
  return list
end

--- From now on none of its tasks is resumed; their wake-ups are kept.
function Run:freeze()
  self.frozen = self:tasks()
  freeze.freeze(self.frozen)
end

--- Undoes that.
function Run:thaw()
  if self.frozen then
    freeze.thaw(self.frozen)
    self.frozen = nil
  end
end

local function living(list)
  local left = {}
  for _, task in ipairs(list) do
    left[#left + 1] = not task:done() and task or nil
  end
  return left
end

-- Cancels tasks once more, and lets them run.
local function cancel_again(list, reason)
  for _, task in ipairs(list) do
    task:cancel(reason)
  end
  time.sleep(0)
  time.sleep(0)
  return living(list)
end

-- Those that swallow their cancellation get it again at each wait. Those that swallow all are closed where they are.
local function insist(left, reason)
  for _ = 1, AGAIN do
    if #left == 0 then
      return left
    end
    left = cancel_again(left, reason)
  end
  freeze.freeze(left)
  cancel_again(left, reason) -- so that each one's wake-up has come
  local warnings = {}
  for i, task in ipairs(left) do
    warnings[i] = ("%s swallows its cancellation: it %s"):format(task:get_name(),
      freeze.close(task) and "was closed" or "is frozen for good")
  end
  return warnings
end

--- Cancels its tasks and waits for their end, so many seconds.
---@async
---@param reason string
---@param seconds number
---@return integer cancelled
---@return string[] warnings of tasks that did not end by themselves
function Run:stop(reason, seconds)
  self.stopping = true
  local list, me = {}, core_task.current()
  for _, task in ipairs(self:tasks()) do
    list[#list + 1] = task ~= me and task or nil
  end
  for _, task in ipairs(list) do
    task:cancel(reason)
  end
  self:thaw()
  if #list == 0 then
    return 0, {}
  end
  local _, left = tasks.wait(list, { timeout = seconds })
  return #list, insist(left, reason)
end

--- Calls the code's dispose, for at most so many seconds. Nothing that fails from now on counts.
---@async
---@param why "reload"|"rollback"|"stop"
---@param seconds number
---@return string? warning
function Run:dispose(why, seconds)
  local dispose = self.generation.contract.dispose
  self.stopping = true
  if not dispose or not self.ctx then
    return nil
  end
  local child = spawn(self, "dispose", dispose, self.ctx, self.st, why)
  local done = tasks.wait({ child }, { timeout = seconds })
  if #done == 0 then
    child:cancel()
    return ("dispose took more than %g s"):format(seconds)
  end
  local e = not child:cancelled() and child:exception()
  return e and "dispose failed: " .. tostring(e) or nil
end

-- --- Effects -----------------------------------------------------------------------------------

--- Stages an effect. See ctx:emit.
---@param port string
---@param value any
---@return strobe.live.Effect
function Run:emit(port, value)
  return staging.emit(self, port, value)
end

--- Sends what is staged.
function Run:flush()
  staging.flush(self)
end

--- Forgets what a task has staged since it waited last.
---@param task strobe.Task
function Run:drop_staged(task)
  staging.drop(self, task)
end

-- --- Time and chance ---------------------------------------------------------------------------

local function move_on(run)
  run.moving, run.instant = false, false
end

--- Seconds; the same until the task waits, or asks for the next event.
---@return number
function Run:now()
  local now = self.instant
  if not now then
    local replay = self.replay
    now = replay and replay.now or self.unit.runtime:now()
    self.instant = now
    if not replay and not self.moving then
      self.moving = handle.call_soon(move_on, self)
    end
  end
  return now
end

--- Waits; in a replay only the clock moves on.
---@async
---@param seconds number
function Run:sleep(seconds)
  local replay = self.replay
  if replay and core_task.current() == self.main then
    replay.now = replay.now + seconds
    self.instant = false
    return
  end
  time.sleep(seconds)
end

--- As math.random.
---@param ... integer
---@return number
function Run:random(...)
  local task = core_task.current()
  local key = task == self.main and "main" or self.names[task] or "task"
  if self.random_at ~= self.seen then
    self.random_at, self.generators = self.seen, {}
  end
  local generator = self.generators[key]
  if not generator then
    generator = Random.new(self.unit.runtime.seed, self.unit.name, self.seen, key)
    self.generators[key] = generator
  end
  return generator:draw(...)
end

-- --- Events ------------------------------------------------------------------------------------

-- What is at hand was processed. From here on the quota cuts nothing: it has been cut before, or what it sends is sent.
local function acknowledge(run)
  run.sending = true
  if run.exceeded then
    run.sending = false
    error(run.exceeded, 0)
  end
  local event, batch = run.event, run.batch
  if event then
    run.event, run.batch = false, false
    if run.staged[1] then
      run:flush()
    end
    run.unit:acknowledged(run, event, batch)
  end
  run.sending = false
end

-- The next one of a replay; within a batch, none with which a step began.
local function replayed(run, within)
  local replay = run.replay
  local at = replay.next
  local event = replay.events[at]
  if event and not (within and replay.begins[at]) then
    replay.next, replay.now = at + 1, replay.times[at]
    return event
  end
end

local function next_event(run, within)
  if run.replay then
    return replayed(run, within)
  end
  local unit = run.unit
  if unit:delivers_to(run) then
    return unit.inbox:take()
  end
end

-- Lets the others have a turn when there are very many events.
local function be_fair(run)
  local streak = run.streak + 1
  run.streak = streak
  if streak % LOOK ~= 0 then
    return
  end
  local now = time.real()
  if not run.slice_end then
    run.slice_end = now + SLICE
  elseif now > run.slice_end then
    time.sleep(0)
    run.slice_end = false
  end
  run.unit.runtime.leftovers:glance()
end

local function wait_at_boundary(run)
  run.at_boundary = true
  signal(run)
  run.lot:park()
  run.at_boundary, run.slice_end, run.streak = false, false, LOOK - 1
end

local function begin_step(run, event)
  run.event, run.instant, run.seen = event, false, event.seq
  if not run.replay then
    run.unit.flight:note("event", event)
  end
  if run.unit.probation then -- which writes it down
    run.began = run.unit.runtime:now()
  end
end

--- The next event. Only the main task may ask.
---@async
---@return strobe.Event
function Run:next()
  acknowledge(self)
  be_fair(self)
  local event = next_event(self)
  while not event do
    wait_at_boundary(self)
    event = next_event(self)
  end
  begin_step(self, event)
  return event
end

local function stop_timer(run)
  if run.batch_timer then
    run.batch_timer:cancel()
    run.batch_timer, run.batch_due = nil, nil
  end
end

-- Whether those that wait in the inbox are enough for a batch, or the first of them has waited long enough.
local function is_due(run, size, wait)
  local count = #run.unit.inbox
  run.wanted = 1
  if run.replay or count >= size or wait <= 0 then
    return true
  elseif count == 0 or not run.unit:delivers_to(run) then
    return false
  elseif not run.batch_timer then
    run.batch_due = time.now() + wait
    run.batch_timer = handle.call_at(run.batch_due, run.wake, run)
  end
  run.wanted = size
  return time.now() >= run.batch_due
end

--- The next events: as many as wait, up to `size`; for less than that it waits so many seconds from when there is one.
--- They stay in the inbox until then. Only the main task may ask.
---@async
---@param size integer
---@param wait number seconds
---@return strobe.Event[]
function Run:next_batch(size, wait)
  acknowledge(self)
  be_fair(self)
  size = math.min(size, self.unit.inbox.size)
  local event = is_due(self, size, wait) and next_event(self)
  while not event do
    wait_at_boundary(self)
    event = is_due(self, size, wait) and next_event(self)
  end
  stop_timer(self)
  begin_step(self, event)
  local batch = {}
  while event do
    batch[#batch + 1] = event
    if #batch > 1 and not self.replay then
      self.unit.flight:note("event", event)
    end
    event = #batch < size and next_event(self, true) or nil
  end
  self.batch = batch
  return batch
end

--- Events are there, or may be delivered again.
function Run:wake()
  if self.at_boundary then
    self.lot:wake(1)
  end
end

-- --- Starting ------------------------------------------------------------------------------------

local function each_event(run, ctx, st, on_event)
  while true do
    on_event(ctx, st, run:next())
  end
end

local function each_batch(run, ctx, st, contract)
  local limits = contract.batch or {}
  local size, wait = limits.size or BATCH, limits.wait or 0
  while true do
    contract.on_batch(ctx, st, run:next_batch(size, wait))
  end
end

local function body(run, ctx)
  local contract, st = run.generation.contract, run.st
  if contract.init then
    contract.init(ctx, st)
  end
  run.initialized = true
  if contract.main then
    contract.main(ctx, st)
  elseif contract.on_event then
    each_event(run, ctx, st, contract.on_event)
  else
    each_batch(run, ctx, st, contract)
  end
end

--- Begins: init, then main.
---@param ctx strobe.Ctx
function Run:start(ctx)
  self.ctx = ctx
  self.main = spawn(self, "main", body, self, ctx)
  self.main:add_done_callback(function()
    self.ended = true
    stop_timer(self)
    self.unit:main_ended(self)
    signal(self)
  end)
  core_task.run_next(self.main)
end

--- Waits until its main task asks for an event and none may be delivered, or until it fails.
---@async
---@param deadline number
---@return boolean in_time
function Run:wait_boundary(deadline)
  while not self.at_boundary and not self.ended and not (self.starting and self.failure ~= nil) do
    local left = deadline - time.now()
    if left <= 0 then
      return false
    end
    self.watched = core_task.current()
    timeouts.move_on_after(left, self.changed.wait, self.changed)
    self.watched = nil
  end
  return true
end

--- Waits until no shield of it is held.
---@async
---@param deadline number
---@return boolean in_time
function Run:wait_unshielded(deadline)
  while self.shields > 0 do
    local left = deadline - time.now()
    if left <= 0 or not timeouts.move_on_after(left, self.unshielded.park, self.unshielded) then
      return false
    end
  end
  return true
end

return runs
