--- The runtime of units: it owns their inboxes, ports and names, and exchanges their code.

local admission = require "strobe.live.admission"
local builtin_ports = require "strobe.live.builtin_ports"
local Clock = require "strobe.live.clock"
local contexts = require "strobe.async.context"
local core_error = require "strobe.core.error"
local Delivery = require "strobe.live.delivery"
local errors = require "strobe.async.error"
local Flight = require "strobe.live.flight"
local Intake = require "strobe.live.intake"
local Leftovers = require "strobe.live.leftovers"
local Lock = require("strobe.async.lock").Lock
local Metrics = require "strobe.live.metrics"
local mistake = require "strobe.mistake"
local Port = require "strobe.live.port"
local Probations = require "strobe.live.probations"
local quota = require "strobe.live.quota"
local reload = require "strobe.live.reload"
local Requests = require "strobe.live.requests"
local tasks = require "strobe.async.task"
local timeouts = require "strobe.async.timeout"
local Supervision = require "strobe.live.supervision"
local Unit = require "strobe.live.unit"

-- Seconds which the end of all waits for a reload.
local PATIENCE = 10

---@class strobe.live.RuntimeOptions
---@field root? string        the project's folder; units' files are below it (the folder of each unit)
---@field seed? integer       of ctx:random
---@field inbox? table        {size, policy}
---@field probation? strobe.live.Limits
---@field drain? number       seconds
---@field on_drain? "abort"|"cancel"
---@field quota? strobe.live.QuotaOptions of steps; nil: they may last for ever
---@field flight? strobe.live.FlightOptions where its recordings go
---@field supervision? strobe.live.SupervisionOptions of units that have none of their own
---@field on_report? fun(report: strobe.live.Report)
---@field log? fun(level: string, text: string, facts: table)
---@field streams? string[]   that there are besides those of feeds; nil: any, as long as there is no feed

---@class strobe.live.ReloadOptions
---@field drain? number seconds for the handler at work (2)
---@field on_drain? "abort"|"cancel" what becomes of a handler that takes longer ("abort": the reload is refused)
---@field nowait? boolean refused, if another reload is under way

---@class strobe.live.Runtime
---@field units table<string, strobe.live.RunningUnit>
---@field seed integer
---@field clock strobe.live.Clock which units see
---@field feeds strobe.live.Feed[]
---@field desk? strobe.broker.Desk where orders go
---@field session? integer how many processes the desk's venue knows, with this one
---@field private requests strobe.live.Requests
local Runtime = {}
Runtime.__index = Runtime
Runtime.__name = "live runtime"

--- Makes one; see live.Runtime.
---@param options? strobe.live.RuntimeOptions
---@return strobe.live.Runtime
function Runtime.new(options)
  options = mistake.options("live.Runtime", options)
  local runtime = setmetatable({
    options = options, units = {}, order = {}, ports = {}, seed = options.seed or 0, lock = Lock(),
    requested = {}, own = {}, watchers = {}, clock = Clock.new(),
  }, Runtime)
  runtime.requests = Requests.new(runtime.lock)
  runtime.delivery = Delivery.new(runtime, options.streams)
  runtime.intake = Intake.new(runtime)
  runtime.feeds = runtime.intake.feeds
  runtime.probations = Probations.new(runtime)
  runtime.recorder = Metrics.new()
  runtime.leftovers = Leftovers.new(function(unit, text)
    runtime:log("warning", text, { unit = unit })
  end)
  for name, functions in pairs(builtin_ports) do
    runtime:add_port(name, functions)
  end
  runtime.flight = Flight.new(runtime, options.flight)
  quota.open(runtime, options.quota)
  return runtime
end

--- Makes a port; see live.port.
---@param name string
---@param functions strobe.live.PortFunctions
function Runtime:add_port(name, functions)
  mistake.expect("runtime:add_port", "name", "string", name)
  self.ports[name] = Port.new(name, functions)
end

--- The port of that name; raises when there is none.
---@param name string
---@return strobe.live.Port
function Runtime:port(name)
  return self.ports[name] or mistake.raise("there is no port '%s'", tostring(name))
end

--- Where modules of a unit are looked for.
---@param path string
---@return string[]
function Runtime:folders(path)
  return { self.options.root or path:match "^(.*)/[^/]*$" }
end

--- A task of the runtime's own: of no unit, whoever asks for it.
---@param f function
---@param ... any
---@return strobe.Task
function Runtime:spawn(f, ...)
  local task = contexts.Context():run(tasks.create_task, f, ...)
  self.own[task] = true
  task:add_done_callback(function()
    self.own[task] = nil
  end)
  return task
end

---@class strobe.live.Watcher
---@field log? fun(level: string, text: string, facts: table) a line goes to the log
---@field report? fun(report: strobe.live.Report)
---@field proven? fun(unit: strobe.live.RunningUnit, probation: strobe.live.Probation) its probation is over
---@field superseded? fun(unit: strobe.live.RunningUnit, probation: strobe.live.Probation) another reload came before

