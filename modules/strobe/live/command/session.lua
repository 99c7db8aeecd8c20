--- One run of `strobe live`: a runtime with its feeds, broker, watcher and report, from the first unit's start to the
-- end of all.

local Console = require "strobe.live.command.console"
local Event = require("strobe.async.event").Event
local Flight = require "strobe.live.flight"
local Runtime = require "strobe.live.runtime"
local Watcher = require "strobe.live.watcher"
local door = require "strobe.attach.door"
local host = require "strobe.core.host"
local inspect = require "strobe.core.inspect"
local live = require "strobe.live"
local loop = require("strobe.async.loop").get_running_loop()
local output = require "strobe.output"
local reach = require "strobe.live.reach"
local report = require "strobe.report"
local time = require "strobe.core.time"
local uv = require "luv"
local warnings = require "strobe.async.warnings"
local watchdog = require "strobe.core.watchdog"

-- Seconds of processor time which a handler may run without waiting; and for which the loop may stand still until all
-- stacks are printed.
local QUOTA, STALL = 0.5, 2
-- Seconds after which the step of a unit is slow, and a shield held for long.
local SLOW_STEP, LONG_SHIELD = 0.05, 5

---@class strobe.live.command.Session
---@field options strobe.live.command.Options
---@field console strobe.live.command.Console
---@field runtime strobe.live.Runtime
---@field status? integer exit status, when it is over
---@field private over strobe.async.Event
---@field private closing function[] what is to be done at the end, the last first
local Session = {}
Session.__index = Session
Session.__name = "live session"

local function complain(session, text, ...)
  session.console:log("error", text:format(...), {})
  return 1
end

-- --- Signals -----------------------------------------------------------------------------------

local function end_with(session, status)
  session.status = session.status or status
  session.over:set()
end

local function has_terminal()
  local terminal = io.open "/dev/tty"
  if terminal then
    terminal:close()
  end
  return terminal ~= nil
end

local function reload_all(session)
  session.runtime:request_reload()
end

local statuses = { [uv.constants.SIGINT] = 130, [uv.constants.SIGTERM] = 0 }

-- The second SIGINT or SIGTERM ends it at once, which is the host's doing.
local function handle_signals(session)
  host.on_signal(function(number)
    end_with(session, statuses[number])
  end)
  loop:add_signal_handler("SIGHUP", has_terminal() and end_with or reload_all, session, 129)
  table.insert(session.closing, function()
    loop:remove_signal_handler "SIGHUP"
  end)
end

-- --- Setting up ----------------------------------------------------------------------------------

-- Runs the file of --setup, which finds live.port and live.broker.
local function run_setup(session)
  local path = session.options.setup
  local file, message = io.open(path, "rb")
  if not file then
    return complain(session, "--setup: %s", message)
  end
  local text = file:read "a":gsub("^\u{FEFF}", ""):gsub("^#[^\n]*", "")
  file:close()
  local chunk
  chunk, message = load(text, "@" .. path, "t")
  if not chunk then
    return complain(session, "--setup: %s", message)
  end
  local ok, e = xpcall(chunk, function(e)
    return ("%s\n%s"):format(tostring(e), table.concat(report.user_lines(debug.traceback()), "\n"))
  end, path)
  if not ok then
    return complain(session, "--setup: %s", e)
  end
end

local function add_feed(session, given)
  local feed, message = require("strobe.live.feed").open(given.url, { name = given.name })
  if not feed then
    return message
  end
  local ok, e = pcall(session.runtime.add_feed, session.runtime, feed, { held = true })
  return not ok and tostring(e):gsub("^[^:]+:%d+: ", "") or nil
end

-- Feeds are there before the units start, which are checked against their streams; they run after that.
local function open_feeds(session)
  for _, given in ipairs(session.options.feeds) do
    local message = add_feed(session, given)
    if message then
      complain(session, "--feed %s: %s", given.url, message)
      return 2
    end
  end
end

-- Whether the files of a unit speak of orders.
local function speaks_of_orders(session)
  for _, unit in ipairs(session.options.units) do
    for _, text in pairs((reach(session.runtime:folders(unit.path), unit.path))) do
      if text:find "%f[%w_]orders%f[^%w_]" then
        return true
      end
    end
  end
  return false
end

local function open_broker(session)
  local wanted = session.options.broker
  if wanted and wanted.kind == "none" or not wanted and not speaks_of_orders(session) then
    return
  end
  local paper, message = require("strobe.broker").Paper {
    journal = wanted and wanted.journal, cash = session.options.cash, fee = session.options.fee,
  }
  if not paper then
    return complain(session, "--broker: %s", message)
  end
  paper:attach(session.runtime)
  session.paper, live.broker = paper, paper
  for _, note in ipairs(paper.notes) do
    session.console:log("info", "broker: " .. note, {})
  end
  table.insert(session.closing, function()
    paper:close()
  end)
end

local function open_recorder(session)
  local path = session.options.report
  local file, message = io.open(path, "a") -- to know before the run
  if not file then
    return complain(session, "--report: %s", message)
  end
  file:close()
  local names = {}
  for i, unit in ipairs(session.options.units) do
    names[i] = unit.name
  end
  session.recorder = require("strobe.backtest").Recorder { title = table.concat(names, ", ") }
  session.recorder:attach(session.runtime, session.paper)
end

