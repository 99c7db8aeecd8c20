--- What a run has emitted and not sent yet, and the ids of effects.
--
-- It is sent when the step ends, or when the task that emitted waits; what a task has staged when it raises is not.
-- An id is never given twice, but to an effect that is the same as one which the event at hand had sent when it was
-- tried before.

local core_task = require "strobe.core.task"
local effects = require "strobe.live.effect"
local handle = require "strobe.core.handle"
local state = require "strobe.live.state"

local staging = {}

--- Gives a task a name of its own among all that the generation's runs have had.
---@param run strobe.live.Run
---@param task strobe.Task
---@param kind "main"|"task"|"dispose"
function staging.name(run, task, kind)
  local made = run.generation.tasks
  made[kind] = (made[kind] or 0) + 1
  run.names[task] = made[kind] == 1 and kind ~= "task" and kind or kind .. made[kind]
  task:add_done_callback(function()
    run.names[task], run.counts[task] = nil, nil
  end)
end

-- What the ids of a unit's effects begin with: where earlier processes are remembered, by a journal, theirs are others.
local function prefix(run)
  local unit = run.unit
  local session = unit.runtime.session or 1
  return session > 1 and ("%s@%d"):format(unit.name, session) or unit.name
end

-- The id of an effect of a callback, which is no task's.
local function identify_callback(run)
  local made = run.generation.tasks
  made.callback = (made.callback or 0) + 1
  return ("%s/%d/callback/%d"):format(prefix(run), run.generation.number, made.callback)
end

-- The id of a new effect, and its number if it is one of the event at hand.
local function identify(run, task)
  local event = run.event
  if event and task == run.main then
    local n = (event.numbered or 0) + 1
    event.numbered = n
    return ("%s/%d/%d"):format(prefix(run), event.seq, n), n
  elseif not task then
    return identify_callback(run)
  elseif not run.names[task] then
    staging.name(run, task, "task")
  end
  local n = (run.counts[task] or 0) + 1
  run.counts[task] = n
  return ("%s/%d/%s/%d"):format(prefix(run), run.generation.number, run.names[task], n)
end

-- The effect which the event at hand has sent already, when it was tried before.
local function sent_before(run, task, port, value)
  local sent = run.event and run.event.effects
  if not sent or run.replay or task ~= run.main then
    return nil
  end
  for _, effect in ipairs(sent) do
    if not effect.matched and effect.port == port and state.equal(effect.value, value) then
      effect.matched = true
      return effect
    end
  end
end

-- Called in the next turn: whoever has emitted waits for something now.
local function flush_soon(run)
  run.flushing = nil
  run:flush()
end

--- Stages an effect. See ctx:emit.
---@param run strobe.live.Run
---@param port string
---@param value any
---@return strobe.live.Effect
function staging.emit(run, port, value)
  local target = run.unit.runtime:port(port)
  local task = core_task.current()
  local before = sent_before(run, task, port, value)
  local id, n
  if before then
    id, n = before.id, before.n
  else
    id, n = identify(run, task)
  end
  if run.replay then
    return effects.muted(id, port, value)
  end
  local effect = effects.new(id, port, value, run.starting and run or nil)
  effect.target, effect.task, effect.before, effect.n = target, task, before, n
  run.staged[#run.staged + 1] = effect
  if not run.starting and not run.flushing then
    run.flushing = handle.call_soon(flush_soon, run)
  end
  return effect
end

--- Sends what is staged.
---@param run strobe.live.Run
function staging.flush(run)
  local staged = run.staged
  if run.starting or not staged[1] then
    return
  end
  run.staged = {}
  run.sending = true -- ports are not the unit's code: its quota does not cut them
  for _, effect in ipairs(staged) do
    run.unit:sent(run, effect)
    effect.target:send(effect)
    effect.task, effect.before = nil, nil
  end
  run.sending = false
end

--- Forgets what a task has staged since it waited last.
---@param run strobe.live.Run
---@param task strobe.Task
function staging.drop(run, task)
  local kept = {}
  for _, effect in ipairs(run.staged) do
    kept[#kept + 1] = effect.task ~= task and effect or nil
  end
  run.staged = kept
end

return staging
