--- Operations on live units.

local Event = require("strobe.async.event").Event
local failures = require "strobe.attach.failure"
local json = require "strobe.json"
local protocol = require "strobe.attach.protocol"
local Rates = require "strobe.attach.rates"
local refusals = require "strobe.live.refusal"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"

local function runtime_of(session)
  return session.runtime or failures.raise("not_found", "this process runs no live units")
end

-- The unit that a request names; nil when it names none and need not.
local function unit_of(session, request, optional)
  local runtime = runtime_of(session)
  local name = failures.field(request, "unit", "string", optional)
  if name and not runtime.units[name] then
    failures.raise("not_found", ("there is no unit '%s'; there are: %s"):format(name,
      table.concat(session:unit_names(), ", ")))
  end
  return name and runtime.units[name], name
end

local function units_of(session, request)
  local unit = unit_of(session, request, true)
  return unit and { unit } or session.runtime.order
end

-- --- Looking on ----------------------------------------------------------------------------------

-- Counts the events of the runtime's streams as long as the session lasts.
local function rates_of(session)
  local runtime = runtime_of(session)
  if not session.rates or session.rates.runtime ~= runtime then
    session.rates = Rates.new(runtime)
    session.stops.rates = session.rates.stop
  end
  session.rates:look()
  return session.rates
end

local function feeds_of(runtime, rates)
  local feeds = protocol.list()
  for i, feed in ipairs(runtime.feeds or {}) do
    local told, seen = feed:statistics(), rates:of_feed(feed)
    told.name, told.url, told.rate = feed.name, feed.url, seen.rate
    told.age, told.quiet = seen.age, told.events > 0 and seen.quiet or nil
    feeds[i] = told
  end
  return feeds
end

-- The names of the units which have subscribed, by stream; streams that nobody wants have none.
local function subscribers_of(runtime, rates)
  local names = {}
  for _, stream in ipairs(rates:names()) do
    names[stream] = protocol.list()
  end
  for stream, subscribers in pairs(runtime.delivery.subscribers) do
    names[stream] = protocol.list()
    for i, unit in ipairs(subscribers) do
      names[stream][i] = unit.name
    end
  end
  return names
end

