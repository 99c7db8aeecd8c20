--- A run: the code of a generation at work, with its state, its tasks and what it has staged.
--
-- Its tasks are those in whose context it stands, so a task that a task makes is one of them. Its main task asks for
-- one event after another; to ask is to acknowledge the one before. Where nothing may be delivered it waits there:
-- that is the boundary at which its code can be exchanged.

local contexts = require "strobe.async.context"
local core_task = require "strobe.core.task"
local effects = require "strobe.live.effect"
local errors = require "strobe.async.error"
local Event = require("strobe.async.event").Event
local freeze = require "strobe.core.freeze"
local handle = require "strobe.core.handle"
local lot = require "strobe.core.lot"
local Random = require "strobe.live.random"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"

-- Seconds of events without a wait after which the others get a turn.
local SLICE = 0.005
-- Events between two looks at that.
local LOOK = 64

local current = contexts.ContextVar("strobe.live.run", nil)

---@class strobe.live.Run
---@field unit strobe.live.Unit
---@field generation strobe.live.Generation
---@field st table
---@field event? strobe.live.Event which is not acknowledged
---@field replay? {events: table[], next: integer} what is processed again, muted
---@field starting? boolean until it is committed: what it emits is held
---@field shields integer
---@field at_boundary boolean
---@field failure? any why its main task, or a child, has ended
---@field ended? boolean its main task has
---@field private staged strobe.live.Effect[]
local Run = {}
Run.__index = Run

local runs = { Run = Run, variable = current }

---@param unit strobe.live.Unit
---@param generation strobe.live.Generation
---@param st table
---@return strobe.live.Run
function runs.new(unit, generation, st)
  return setmetatable({
    unit = unit, generation = generation, st = st, staged = {}, shields = 0, holds = {}, counts = {},
    at_boundary = false, lot = lot.new "inbox", changed = Event(), keeps = {}, seen = 0,
  }, Run)
end

--- The run whose task calls; nil outside of units.
---@return strobe.live.Run?
function runs.current()
  return current:get()
end

-- --- Tasks -------------------------------------------------------------------------------------

local function signal(run)
  run.changed:set()
  run.changed:clear()
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
    return e
  end, ...))
  if results[1] then
    return table.unpack(results, 2, results.n)
  end
  local e = results[2]
  run:drop_staged(core_task.current())
  if not errors.is(e, errors.CancelledError) then
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
local function spawn(run, name, f, ...)
  local context = contexts.Context()
  local task = context:run(function(...)
    current:set(run)
    return tasks.create_task(guarded, run, f, ...)
  end, ...)
  task:set_name(("%s %s"):format(run.unit.name, name))
  look_away(task)
  return task
end

--- A child of the run, which ends with it.
---@param f function
---@param ... any
---@return strobe.Task
function Run:create_task(f, ...)
  return spawn(self, "task", f, ...)
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

--- Cancels its tasks and waits for their end, so many seconds. Those that do not end are frozen for good.
---@async
---@param reason string
---@param seconds number
---@return integer cancelled
---@return strobe.Task[] left
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
    return 0, list
  end
  local _, left = tasks.wait(list, { timeout = seconds })
  freeze.freeze(left)
  return #list, left
end

-- --- Effects -----------------------------------------------------------------------------------

local function identify(run, task)
  if task == run.main then
    local n = (run.counts[task] or 0) + 1
    run.counts[task] = n
    return ("%s/%d/%d"):format(run.unit.name, run.seen, n)
  end
  local n = (run.counts[task] or 0) + 1
  run.counts[task] = n
  return ("%s/%d/%s/%d"):format(run.unit.name, run.generation.number, task:get_name(), n)
end

-- The id of an effect that the event at hand has had already.
local function known_id(event, port, value)
  local sent = event and event.effects
  for i, effect in ipairs(sent or {}) do
    if not effect.matched and effect.port == port and rawequal(effect.value, value) then
      sent[i].matched = true
      return effect.id
    end
  end
end

--- Stages an effect. See ctx:emit.
---@param port string
---@param value any
---@return strobe.live.Effect
function Run:emit(port, value)
  local target = self.unit.runtime:port(port)
  local task = core_task.current()
  local id = known_id(self.event, port, value) or identify(self, task)
  if self.replay then
    return effects.muted(id, port, value)
  end
  local effect = effects.new(id, port, value, self.starting and self or nil)
  effect.target, effect.task = target, task
  table.insert(self.staged, effect)
  if not self.starting and not self.flushing then
    self.flushing = handle.call_soon(self.flush, self)
  end
  return effect
