--- Exchanging the code of running units, step by step. All of a set are exchanged in one turn, or none.
--
-- Until the commit nothing of what is prepared is visible; whatever fails, the old code goes on with its state and its
-- wake-ups as they were.

local contexts = require "strobe.live.ctx"
local generations = require "strobe.live.generation"
local Probation = require "strobe.live.probation"
local quarantine = require "strobe.live.quarantine"
local refusals = require "strobe.live.refusal"
local report = require "strobe.report"
local rollback = require "strobe.live.rollback"
local runs = require "strobe.live.run"
local state = require "strobe.live.state"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"

local DRAIN, START = 2, 5
-- The part of an inbox that may be full while delivery stands still.
local BACKLOG = 0.8

---@class strobe.live.Report
---@field unit string
---@field from integer
---@field to integer
---@field verdict string "committed", "rejected:CODE", "rolled_back:CODE", "superseded"
---@field files string[]    that changed
---@field rebuilt string[]  modules that were executed
---@field carried string[]  modules that were taken over
---@field version integer[] old and new
---@field pause_us integer  without delivery
---@field backlog_max integer
---@field tasks_cancelled integer
---@field kept string[]
---@field remade string[]
---@field skipped integer
---@field warnings string[]
---@field error? string
---@field place? string
---@field trace? string
---@field remedy? string
---@field cut? integer[]    events whose step was cut short

local reload = {}

local function base_name(path)
  return path:match "[^/]+$"
end

local function base_names(paths)
  local names = {}
  for i, path in ipairs(paths) do
    names[i] = base_name(path)
  end
  return names
end

local function new_report(unit, number)
  local run = unit.run
  return {
    unit = unit.name, from = run and run.generation.number or 0, to = number, files = {}, rebuilt = {}, carried = {},
    version = {}, pause_us = 0, backlog_max = 0, tasks_cancelled = 0, kept = {}, remade = {}, skipped = 0,
    warnings = {},
  }
end

-- Ends a slice: the others have a turn of the loop.
local function turn_of(unit)
  return function()
    time.sleep(0)
    if unit.runtime.closed then
      refusals.raise("shutdown", "the process is ending")
    end
  end
end

-- --- Steps 2 and 3 -------------------------------------------------------------------------------

local function prepare(unit)
  unit.number = unit.number + 1
  local change = { unit = unit, old = unit.run, report = new_report(unit, unit.number), turn = turn_of(unit) }
  return change
end