local function streams(session)
  local rates, runtime = rates_of(session), session.runtime
  local list = protocol.list()
  for stream, units in pairs(subscribers_of(runtime, rates)) do
    local told = rates:of_stream(stream)
    told.stream, told.units = stream, units
    list[#list + 1] = told
  end
  table.sort(list, function(a, b)
    return a.stream < b.stream
  end)
  return { feeds = feeds_of(runtime, rates), streams = list, seconds = rates.seconds }
end

-- How old the events are of an inbox, and of what its unit has at hand, in seconds.
local function ages_of(unit, now)
  local oldest, run = unit.inbox:peek(), unit.run
  local event = run and run.event
  return oldest and math.max(now - oldest.time, 0) or nil, event and math.max(now - event.time, 0) or nil
end

local function inbox(session, request)
  local list, now = protocol.list(), runtime_of(session):now()
  for i, unit in ipairs(units_of(session, request)) do
    local box = unit.inbox
    local oldest, working = ages_of(unit, now)
    list[i] = {
      unit = unit.name, waiting = #box, size = box.size, policy = box.policy, peak = box.peak, dropped = box.dropped,
      skipped = unit.skipped, failed = unit.failed_events, held = unit.held or false, oldest = oldest,
      working = working, events = unit.events,
    }
  end
  return { inboxes = list }
end

local function probation_of(unit)
  local probation = unit.probation
  if not probation then
    return nil
  end
  return {
    events_left = math.max(probation.least_events - probation.count, 0),
    seconds_left = math.max(probation.began + probation.least_seconds - time.now(), 0),
  }
end

local function gens(session, request)
  local list = protocol.list()
  for i, unit in ipairs(units_of(session, request)) do
    local history = protocol.list()
    for j, entry in ipairs(unit.history) do
      history[j] = {
        gen = entry.number, verdict = entry.verdict, time = entry.time,
        files = protocol.list { table.unpack(entry.files) },
      }
    end
    list[i] = {
      unit = unit.name, state = unit.state, file = unit.path, gen = unit.run and unit.run.generation.number,
      history = history, probation = probation_of(unit),
      reachable = protocol.list(session.runtime.leftovers:list(unit.name)),
    }
  end
  return { units = list, now = time.wall() }
end

-- --- Changing ------------------------------------------------------------------------------------

local LISTS = { "files", "rebuilt", "carried", "version", "kept", "remade", "warnings", "cut" }

-- A report that goes through JSON: what is a list is one also when it is empty.
local function plain(report)
  local copy = {}
  for key, value in pairs(report) do
    copy[key] = value
  end
  for _, name in ipairs(LISTS) do
    if copy[name] then
      local list = protocol.list()
      for i, value in pairs(copy[name]) do -- version lacks the first number at the first start
        list[i] = value
      end
      list[1] = list[1] == nil and next(list) and json.null or list[1]
      copy[name] = list
    end
  end
  return copy
end

-- "mm.lua:12: syntax error near 'x'": where, by the file's own name, and what.
local function text_of(report)
  local text, place = report.error or report.verdict, report.place
  if not place then
    return text
  end
  return ("%s: %s"):format(place:match "[^/]*$", (text:gsub("^[^\n]-:%d+: ", "", 1)))
end

local function plain_all(reports)
  local list = protocol.list()
  for i, report in ipairs(reports) do
    list[i] = plain(report)
  end
  return list
end

-- Raises the first that was refused, or rolled back.
local function answer(reports, name)
  local told = reports[1]
  for i = #reports, 1, -1 do
    told = reports[i].unit == name and reports[i] or told
  end
  for i = #reports, 1, -1 do
    told = reports[i].verdict ~= "committed" and reports[i] or told
  end
  if told and told.verdict ~= "committed" then
    failures.raise(told.verdict, text_of(told), {
      report = plain(told), reports = plain_all(reports), remedy = told.remedy,
    })
  end
  return { report = told and plain(told), reports = plain_all(reports) }
end

-- Waits until the units of the reports have proven themselves, or were rolled back: then these reports stand for
-- theirs; or until another reload has come before. Who watches has begun before the reload, as new code may fail at its
-- first event; so what it hears may be about the code before.
local Proof = {}
Proof.__index = Proof
Proof.__close = function(proof)
  proof.stop()
end

local function key_of(name, number)
  return ("%s/%d"):format(name, number)
end

local function watch_proof(runtime)
  local proof = setmetatable({ over = {}, changed = Event() }, Proof)
  local function settle(name, number, outcome)
    proof.over[key_of(name, number)] = outcome
    proof.changed:set()
  end
  proof.stop = runtime:watch {
    report = function(report)
      if report.verdict:find "^rolled_back:" then
        settle(report.unit, report.from, report)
      end
    end,
    proven = function(unit, probation)
      settle(unit.name, probation.run.generation.number, "proven")
    end,
    superseded = function(unit, probation)
      settle(unit.name, probation.run.generation.number, "superseded")
    end,
  }
  return proof
end

local function is_tried(unit, number)
  return unit and unit.probation and unit.probation.run.generation.number == number
end

function Proof:wait(runtime, report)
  local key = key_of(report.unit, report.to)
  while not self.over[key] and is_tried(runtime.units[report.unit], report.to) do
    self.changed:clear()
    self.changed:wait()
  end
  return self.over[key]
end

local function prove(runtime, proof, reports)
  for i, report in ipairs(reports) do
    local outcome = report.verdict == "committed" and proof:wait(runtime, report)
    if outcome == "superseded" then
      report.verdict, report.error = outcome, "another reload came before it had proven itself"
    elseif type(outcome) == "table" then
      reports[i] = outcome
    end
  end
end

-- In a task of the runtime's own, which goes on when the client has gone.
local function shielded(runtime, name, f, ...)
  local task = runtime:spawn(f, ...)
  task:set_name(name)
  return tasks.shield(task):await()
end

local function reload_all(runtime, name, nowait)
  local ok, reports = pcall(runtime.reload, runtime, name, { nowait = nowait })
  if not ok and refusals.is(reports) then
    failures.raise("rejected:" .. reports.code, reports.message, { remedy = reports.remedy })
  elseif not ok then
    error(reports, 0)
  end
  return reports
end

local function reload(session, request)
  local _, name = unit_of(session, request, true)
  local nowait = failures.field(request, "nowait", "boolean", true)
  local proven = failures.field(request, "proven", "boolean", true)
  local runtime = session.runtime
  local proof <close> = watch_proof(runtime)
  local reports = shielded(runtime, "reload", reload_all, runtime, name, nowait)
  if proven then
    prove(runtime, proof, reports)
  end
  return answer(reports, name)
end

local function rollback(session, request)
  local _, name = unit_of(session, request)
  local runtime = session.runtime
  local report = shielded(runtime, "rollback", runtime.rollback, runtime, name)
  if not report then
    failures.raise("not_found", ("unit '%s' is not on probation: there is nothing to go back to"):format(name))
  elseif report.verdict ~= "rolled_back:manual" then
    failures.raise(report.verdict, text_of(report), { report = plain(report) })
  end
  return { report = plain(report) }
end

return {
  streams = { rights = "ro", run = streams, waits = true },
  inbox = { rights = "ro", run = inbox },
  lag = { rights = "ro", run = inbox },
  gens = { rights = "ro", run = gens },
  reload = { rights = "rw", run = reload, waits = true },
  rollback = { rights = "rw", run = rollback, waits = true },
}