end

--- Sends what is staged.
function Run:flush()
  self.flushing = nil
  if self.starting then
    return
  end
  local staged = self.staged
  self.staged = {}
  for _, effect in ipairs(staged) do
    self.unit:sent(self, effect)
    effect.target:send(effect)
  end
end

--- Forgets what a task has staged since it waited last.
---@param task strobe.Task
function Run:drop_staged(task)
  local kept = {}
  for _, effect in ipairs(self.staged) do
    kept[#kept + 1] = effect.task ~= task and effect or nil
  end
  self.staged = kept
end

-- --- Time and chance ---------------------------------------------------------------------------

--- Seconds; the same until the task waits, or asks for the next event.
---@return number
function Run:now()
  if not self.instant then
    local replay = self.replay
    self.instant = replay and replay.now or self.unit.runtime:now()
    if not replay then
      handle.call_soon(function()
        self.instant = nil
      end)
    end
  end
  return self.instant
end

--- Waits; in a replay only the clock moves on.
---@async
---@param seconds number
function Run:sleep(seconds)
  local replay = self.replay
  if replay and core_task.current() == self.main then
    replay.now = (replay.now or self.unit.runtime:now()) + seconds
    self.instant = nil
    return
  end
  time.sleep(seconds)
end

--- As math.random.
---@param ... integer
---@return number
function Run:random(...)
  local task = core_task.current()
  local key = task == self.main and "main" or task:get_name()
  if self.random_at ~= self.seen or self.random_for ~= key then
    self.random_at, self.random_for = self.seen, key
    self.generator = Random.new(self.unit.runtime.seed, self.unit.name, self.seen, key)
  end
  return self.generator:draw(...)
end

-- --- Events ------------------------------------------------------------------------------------

-- The event at hand was processed.
local function acknowledge(run)
  local event = run.event
  if event then
    run.event = nil
    run:flush()
    run.unit:acknowledged(run, event)
  end
end

local function replayed(run)
  local replay = run.replay
  local entry = replay.events[replay.next]
  if entry then
    replay.next = replay.next + 1
    replay.now = entry.now
    return entry.event
  end
end

local function next_event(run)
  if run.replay then
    return replayed(run)
  elseif run.unit:delivers_to(run) then
    return run.unit.inbox:take()
  end
end

-- Lets the others have a turn when there are very many events.
local function be_fair(run)
  run.streak = (run.streak or 0) + 1
  if run.streak % LOOK ~= 0 then
    return
  end
  local now = time.real()
  if now - (run.streak_began or 0) > SLICE then
    time.sleep(0)
    run.streak_began = time.real()
  end
end

local function wait_at_boundary(run)
  run.at_boundary = true
  signal(run)
  run.lot:park()
  run.at_boundary = false
  run.streak_began = time.real()
end

--- The next event. Only the main task may ask.
---@async
---@return strobe.live.Event
function Run:next()
  acknowledge(self)
  be_fair(self)
  local event = next_event(self)
  while not event do
    wait_at_boundary(self)
    event = next_event(self)
  end
  self.event, self.instant, self.seen = event, nil, event.seq
  self.counts[self.main] = nil
  self.began = self.replay and self.replay.now or self.unit.runtime:now()
  return event
end

--- Events are there, or may be delivered again.
function Run:wake()
  if self.at_boundary then
    self.lot:wake(1)
  end
end

-- --- Starting ------------------------------------------------------------------------------------

local function body(run, ctx)
  local contract = run.generation.contract
  if contract.init then
    contract.init(ctx, run.st)
  end
  run.initialized = true
  if contract.main then
    contract.main(ctx, run.st)
  else
    local on_event = contract.on_event
    while true do
      on_event(ctx, run.st, run:next())
    end
  end
end

--- Begins: init, then main.
---@param ctx strobe.live.Ctx
function Run:start(ctx)
  self.ctx = ctx
  self.main = spawn(self, "main", body, self, ctx)
  self.main:set_name(self.unit.name .. " main")
  self.main:add_done_callback(function()
    self.ended = true
    self.unit:main_ended(self)
    signal(self)
  end)
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
    timeouts.move_on_after(left, self.changed.wait, self.changed)
  end
  return true
end

return runs