local function load(change)
  local unit, old = change.unit, change.old
  local generation = generations.load(unit, change.report.to, old and old.generation, change.turn)
  local told = change.report
  change.generation = generation
  told.files, told.carried = base_names(generation.changed), base_names(generation.carried)
  for _, path in ipairs(generation.graph:paths()) do
    local value, before = generation.graph.values[path], old and old.generation.graph.values[path]
    if value and value ~= before then
      told.rebuilt[#told.rebuilt + 1] = base_name(path)
    end
  end
  told.version = { old and old.generation.contract.version, generation.contract.version }
  for _, warning in ipairs(generation.warnings) do
    table.insert(told.warnings, warning)
  end
end

-- --- Step 4 --------------------------------------------------------------------------------------

local function check_holds(run)
  local reasons = {}
  for hold in pairs(run.holds) do
    reasons[#reasons + 1] = hold.why
  end
  if #reasons > 0 then
    table.sort(reasons)
    refusals.raise("forbidden", "the unit forbids it: " .. table.concat(reasons, "; "))
  end
end

local function check_backlog(unit)
  if #unit.inbox >= unit.inbox.size * BACKLOG then
    refusals.raise("backlog", ("%d of %d events wait in the inbox"):format(#unit.inbox, unit.inbox.size))
  end
end

local function blocker(run)
  local place = report.where(run.main) or "?"
  return ("the handler of event %d waits for %s at %s"):format(run.seen, run.main:state(), place)
end

local function wait_unshielded(run, deadline)
  while run.shields > 0 do
    local left = deadline - time.now()
    if left <= 0 or not timeouts.move_on_after(left, run.unshielded.park, run.unshielded) then
      return false
    end
  end
  return true
end

-- The step that does not end is cut: its event counts as processed.
local function cut(change)
  local run = change.old
  if run.shields > 0 then
    return false
  end
  change.report.cut = { run.event and run.event.seq }
  run.main:cancel "reload"
  return run:wait_boundary(time.now() + 1)
end

-- Code that has failed on probation is undone first: what it left is no state to go on with.
local function undo_failed(change)
  local unit = change.unit
  local probation = unit.probation
  if probation and probation.failure ~= nil then
    unit.runtime:tell(rollback.perform(unit, "error", probation.failure))
    change.old = unit.run
    change.report.from = unit.run.generation.number
    return true
  end
  return false
end

local function wait_settled(change, options)
  local run = change.old
  check_holds(run)
  local deadline = time.now() + (options.drain or DRAIN)
  local settled = run:wait_boundary(deadline) and wait_unshielded(run, deadline)
  check_backlog(change.unit)
  if not settled and not (options.on_drain == "cancel" and cut(change)) then
    refusals.raise("busy", blocker(run), report.where(run.main))
  end
end

local function quiesce(change, options)
  local unit = change.unit
  if not change.old then
    unit:hold(true)
    return
  end
  repeat
    undo_failed(change)
    unit:hold(true)
    change.old = unit.run -- which may have been restarted meanwhile
    wait_settled(change, options)
  until not (unit.probation and unit.probation.failure ~= nil)
  check_holds(change.old)
  change.old:freeze()
end

-- --- Step 5 --------------------------------------------------------------------------------------

-- migrate is pure: it may not wait, and has no effects.
local function migrate(generation, copy, from, path)
  local ok, migrated, trace = quarantine.call(path, generation.contract.migrate, copy, from)
  if ok and type(migrated) ~= "table" then
    refusals.raise("migrate", "migrate returned " .. type(migrated), path .. ":1")
  elseif not ok then
    local text = "migrate: " .. (refusals.is(migrated) and migrated.message or tostring(migrated))
    local refusal = refusals.of(text, "migrate", generation.graph:place_in(trace, path))
    refusal.trace = trace
    error(refusal, 0)
  end
  state.check(migrated, generation.types)
  return migrated
end

-- The state that the new code begins with, of another version.
local function migrated(change, copy)
  local unit, new = change.unit, change.generation
  local from, to = change.old.generation.contract.version, new.contract.version
  if from == to then
    return copy
  elseif not new.contract.migrate then
    refusals.raise("version", ("version %d follows %d, and there is no migrate"):format(to, from), unit.path .. ":1")
  end
  change.turn()
  return migrate(new, copy, from, unit.path)
end

local function snapshot(change)
  local unit, old, new = change.unit, change.old, change.generation
  if not old then
    change.st = new.contract.migrate and migrate(new, {}, nil, unit.path) or {}
    return
  end
  local st, tables = state.copy(old.st, old.generation.types)
  change.before = st
  if tables > state.warn_tables then
    table.insert(change.report.warnings, ("st has %d tables: copying it takes time"):format(tables))
  end
  change.turn()
  change.st = migrated(change, (state.copy(old.st, old.generation.types, new.types)))
  change.turn()
end

-- --- Step 6 --------------------------------------------------------------------------------------

local function start(change, deadline)
  local unit = change.unit
  local run = runs.new(unit, change.generation, change.st)
  change.new = run
  run.starting = true
  run:start(contexts.new(run))
  local in_time = run:wait_boundary(deadline)
  if run.failure ~= nil then
    local trace = run.trace or tostring(run.failure)
    local refusal = refusals.of(run.failure, "init")
    refusal.place = refusal.place or change.generation.graph:place_in(trace, unit.path)
    refusal.trace = trace
    error(refusal, 0)
  elseif not in_time then
    refusals.raise("init_timeout", ("init, and main to its first event, took more than %g s: %s"):format(START,
      blocker(run)), report.where(run.main))
  end
  check_backlog(unit)
end

-- --- Step 7 and after ----------------------------------------------------------------------------

-- The streams that the old code had and the new one has not.
local function dropped_by(new, old)
  local dropped = {}
  for _, stream in ipairs(old.subscribe or {}) do
    dropped[stream] = true
  end
  for _, stream in ipairs(new.subscribe or {}) do
    dropped[stream] = nil
  end
  return dropped
end

local function commit(change, limits)
  local unit, old, run = change.unit, change.old, change.new
  run.starting = nil
  unit.run, unit.state = run, "running"
  run.generation.graph:adopt()
  unit.runtime.delivery:subscribe(unit, run.generation.contract.subscribe or {})
  local replaced, kept, remade = unit.keeper:take_over(run)
  change.replaced, change.report.kept, change.report.remade = replaced, kept, remade
  if old and not limits.off and not run.generation.contract.unsafe then
    change.superseded = unit.probation
    unit.probation = Probation.new(run, old.generation, change.before, limits)
    unit.probation.replaced = replaced
    unit.probation.dropped = dropped_by(run.generation.contract, old.generation.contract)
  end
  unit:hold(false)
end

-- What needs time, when all have been exchanged.
local function settle(change)
  local unit, old, run, told = change.unit, change.old, change.new, change.report
  run:flush()
  if old then
    local cancelled, left = old:stop("reload", unit.CLEANUP)
    told.tasks_cancelled = cancelled
    for _, task in ipairs(left) do
      table.insert(told.warnings, ("%s swallows its cancellation: it is frozen for good"):format(task:get_name()))
    end
    table.insert(told.warnings, unit:dispose(old, "reload"))
  end
  if change.superseded then
    unit.keeper:close_replaced(change.superseded.replaced)
  end
  if not unit.probation then
    unit.keeper:close_replaced(change.replaced)
  end
  unit.runtime:watch_probation(unit)
end

-- The old code goes on.
local function undo(change)
  local unit, run = change.unit, change.new
  if run then
    run:stop("reload", unit.CLEANUP)
    unit:dispose(run, "reload")
    unit.keeper:discard(run)
  end
  local old = change.old
  if old then
    old:thaw()
    if unit.probation and unit.probation.failure ~= nil then
      return -- a rollback is to come
    elseif old.ended and unit.run == old and unit.state == "running" then -- its step was cut, or it waits for a restart
      unit:begin(runs.new(unit, old.generation, old.st))
    end
  end
  unit:hold(false)
end

local function tell(change, verdict, e)
  local told = change.report
  told.verdict = verdict
  if e then
    told.error, told.place, told.remedy, told.trace = e.message, e.place, e.remedy, e.trace
  end
  table.insert(change.unit.history, { number = told.to, verdict = verdict, time = time.wall(), files = told.files })
  return told
end

-- Waits until all can be exchanged; who asks for a reload meanwhile is refused.
local function wait_barrier(changes, options)
  local runtime = changes[1].unit.runtime
  runtime.barrier = true
  local ok, e = pcall(function()
    for _, change in ipairs(changes) do
      quiesce(change, options)
    end
  end)
  runtime.barrier = nil
  if not ok then
    error(e, 0)
  end
end

-- Steps 4 to 7 of all.
local function exchange(changes, options)
  local began = time.real()
  wait_barrier(changes, options)
  for _, change in ipairs(changes) do
    snapshot(change)
  end
  local deadline = time.now() + START
  for _, change in ipairs(changes) do
    start(change, deadline)
  end
  for _, change in ipairs(changes) do
    commit(change, options.probation or {})
    change.report.backlog_max = #change.unit.inbox
  end
  for _, change in ipairs(changes) do
    change.report.pause_us = math.floor((time.real() - began) * 1e6)
  end
end

-- A refusal, whatever was raised.
local function as_refusal(e)
  if refusals.is(e) then
    return e
  elseif type(e) == "string" and e:find("not enough memory", 1, true) then
    return refusals.new("memory", e)
  end
  return nil
end

--- Refuses what cannot even begin.
---@param units strobe.live.Unit[]
---@param refusal strobe.live.Refusal
---@return strobe.live.Report[]
function reload.refuse(units, refusal)
  local reports = {}
  for i, unit in ipairs(units) do
    reports[i] = tell(prepare(unit), "rejected:" .. refusal.code, refusal)
  end
  return reports
end

--- Exchanges the code of units, all or none; a unit that has none yet is started.
---@async
---@param units strobe.live.Unit[]
---@param options {drain?: number, on_drain?: "abort"|"cancel", probation?: table}
---@return strobe.live.Report[]
function reload.perform(units, options)
  local changes = {}
  for i, unit in ipairs(units) do
    changes[i] = prepare(unit)
  end
  local ok, e = pcall(function()
    for _, change in ipairs(changes) do
      load(change)
    end
    exchange(changes, options)
  end)
  local refusal = not ok and as_refusal(e)
  local reports = {}
  for i, change in ipairs(changes) do
    if ok then
      settle(change)
    else
      undo(change)
    end
    reports[i] = tell(change, ok and "committed" or "rejected:" .. (refusal and refusal.code or "load"), refusal)
  end
  if not ok and not refusal then
    error(e, 0)
  end
  return reports
end

return reload
