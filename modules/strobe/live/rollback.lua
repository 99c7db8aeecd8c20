--- Undoing a reload in its probation: the old code starts from the state it had, and processes again, without effects,
--- what the new code has processed. Then it goes on live. All units of a set are undone.

local contexts = require "strobe.live.ctx"
local report = require "strobe.report"
local runs = require "strobe.live.run"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"

-- Seconds that the steps of the others in a set, and shields, may take to their end.
local DRAIN = 2
-- Seconds for init and the replay of the old code, and for its on_rollback.
local START = 60
-- Seconds without an event after which a replayed step is taken to wait for a task that it has made.
local STUCK = 0.05

local rollback = {}

local function new_report(probation, code, e)
  local set, unit = probation.set, probation.unit
  local text = e ~= nil and tostring(e) or nil
  if text and set.failed and set.failed ~= probation then
    text = ("unit %s: %s"):format(set.failed.unit.name, text)
  end
  return {
    unit = unit.name, from = probation.run.generation.number, to = probation.before.number,
    verdict = "rolled_back:" .. code, error = text, files = {}, warnings = {}, replayed = 0, skipped = 0, late = 0,
    redelivered = 0,
  }
end

-- --- The new code ends ---------------------------------------------------------------------------

-- Those that have not failed come to the end of their steps, if that does not take long.
local function drain(members)
  local deadline = time.now() + DRAIN
  for _, probation in ipairs(members) do
    probation.unit:hold(true)
  end
  for _, probation in ipairs(members) do
    local run = probation.run
    if run.failure == nil then
      run:wait_boundary(deadline)
    end
    run:wait_unshielded(deadline)
  end
end

local function end_new(probation, told)
  local unit, run = probation.unit, probation.run
  local _, warnings = run:stop("rollback", unit.CLEANUP)
  told.warnings = warnings
  unit:take_back(run)
  table.insert(told.warnings, run:dispose("rollback", unit.CLEANUP))
  unit.probation = false
  unit.keeper:discard(run)
  unit.keeper:give_back(run, probation.replaced)
end

-- --- The old code begins -------------------------------------------------------------------------

local function set_of(list)
  local set = {}
  for _, item in ipairs(list or {}) do
    set[item] = true
  end
  return set
end

-- What the old code had asked for; the rest is skipped.
local function journal_of(probation)
  local streams = set_of(probation.before.contract.subscribe)
  local replay = { events = {}, times = {}, begins = {}, next = 1, now = probation.clock_began }
  local begins
  for i = 1, probation.count do
    begins = begins or probation.begins[i]
    if streams[probation.events[i].stream] then
      local at = #replay.events + 1
      replay.events[at], replay.times[at], replay.begins[at] = probation.events[i], probation.times[i], begins
      begins = nil
    end
  end
  return replay
end

-- Its tasks are frozen meanwhile; but a step that waits for one of them would wait for ever.
local function wait_replayed(run)
  local deadline = time.now() + START
  local last
  while not run:wait_boundary(math.min(deadline, time.now() + STUCK)) do
    if time.now() >= deadline then
      error(("the old code did not come to its end of the replay within %d s, at %s"):format(START,
        report.where(run.main) or "?"), 0)
    elseif run.replay.next == last then
      run:thaw()
    end
    last = run.replay.next
  end
end

local function revive(probation, told)
  local run = runs.new(probation.unit, probation.before, probation.state)
  probation.revived = run
  run.seen, run.starting, run.replay = probation.seq, true, journal_of(probation)
  told.replayed = #run.replay.events
  told.skipped = probation.count - told.replayed
  probation.before.graph:adopt()
  run:start(contexts.new(run))
  wait_replayed(run)
  if run.failure ~= nil then
    error(run.failure, 0)
  end
  run.replay, run.starting = false, false
end

local function sent_list(probation)
  local list = {}
  for i, effect in ipairs(probation.effects) do
    list[i] = { id = effect.id, port = effect.port, value = effect.value, outcome = effect.outcome }
  end
  return list
end

local function reconcile(probation)
  local run = probation.revived
  local on_rollback = run.generation.contract.on_rollback
  run:thaw()
  if on_rollback then
    local child = run:create_task(on_rollback, run.ctx, run.st, sent_list(probation))
    local done = tasks.wait({ child }, { timeout = START })
    if #done == 0 then
      error(("on_rollback took more than %d s, at %s"):format(START, report.where(child) or "?"), 0)
    end
  end
  if run.failure ~= nil then
    error(run.failure, 0)
  end
end

-- What waits of streams which the new code alone had is skipped; what came on those it had dropped is late.
local function sort_inbox(probation, told)
  local inbox = probation.unit.inbox
  local added = set_of(probation.run.generation.contract.subscribe)
  for _, stream in ipairs(probation.before.contract.subscribe or {}) do
    added[stream] = nil
  end
  if next(added) then
    told.skipped = told.skipped + #inbox:extract(added)
  end
  local late = probation.late
  for i = #late, 1, -1 do
    late[i].late = true
    inbox:put_back(late[i])
  end
  told.late = #late
end

local function go_on(probation, told)
  local unit, run = probation.unit, probation.revived
  unit.runtime.delivery:subscribe(unit, run.generation.contract.subscribe or {})
  sort_inbox(probation, told)
  unit.skipped = unit.skipped + told.skipped
  local next_one = unit.inbox:peek()
  told.redelivered = next_one and next_one.redelivered and 1 or 0
  probation.replaced = unit.keeper:take_over(run) -- it may have asked for other things in the replay
  unit.run, unit.state = run, "running"
  unit:hold(false)
end

local function give_up(probation, told, e)
  local unit = probation.unit
  told.verdict, told.error = "rolled_back:failed", tostring(e)
  unit.state = "failed"
  if probation.revived then
    probation.revived:stop("rollback", unit.CLEANUP)
    unit.keeper:discard(probation.revived)
  end
end

-- Calls f for each that has not failed.
local function try_each(members, told, f)
  for i, probation in ipairs(members) do
    if not probation.broken then
      local ok, e = pcall(f, probation, told[i])
      probation.broken = not ok and { e = e }
    end
  end
end

--- Undoes the reload of all units that were exchanged together and are still on probation.
---@async
---@param set strobe.live.ProbationSet
---@param code "error"|"budget"|"manual"
---@param e any why
---@return strobe.live.Report[] one for each, in their order
function rollback.perform(set, code, e)
  local members, told = {}, {}
  for _, probation in ipairs(set.members) do
    if probation.unit.probation == probation then
      members[#members + 1] = probation
      told[#told + 1] = new_report(probation, code, e)
    end
  end
  drain(members)
  for i, probation in ipairs(members) do
    end_new(probation, told[i])
  end
  try_each(members, told, revive)
  try_each(members, told, reconcile)
  try_each(members, told, go_on)
  for i, probation in ipairs(members) do
    if probation.broken then
      give_up(probation, told[i], probation.broken.e)
    else
      probation.unit.keeper:close_replaced(probation.replaced)
    end
    probation.unit:remember(told[i].to, told[i].verdict, {})
    probation.unit.runtime.probations:rolled_back(probation)
  end
  return told
end

return rollback
