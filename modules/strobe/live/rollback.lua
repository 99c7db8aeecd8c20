--- Undoing a reload in its probation: the old code starts from the state it had, and processes again, without effects,
-- what the new code has processed. Then it goes on live.

local contexts = require "strobe.live.ctx"
local report = require "strobe.report"
local runs = require "strobe.live.run"
local state = require "strobe.live.state"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"

-- Seconds for init and the replay of the old code, and for its on_rollback.
local START = 60

local rollback = {}

-- The events that the old code had asked for; what the new one alone has subscribed to is skipped.
local function events_of(unit, probation)
  local streams, list = {}, {}
  for _, stream in ipairs(probation.before.contract.subscribe or {}) do
    streams[stream] = true
  end
  for _, entry in ipairs(probation.journal) do
    if streams[entry.event.stream] then
      list[#list + 1] = entry
    else
      unit.skipped = unit.skipped + 1
    end
  end
  return list, streams
end

-- What came on streams that the new code had dropped: it is processed live, and late.
local function put_late(unit, late)
  local inbox = unit.inbox
  for i = #late, 1, -1 do
    local event = late[i]
    event.late = true
    inbox:put_back(event)
  end
end

local function sent_list(probation)
  local list = {}
  for i, effect in ipairs(probation.effects) do
    list[i] = { id = effect.id, port = effect.port, value = effect.value, outcome = effect.outcome }
  end
  return list
end

local function end_new(unit, probation)
  local run = probation.run
  unit:dispose(run, "rollback")
  run:stop("rollback", unit.CLEANUP)
  unit:take_back(run)
  unit.keeper:discard(run)
  unit.keeper:give_back(run, probation.replaced)
end

-- The old code, which has processed again what it had to.
local function revive(unit, probation)
  local events, streams = events_of(unit, probation)
  local before = probation.before
  local run = runs.new(unit, before, (state.copy(probation.state, before.types)))
  run.replay = { events = events, next = 1, now = probation.began }
  run.starting = true
  before.graph:adopt()
  run:start(contexts.new(run))
  if not run:wait_boundary(time.now() + START) then
    error(("the old code did not come to its end of the replay within %d s, at %s"):format(START,
      report.where(run.main) or "?"), 0)
  elseif run.failure ~= nil then
    error(run.failure, 0)
  end
  run.replay = nil
  return run, #events, streams
end

local function reconcile(run, probation)
  local on_rollback = run.generation.contract.on_rollback
  if on_rollback then
    local child = run:create_task(on_rollback, run.ctx, run.st, sent_list(probation))
    tasks.wait({ child }, { timeout = START })
    if run.failure ~= nil then
      error(run.failure, 0)
    end
  end
end

local function go_on(unit, run, streams, probation)
  local names = {}
  for stream in pairs(streams) do
    names[#names + 1] = stream
  end
  unit.runtime.delivery:subscribe(unit, names)
  put_late(unit, probation.late)
  run.starting = nil
  unit.run, unit.state = run, "running"
  run:flush()
  unit:hold(false)
end

--- Undoes the reload that a unit is on probation for.
---@async
---@param unit strobe.live.Unit
---@param code "error"|"budget"|"manual"
---@param e any why
---@return strobe.live.Report
function rollback.perform(unit, code, e)
  local probation = unit.probation
  unit.probation = nil
  unit:hold(true)
  local told = {
    unit = unit.name, from = probation.run.generation.number, to = probation.before.number,
    verdict = "rolled_back:" .. code, error = e ~= nil and tostring(e) or nil, files = {}, warnings = {}, replayed = 0,
  }
  end_new(unit, probation)
  local ok, run, replayed, streams = pcall(revive, unit, probation)
  if ok then
    told.replayed = replayed
    ok, run = pcall(function()
      reconcile(run, probation)
      go_on(unit, run, streams, probation)
    end)
  end
  if not ok then
    told.verdict, told.error = "rolled_back:failed", tostring(run)
    unit.state = "failed"
  end
  table.insert(unit.history, { number = told.to, verdict = told.verdict, time = time.wall(), files = {} })
  return told
end

return rollback