-- For strobe reload, ps and attach; a run goes on without.
local function open_door(session)
  local options = session.options
  local server = door.open({
    runtime = session.runtime, rights = options.attach,
    eval = not options.no_eval and nil, -- false, or as the options of strobe itself say
  }, function(text)
    session.console:log("warning", text, {})
  end)
  if server then
    table.insert(session.closing, function()
      server:close()
    end)
  end
end

-- --- Warnings ------------------------------------------------------------------------------------

local function unit_of(context)
  local task = context.task
  return context.unit or type(task) == "userdata" and inspect.record(task).unit or nil
end

-- What goes to stderr elsewhere is a line of the log; of steps, those of units are sooner too long.
local function take_reports(session, slow)
  report.set_log {
    heeds = function(context)
      return not context.seconds or context.seconds >= slow or unit_of(context) ~= nil
    end,
    write = function(level, text, context)
      session.runtime:log(level, text, { unit = unit_of(context) })
    end,
  }
  table.insert(session.closing, function()
    host.slow_step(slow)
    report.flush()
    report.set_log(nil)
  end)
  host.slow_step(math.min(slow, SLOW_STEP))
end

local function look_for_shields(runtime)
  for _, unit in ipairs(runtime.order) do
    local run = unit.run
    if run and run.shields > 0 and time.real() - run.shielded_at > LONG_SHIELD then
      warnings.tell {
        message = ("unit %s has held a shield for more than %d s: no reload can begin"):format(unit.name, LONG_SHIELD),
        unit = unit.name,
      }
    end
  end
end

local function open_warnings(session)
  table.insert(session.closing, warnings.open(function()
    look_for_shields(session.runtime)
  end))
end

-- The first thing that fails decides.
local function set_up(session)
  local options = session.options
  return open_feeds(session) or open_broker(session) or options.setup and run_setup(session)
    or options.report and open_recorder(session) or nil
end

-- --- Running -------------------------------------------------------------------------------------

local function start_units(session)
  for _, told in ipairs(session.runtime:start_all(session.options.units)) do
    if told.verdict ~= "committed" then
      return 1
    end
  end
end

-- A task beside the units.
local function beside(session, name, f, ...)
  session.runtime:spawn(f, ...):set_name(name)
end

local function has_given_up(runtime)
  for _, unit in ipairs(runtime.order) do
    if unit.state == "failed" then
      return true
    end
  end
  return false
end

-- At the end of finite feeds it is over: with status 1 if a unit has given up.
local function wait_feeds(session)
  local good = session.runtime:wait_feeds() -- else it was logged
  end_with(session, good and not has_given_up(session.runtime) and 0 or 1)
end

local function are_finite(feeds)
  for _, feed in ipairs(feeds) do
    if not feed.finite then
      return false
    end
  end
  return #feeds > 0
end

local function go(session)
  local feeds = session.runtime.feeds
  session.runtime:run_feeds()
  if session.options.watch then
    local watcher = Watcher.new(session.runtime)
    beside(session, "watcher", watcher.run, watcher)
  end
  beside(session, "progress", session.console.show_progress, session.console, feeds)
  if are_finite(feeds) then
    beside(session, "end of feeds", wait_feeds, session)
  end
end

-- --- Ending ------------------------------------------------------------------------------------

local function write_report(session)
  local backtest, path = require "strobe.backtest", session.options.report
  local result = session.recorder:finish()
  local base = path:gsub("%.%w+$", "")
  local good, message = true, nil
  if path:find "%.html$" then
    good, message = backtest.write_html(result, path)
  end
  if good then
    good, message = backtest.write_json(result, base .. ".json")
  end
  if not good then
    return complain(session, "--report: %s", message)
  end
end

local function close(session)
  session.runtime:close()
  for i = #session.closing, 1, -1 do
    session.closing[i]()
  end
end

local function conclude(session)
  session.console:close()
  close(session)
  if session.recorder and write_report(session) and session.status == 0 then
    session.status = 1
  end
  session.console:close()
end

-- --- All of it -----------------------------------------------------------------------------------

local function new_runtime(options, console)
  local runtime = Runtime.new {
    root = options.root, seed = options.seed, inbox = options.inbox, probation = options.probation,
    drain = options.drain, on_drain = options.on_drain,
    quota = { seconds = options.quota or QUOTA }, flight = { folder = options.flight or Flight.state_folder() },
    on_report = function(told)
      console:report(told)
    end,
    log = function(level, text, facts)
      console:log(level, text, facts)
    end,
  }
  runtime:add_port("out", console:port())
  return runtime
end

local function new(options)
  local console = Console.new { json = options.json, debug = loop:get_debug(), folder = uv.cwd() }
  return setmetatable({
    options = options, console = console, runtime = new_runtime(options, console), over = Event(), closing = {},
  }, Session)
end

--- Runs units until a signal comes, or until all feeds have ended.
---@async
---@param options strobe.live.command.Options
---@param slow number seconds after which a step is too long, once the units run
---@return integer status
function Session.run(options, slow)
  output.install(function() end) -- who reads stdout may go: the units stay
  local session = new(options)
  live.set_runtime(session.runtime)
  handle_signals(session)
  local status = set_up(session) or start_units(session)
  if not status and not session.status then -- no signal has come meanwhile
    open_door(session)
    take_reports(session, slow)
    open_warnings(session)
    watchdog.stall(STALL)
    go(session)
    session.over:wait()
  end
  session.status = status or session.status
  conclude(session)
  return session.status
end

return Session