--- Lets somebody look on: from now on its functions are called, which may not wait.
---@param watcher strobe.live.Watcher
---@return fun() stop no more
function Runtime:watch(watcher)
  table.insert(self.watchers, watcher)
  return function()
    for i, other in ipairs(self.watchers) do
      if other == watcher then
        table.remove(self.watchers, i)
        return
      end
    end
  end
end

-- A watcher may stop when it is told something.
local function tell_watchers(runtime, what, ...)
  for _, watcher in ipairs(table.move(runtime.watchers, 1, #runtime.watchers, 1, {})) do
    if watcher[what] then
      watcher[what](...)
    end
  end
end

-- Who reads along may fail, as when the disk is full: that changes nothing here.
local function tell_reader(what, f, ...)
  local ok, e = pcall(f, ...)
  if not ok then
    if errors.is(e, errors.CancelledError) then
      error(e, 0)
    end
    core_error.report { message = ("%s cannot be written: %s"):format(what, tostring(e)), warning = true }
  end
end

--- Hands a line to the log.
---@param level "debug"|"info"|"warning"|"error"
---@param text string
---@param facts {unit?: string, gen?: integer, seq?: integer}
function Runtime:log(level, text, facts)
  tell_watchers(self, "log", level, text, facts)
  if self.options.log then
    tell_reader("the log", self.options.log, level, text, facts)
  elseif level ~= "debug" then
    io.stderr:write(("strobe: %s: %s\n"):format(facts.unit or "live", text))
  end
end

-- --- Events ------------------------------------------------------------------------------------

--- Takes a feed over: it runs from now on, until it or the runtime ends. No reload touches it.
---@param feed strobe.live.Feed
---@param options? {held?: boolean} held: it begins when run_feeds is called
function Runtime:add_feed(feed, options)
  if self.closed then
    error("add_feed: the runtime is closed", 2)
  end
  self.intake:add(feed, options)
end

--- Runs the feeds that were added with `held`.
function Runtime:run_feeds()
  self.intake:run()
end

--- Waits until all feeds that end have ended, and the units have processed what they brought.
---@async
---@return true? done
---@return string? message of a feed that could not go on
---@return string? code
function Runtime:wait_feeds()
  return self.intake:wait()
end

--- Calls f(unit, event) for each event right before a unit gets it for the first time. f may interject others, which
--- come first.
---@param f fun(unit: strobe.live.RunningUnit, event: strobe.Event)
function Runtime:meet(f)
  self.meeting = f
  for _, unit in ipairs(self.order) do
    self:introduce(unit)
  end
end

--- A unit is there: it is told of what `meet` asked for.
---@param unit strobe.live.RunningUnit
function Runtime:introduce(unit)
  local meeting = self.meeting
  unit.inbox.meet = meeting and function(event)
    meeting(unit, event)
  end
end

--- Seconds since 1970 on the clock which units see: that of a recording, when one runs.
---@return number
function Runtime:now()
  return self.clock:now()
end

--- Calls f(stream, data, time, stream_seq, feed) for each event, before units get it.
---@param f fun(stream: string, data: any, time: number, stream_seq?: integer, feed?: strobe.live.Feed)
---@return fun() stop no more
function Runtime:observe(f)
  return self.delivery:observe(f)
end

--- An event, for all who have subscribed. Waits while one has no room.
---@async
---@param stream string
---@param data any
---@param when? number (now)
---@param stream_seq? integer
function Runtime:offer(stream, data, when, stream_seq)
  self.delivery:offer(stream, data, when, stream_seq)
end

--- There is such a stream, which is of no feed: somebody offers its events.
---@param stream string
function Runtime:add_stream(stream)
  mistake.expect("runtime:add_stream", "stream", "string", stream)
  self.delivery.own_streams[stream] = true
end

-- --- Starting and reloading ----------------------------------------------------------------------

--- Hands out a report.
---@param report strobe.live.Report
---@return strobe.live.Report
function Runtime:tell(report)
  self.recorder:reported(report)
  if self.options.on_report then
    tell_reader("a report", self.options.on_report, report)
  end
  tell_watchers(self, "report", report)
  return report
end

local function told(runtime, reports)
  for _, report in ipairs(reports) do
    runtime:tell(report)
  end
  return reports
end

local function options_of(runtime, options)
  local merged = {}
  for _, name in ipairs { "drain", "on_drain", "probation" } do
    merged[name] = options and options[name]
    if merged[name] == nil then
      merged[name] = runtime.options[name]
    end
  end
  return merged
end

-- Units without code, which have their names from now on.
local function enter(runtime, list)
  local units = {}
  for i, entry in ipairs(list) do
    local unit = Unit.new(runtime, entry.name, entry.path, {
      inbox = runtime.options.inbox, supervision = entry.supervision or runtime.options.supervision,
    })
    runtime.units[entry.name] = unit
    table.insert(runtime.order, unit)
    units[i] = unit
  end
  return units
end

local function check_names(runtime, list)
  local seen = {}
  for _, entry in ipairs(list) do
    if runtime.units[entry.name] or seen[entry.name] then
      mistake.raise("a unit '%s' runs already", entry.name)
    end
    seen[entry.name] = true
  end
end

--- Starts units: all of them in one turn, or none.
---@async
---@param list {name: string, path: string, supervision?: strobe.live.SupervisionOptions}[] absolute paths
---@return strobe.live.Report[]
function Runtime:start_all(list)
  mistake.expect("runtime:start_all", "list", "table", list)
  local held <close> = self.lock:acquire() -- luacheck: ignore
  check_names(self, list) -- now that nobody else starts one
  local units = enter(self, list)
  local reports = told(self, reload.perform(units, options_of(self)))
  for i, unit in ipairs(units) do
    if reports[i].verdict ~= "committed" then
      self.units[unit.name] = nil
      table.remove(self.order) -- all or none, and nobody came after them
    end
  end
  return reports
end

--- Starts a unit.
---@async
---@param name string
---@param path string absolute
---@param options? {supervision?: strobe.live.SupervisionOptions}
---@return strobe.live.Report
function Runtime:start(name, path, options)
  mistake.expect("runtime:start", "name", "string", name)
  mistake.expect("runtime:start", "path", "string", path)
  options = mistake.options("runtime:start", options)
  check_names(self, { { name = name } })
  return self:start_all({ { name = name, path = path, supervision = options.supervision } })[1]
end

-- Reloads while nobody else does.
local function reload_alone(runtime, name, options)
  local units = admission.all(runtime, name)
  local refusal = admission.objection_inside(runtime, units)
  if refusal then
    return told(runtime, reload.refuse(units, refusal))
  elseif #units == 0 then
    return {}
  end
  return told(runtime, reload.perform(units, options_of(runtime, options)))
end

--- Reloads a unit, or several as one, and those that share a changed file with them; without a name all whose files
--- have changed.
---@async
---@param name? string|string[]
---@param options? strobe.live.ReloadOptions
---@return strobe.live.Report[]
function Runtime:reload(name, options)
  mistake.options("runtime:reload", options)
  admission.check_names(self, name)
  local refusal = admission.objection(self, name, options)
  if refusal then
    return told(self, reload.refuse(admission.meant(self, name), refusal))
  end
  return self.requests:perform(name, options, function()
    return reload_alone(self, name, options)
  end)
end

--- Asks for a reload and does not wait; requests for one unit coalesce.
---@param name? string
function Runtime:request_reload(name)
  admission.check_names(self, name)
  local key = name or "*"
  if not self.closed and not self.requests:has(name) and not self.requested[key] then
    self.requested[key] = true
    self:spawn(function()
      self.requested[key] = nil -- what is asked for from now on may be about newer files
      self:reload(name)
    end):set_name "reload"
  end
end

-- --- Probation -----------------------------------------------------------------------------------

--- A unit has proven itself, and those that were exchanged with it.
---@param probation strobe.live.Probation
function Runtime:proven(probation)
  tell_watchers(self, "proven", probation.unit, probation)
end

--- Another reload has come before a unit had proven itself.
---@param probation strobe.live.Probation
function Runtime:superseded(probation)
  tell_watchers(self, "superseded", probation.unit, probation)
end

--- Undoes the last reload of a unit by hand, and of those that were exchanged with it.
---@async
---@param name string
---@return strobe.live.Report? nil when it is not on probation
function Runtime:rollback(name)
  admission.check_names(self, mistake.expect("runtime:rollback", "name", "string", name))
  return self.probations:undo_by_hand(self.units[name])
end

--- Writes what happened last to a unit, as JSON lines: see flight.lua.
---@async
---@param name string
---@param path string
---@return true? done
---@return string? message
---@return string? code
function Runtime:record_flight(name, path)
  admission.check_names(self, mistake.expect("runtime:record_flight", "name", "string", name))
  return self.flight:write(self.units[name], "on demand", path)
end

--- Figures of all units, as plain data.
---@return strobe.live.Metrics
function Runtime:metrics()
  return self.recorder:read(self)
end

--- The attempts of a unit: {number, verdict, time, files}.
---@param name string
---@return table[]
function Runtime:gens(name)
  admission.check_names(self, mistake.expect("runtime:gens", "name", "string", name))
  return self.units[name].history
end

local function close(self, me)
  self.intake:close()
  timeouts.move_on_after(PATIENCE, self.lock.acquire, self.lock) -- a reload that is under way is refused
  self.probations:close()
  for _, unit in ipairs(self.order) do
    unit:stop()
  end
  local own = {}
  for task in pairs(self.own) do
    own[#own + 1] = task ~= me and task or nil
  end
  if #own > 0 then
    tasks.cancel_and_wait(own)
  end
  for _, port in pairs(self.ports) do
    port:close()
  end
  quota.close(self)
end

--- Stops all units, and ends. It comes to its end even if the task that calls is cancelled meanwhile.
---@async
function Runtime:close()
  if not self.closed then
    self.closed = true
    Supervision.shielded(close, self, tasks.current_task())
  end
end

Runtime.__close = function(self)
  self:close()
end

return Runtime
