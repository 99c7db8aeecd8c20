--- Exchanging the code of running units, step by step. All of a set are exchanged in one turn, or none.
--
-- Until the commit nothing of what is prepared is visible; whatever fails, the old code goes on with its state and its
-- wake-ups as they were.

local contexts = require "strobe.live.ctx"
local generations = require "strobe.live.generation"
local Probation = require "strobe.live.probation"
local quarantine = require "strobe.live.quarantine"
local quota = require "strobe.live.quota"
local refusals = require "strobe.live.refusal"
local report = require "strobe.report"
local rollback = require "strobe.live.rollback"
local runs = require "strobe.live.run"
local state = require "strobe.live.state"
local time = require "strobe.core.time"

local DRAIN, START = 2, 5
-- The part of an inbox that may be full while delivery stands still.
local BACKLOG = 0.8
-- Tables of a state that are copied without the others having a turn after it.
local SLICE = 5000

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

-- Of a unit that has stopped nobody but a reload will ever take events.
local function check_backlog(unit)
  if unit.state == "running" and #unit.inbox >= unit.inbox.size * BACKLOG then
    refusals.raise("backlog", ("%d of %d events wait in the inbox"):format(#unit.inbox, unit.inbox.size))
  end
end

-- Whether its main task stands in the debugger, where nobody may cut it.
local function is_debugged(run)
  return run.main:state() == "debugger"
end

local function blocker(run)
  if run.at_boundary then
    return "a task of the unit is shielded"
  end
  local place = report.where(run.main) or "?"
  if is_debugged(run) then -- at a line which Lua does not tell before it runs
    return ("the handler of event %d stands in the debugger, behind %s"):format(run.seen, place)
  end
  return ("the handler of event %d waits for %s at %s"):format(run.seen, run.main:state(), place)
end

-- A refusal about a main task that is not where it should be.
local function standing(code, text, run)
  local thread = run.main:threads()[1]
  local trace = thread and debug.traceback(thread, "") or "" -- it may have ended
  local refusal = refusals.new(code, text, run.generation.graph:place_in(trace, run.unit.path))
  refusal.trace = blocker(run) .. trace
  refusal.remedy = is_debugged(run) and "let it go on in the debugger, then reload again" or refusal.remedy
  return refusal
end

-- The step that does not end is cut: its events count as processed.
local function cut(change)
  local run = change.old
  if run.shields > 0 or is_debugged(run) then
    return false
  end
  change.report.cut = {}
  for i, event in ipairs(run.batch or run.event and { run.event } or {}) do
    change.report.cut[i] = event.seq
  end
  run.cut = true
  run.main:cancel "reload"
  return run:wait_boundary(time.now() + change.unit.CLEANUP) and change.unit:settle_cut(run)
end

-- Code that has failed on probation is undone first: what it left is no state to go on with.
local function undo_failed(change)
  local unit = change.unit
  local probation = unit.probation
  if not (probation and probation.set.failed) then
    return false
  end
  for _, told in ipairs(rollback.perform(probation.set, quota.code_of(probation.set.failure), probation.set.failure)) do
    unit.runtime:tell(told)
  end
  return true
end

local function is_settled(change)
  local run = change.old
  return (run.at_boundary or run.ended) and run.shields == 0
end

local function wait_settled(change, deadline, options)
  local run = change.old
  check_holds(run)
  local settled = run:wait_boundary(deadline) and run:wait_unshielded(deadline)
  check_backlog(change.unit)
  if not settled and not (options.on_drain == "cancel" and cut(change)) then
    error(standing("busy", blocker(run), run), 0)
  end
end

-- Delivery stops, and what runs is what will be exchanged.
local function hold(change)
  local unit = change.unit
  local again = undo_failed(change)
  unit:hold(true)
  if change.old ~= unit.run then -- undone, or restarted meanwhile
    change.old, again = unit.run, true
    change.report.from = unit.run.generation.number
  end
  return again
end

-- Whether all are at their boundary at once; one may have left it while another was waited for.
local function are_settled(changes)
  local settled = true
  for _, change in ipairs(changes) do
    local failed = change.unit.probation and change.unit.probation.set.failed
    settled = settled and not failed and not hold(change) and (not change.old or is_settled(change))
  end
  return settled
end

local function quiesce(changes, options)
  local deadline = time.now() + (options.drain or DRAIN)
  for _, change in ipairs(changes) do
    hold(change)
  end
  repeat
    for _, change in ipairs(changes) do
      hold(change)
      if change.old then
        wait_settled(change, deadline, options)
      end
    end
  until are_settled(changes)
  for _, change in ipairs(changes) do
    if change.old then
      check_holds(change.old)
    end
  end
  for _, change in ipairs(changes) do
    if change.old then
      change.old:freeze()
    end
  end
end

-- --- Step 5 --------------------------------------------------------------------------------------

-- migrate is pure: it may not wait, and has no effects.
local function migrate(generation, copy, from, path)
  local ok, migrated, trace = quarantine.call(path, generation.contract.migrate, copy, from)
  if ok and type(migrated) ~= "table" then
    refusals.raise("migrate", "migrate returned " .. type(migrated), path .. ":1")
  elseif not ok then
    local text = "migrate: " .. (refusals.is(migrated) and migrated.message or refusals.text(migrated))
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
  local st, tables = state.copy(old.st, old.generation.types, new.types)
  change.is_large = tables > SLICE
  if tables > state.warn_tables then
    table.insert(change.report.warnings, ("st has %d tables: copying it takes time"):format(tables))
  end
  change.st = migrated(change, st)
  if change.is_large then
    change.turn()
  end
end

-- --- Step 6 --------------------------------------------------------------------------------------

local function check_open(unit)
  if unit.runtime.closed then
    refusals.raise("shutdown", "the process is ending")
  end
end

local function start(change, deadline)
  local unit = change.unit
  check_open(unit)
  local run = runs.new(unit, change.generation, change.st)
  change.new = run
  run.starting = true
  run:start(contexts.new(run))
  local in_time = run:wait_boundary(deadline)
  if run.failure ~= nil then
    local trace = run.trace or refusals.text(run.failure)
    local refusal = refusals.of(run.failure, quota.code_of(run.failure) == "budget" and "init_timeout" or "init")
    refusal.place = refusal.place or change.generation.graph:place_in(trace, unit.path)
    refusal.trace = trace
    error(refusal, 0)
  elseif not in_time then
    local text = "init, and main to its first event, took more than %g s: %s"
    error(standing("init_timeout", text:format(START, blocker(run)), run), 0)
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

-- What waits of streams that the new code has not.
local function take_dropped(change, probation)
  local unit = change.unit
  local dropped = dropped_by(change.new.generation.contract, change.old.generation.contract)
  local waiting = next(dropped) and unit.inbox:extract(dropped) or {}
  if probation then
    probation.dropped, probation.late = dropped, waiting
  else
    unit.skipped = unit.skipped + #waiting
  end
  change.report.skipped = #waiting
end

local function begin_probation(change, limits, set)
  local unit, old, run = change.unit, change.old, change.new
  change.superseded = unit.runtime.probations:supersede(unit)
  if not limits.off and not run.generation.contract.unsafe then
    unit.probation = Probation.new(run, old.generation, limits, set)
    unit.probation.replaced = change.replaced
  end
  take_dropped(change, unit.probation)
end

local function commit(change, limits, set)
  local unit, run = change.unit, change.new
  run.starting = false
  unit.run, unit.state = run, "running"
  run.generation.graph:adopt()
  unit.runtime.delivery:subscribe(unit, run.generation.contract.subscribe or {})
  local replaced, kept, remade = unit.keeper:take_over(run)
  change.replaced, change.report.kept, change.report.remade = replaced, kept, remade
  if change.old then
    begin_probation(change, limits, set)
  end
  unit:hold(false)
end

-- S0: what the old code would come back with. Its tasks are frozen until now, so nobody has changed it; and events
-- need not wait for this copy.
local function keep_state(change)
  local probation, old = change.unit.probation, change.old
  if not probation or probation.run ~= change.new then
    return
  elseif change.is_large then
    change.turn()
  end
  local ok, st = pcall(state.copy, old.st, old.generation.types)
  if ok then
    probation.state = st
  else
    table.insert(change.report.warnings, "it cannot be undone: " .. tostring(st))
    change.unit.runtime.probations:finalise(change.unit)
  end
end

-- What needs time, when all have been exchanged.
local function settle(change)
  local unit, old, run, told = change.unit, change.old, change.new, change.report
  run:flush()
  if old then
    keep_state(change)
    local cancelled, warnings = old:stop("reload", unit.CLEANUP)
    told.tasks_cancelled = cancelled
    table.move(warnings, 1, #warnings, #told.warnings + 1, told.warnings)
    table.insert(told.warnings, old:dispose("reload", unit.CLEANUP))
  end
  for _, probation in ipairs(change.superseded or {}) do
    probation.unit.keeper:close_replaced(probation.replaced)
  end
  if not unit.probation or unit.probation.run ~= run then
    unit.keeper:close_replaced(change.replaced)
  end
  if old and not unit.probation then
    unit.runtime.leftovers:add(old.generation, unit)
  end
  unit.runtime.probations:watch(unit)
end

-- The old code goes on.
local function undo(change)
  local unit, run = change.unit, change.new
  if run then
    run:stop("reload", unit.CLEANUP)
    run:dispose("reload", unit.CLEANUP)
    unit.keeper:discard(run)
  end
  local old = change.old
  if unit.runtime.closed then
    return -- that ends the old code as well
  elseif old then
    old:thaw()
    if unit.probation and unit.probation.set.failed then
      return -- a rollback is to come
    elseif old.ended and unit.run == old and unit.state == "running" then -- its step was cut, or it waits for a restart
      old:stop("reload", unit.CLEANUP)
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
  change.unit:remember(told.to, verdict, told.files)
  return told
end

-- Steps 4 to 7 of all.
local function exchange(changes, options)
  local began = time.real()
  quiesce(changes, options)
  for _, change in ipairs(changes) do
    snapshot(change)
  end
  local deadline = time.now() + START
  for _, change in ipairs(changes) do
    start(change, deadline)
  end
  for _, change in ipairs(changes) do
    check_open(change.unit)
  end
  local set = { members = {} }
  for _, change in ipairs(changes) do
    commit(change, options.probation or {}, set)
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
---@param units strobe.live.RunningUnit[]
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
---@param units strobe.live.RunningUnit[]
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
