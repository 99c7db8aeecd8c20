--- The debugger of this process: breakpoints, and the tasks that are stopped. There is one at a time.
--
-- A task that comes to a breakpoint is parked inside the hook, see core/task/debugger.c; one that is paused is frozen
-- where it waits. All others go on, unless stop_all is on: then the tasks of its unit, or of the script, are
-- frozen with it. What happens is told by `on`, in the order in which it happened, and later: not in the hook.

local breakpoints = require "strobe.debug.breakpoint"
local core = require "strobe.core.debugger"
local core_task = require "strobe.core.task"
local errors = require "strobe.async.error"
local frames = require "strobe.debug.frame"
local freeze = require "strobe.core.freeze"
local handle = require "strobe.core.handle"
local happenings = require "strobe.debug.happenings"
local inspect = require "strobe.core.inspect"
local runaway = require "strobe.async.runaway"
local sources = require "strobe.debug.source"

---@class strobe.debug.Stop a task that is stopped
---@field task strobe.Task
---@field reason "entry"|"breakpoint"|"function breakpoint"|"step"|"pause"|"exception"
---@field frozen? boolean it was paused where it waits
---@field breakpoints? integer[] those that it has come to
---@field error? any that was raised
---@field caught? boolean it was, by a pcall
---@field stack? strobe.debug.Frame[] as it was then
---@field thread? thread that is in the hook
---@field line? integer of its innermost frame
---@field names? string[] of that frame's variables
---@field others? strobe.Task[] which are frozen with it

---@class strobe.debug.Debugger
---@field sources strobe.debug.Sources
---@field stops table<strobe.Task, strobe.debug.Stop>
---@field stop_all boolean
---@field private filters table<string, true>
---@field private happenings strobe.debug.Happenings
---@field private at table<integer, strobe.debug.Breakpoint[]> by file
local Debugger = {}
Debugger.__index = Debugger
Debugger.__name = "debugger"

local debuggers = {}

-- Seconds of processor time without a wait after which a task gives way.
local SPIN = 0.2
-- Seconds between two looks at which tasks there are.
local LOOK_EVERY = 0.25

-- Tasks by whose name one knows that they are the program's own.
local OWN = { "^attach ", "^debug ", "^console " }

--- Whether a task is one of strobe's, which nobody debugs.
---@param task strobe.Task
---@return boolean
function debuggers.is_own(task)
  local name = task:get_name()
  for _, pattern in ipairs(OWN) do
    if name:find(pattern) then
      return true
    end
  end
  return name == "strobe"
end

local function tell(debugger, event, ...)
  debugger.happenings:add(event, ...)
end

-- --- Breakpoints ---------------------------------------------------------------------------------

local function apply(debugger, file)
  local lines = {}
  for _, list in ipairs(debugger.muted and {} or { debugger.at[file] or {}, debugger.function_at[file] or {} }) do
    for _, breakpoint in ipairs(list) do
      lines[#lines + 1] = breakpoint.verified and breakpoint.line or nil
    end
  end
  if debugger.entry and debugger.entry.file == file then
    lines[#lines + 1] = debugger.entry.line
  end
  core.set_lines(file, lines)
end

local function new_id(debugger)
  debugger.last_id = debugger.last_id + 1
  return debugger.last_id
end

-- A breakpoint as it is wanted, at the next line with code.
local function put(id, path, wanted, next_line, message)
  local line = next_line and next_line(wanted.line)
  if line then
    return breakpoints.new(id, path, line, wanted)
  end
  return breakpoints.unverified(id, path, wanted.line, message or "there is no code from this line on")
end

--- Sets the breakpoints of a file, in place of those it had. Each goes to the next line with code.
---@param path string
---@param list {line: integer, condition?: string, hitCondition?: string, logMessage?: string}[]
---@return strobe.debug.Breakpoint[]
function Debugger:set_breakpoints(path, list)
  local file = self.sources:number(path)
  local next_line, message = sources.lines(path)
  local set = {}
  for i, wanted in ipairs(list) do
    set[i] = put(new_id(self), path, wanted, file and next_line, message)
  end
  if file then
    self.at[file], self.wanted[file] = set, { list = list, path = path, stamp = sources.stamp(path) }
    apply(self, file)
  end
  return set
end

--- Breakpoints that are nowhere.
---@param list {line: integer}[]
---@param message string why
---@return strobe.debug.Breakpoint[]
function Debugger:refuse_breakpoints(list, message)
  local refused = {}
  for i, wanted in ipairs(list) do
    refused[i] = breakpoints.unverified(new_id(self), nil, wanted.line, message)
  end
  return refused
end

-- The file has another text: its breakpoints go to where they belong there.
local function put_again(debugger, file, wanted)
  local set, next_line, message = debugger.at[file], sources.lines(wanted.path)
  for i, old in ipairs(set) do
    local new = put(old.id, wanted.path, wanted.list[i], next_line, message)
    if new.line ~= old.line or new.verified ~= old.verified then
      new.hits, set[i] = old.hits, new
      tell(debugger, "breakpoint", new)
    end
  end
  apply(debugger, file)
end

-- The one that is open.
local the_debugger

--- Files were loaded anew: the breakpoints of those that have changed go to the lines with code.
function debuggers.renew()
  for file, wanted in pairs(the_debugger and the_debugger.wanted or {}) do
    local stamp = sources.stamp(wanted.path)
    if stamp ~= wanted.stamp then
      wanted.stamp = stamp
      put_again(the_debugger, file, wanted)
    end
  end
end

--- Stops the task that comes to the first line of a file, once.
---@param path string
function Debugger:stop_on_entry(path)
  local next_line, file = sources.lines(path), self.sources:number(path)
  local line = next_line and next_line(1)
  if file and line and not self.muted then
    self.entry = { file = file, line = line }
    apply(self, file)
  end
end

local function add_functions(debugger, file)
  local found = {}
  for _, wanted in ipairs(debugger.functions) do
    for _, line in ipairs(sources.functions(debugger.sources:path(file), wanted.name)) do
      local breakpoint = breakpoints.new(wanted.id, debugger.sources:path(file), line, wanted)
      breakpoint.is_function = true
      found[#found + 1] = breakpoint
      if not wanted.verified then
        wanted.verified, wanted.line, wanted.path = true, line, breakpoint.path
        tell(debugger, "breakpoint", wanted)
      end
    end
  end
  if #found > 0 or debugger.function_at[file] then
    debugger.function_at[file] = #found > 0 and found or nil
    apply(debugger, file)
  end
end

--- Sets the breakpoints on functions, by name, in place of those there were: in all files whose code has run, and in
--- others as soon as theirs does.
---@param list {name: string, condition?: string, hitCondition?: string}[]
---@return table[]
function Debugger:set_function_breakpoints(list)
  self.functions = {}
  for i, wanted in ipairs(list) do
    self.functions[i] = {
      id = new_id(self), name = wanted.name, condition = wanted.condition, hitCondition = wanted.hitCondition,
      verified = false, message = "no code of that name has run yet",
    }
  end
  self.sources:each(function(file)
    add_functions(self, file)
  end)
  self:watch_files()
  return self.functions
end

--- With breakpoints on functions each file is looked at when its code runs first.
function Debugger:watch_files()
  if #self.functions > 0 and not self.watching and not self.muted then
    self.watching = true
    core.watch(true)
  elseif #self.functions == 0 and self.watching then
    self.watching = false
    core.watch(false)
  end
end

-- --- Handlers: they run in the hook, and may not wait ----------------------------------------------

local function resolve(debugger, chunk)
  local file, is_new = debugger.sources:resolve(chunk)
  if file and is_new and #debugger.functions > 0 then
    add_functions(debugger, file)
  end
  return file
end

-- What the code of a thread's innermost function sees.
local function environment_of(thread)
  return frames.innermost(thread):environment()
end

-- The breakpoints at a line that a task has come to and that stop it.
local function reached(debugger, thread, file, line)
  local ids, environment
  for _, list in ipairs { debugger.at[file] or {}, debugger.function_at[file] or {} } do
    for _, breakpoint in ipairs(list) do
      if breakpoint.line == line then
        environment = environment or environment_of(thread)
        local stops, text = breakpoint:reach(environment)
        if text then
          tell(debugger, "output", text, breakpoint.path, line)
        end
        if stops then
          ids = ids or {}
          ids[#ids + 1] = breakpoint.id
          ids.is_function = breakpoint.is_function
        end
      end
    end
  end
  return ids
end

local function say_passed(debugger, file, line)
  local place = ("%s:%d"):format(debugger.sources:path(file), line)
  if not debugger.passed[place] then
    debugger.passed[place] = true
    tell(debugger, "output", ("%s cannot stop here: it was called from C, or by a callback")
      :format(place))
  end
end

local function others_of(debugger, task)
  local run = debuggers.run_of(task)
  local list = {}
  for _, other in ipairs(core_task.all()) do
    if other ~= task and other ~= core_task.current() and not debugger.stops[other] and not debuggers.is_own(other)
      and debuggers.run_of(other) == run then
      list[#list + 1] = other
    end
  end
  return list
end

local function add_stop(debugger, stop)
  debugger.stops[stop.task] = stop
  if debugger.stop_all then
    stop.others = others_of(debugger, stop.task)
    freeze.freeze(stop.others)
  end
  tell(debugger, "stopped", stop)
end

-- Whether it is where the program begins.
local function take_entry(debugger, file, line)
  local entry = debugger.entry
  if entry and entry.file == file and entry.line == line then
    debugger.entry = nil
    apply(debugger, file)
    return true
  end
end

local function on_line(debugger, task, thread, file, line, breakpoint, step, can_stop)
  local ids = breakpoint and reached(debugger, thread, file, line)
  local entry = breakpoint and take_entry(debugger, file, line)
  if not ids and not step and not entry then
    return false
  elseif not can_stop then
    say_passed(debugger, file, line)
    return false
  end
  add_stop(debugger, {
    task = task, reason = entry and "entry" or ids and (ids.is_function and "function breakpoint" or "breakpoint")
      or "step",
    breakpoints = ids or nil, thread = thread, line = line, names = frames.names(thread),
  })
  return true
end

-- Its threads, the innermost first, and for an error also the plain coroutine in which it happened.
local function stack_of(task, thread)
  local threads = task:threads()
  if thread and threads[1] ~= thread then
    table.insert(threads, 1, thread)
  end
  local list = {}
  for _, each in ipairs(threads) do
    frames.of(each, list)
  end
  return list
end

-- What controls the flow, and is no failure.
local function is_flow(e)
  return errors.is(e, errors.CancelledError) or errors.is(e, errors.GeneratorExit)
end

local function on_failing(debugger, task, thread, e, caught)
  local kept, filters = debugger.failing[task], debugger.filters
  if is_flow(e) or not (filters.raised or filters.uncaught and not caught) then
    return false
  elseif kept and rawequal(kept.error, e) then
    return true
  end
  local stop = { task = task, reason = "exception", error = e, caught = caught, stack = stack_of(task, thread) }
  if #stop.stack == 0 then
    return false
  end
  for _, frame in ipairs(stop.stack) do
    frame:keep()
  end
  debugger.failing[task] = stop
  handle.call_soon(function()
    debugger.failing[task] = nil
    if not debugger.closed and (core.stopped(task)) and not debugger.stops[task] then
      add_stop(debugger, stop)
    end
  end)
  return true
end

-- What pcall and xpcall were.
local plain = { pcall = pcall, xpcall = xpcall }

local function replace(from, to)
  for name in pairs(plain) do
    if _G[name] == from[name] then -- the program may have its own
      _G[name] = to[name]
    end
  end
end

--- Sets which errors stop: those that leave a task ("uncaught"), or all that are raised ("raised"), of which code that
--- has kept a pcall of its own from before catches some unseen.
---@param filters table<string, true>
function Debugger:set_filters(filters)
  filters = self.muted and {} or filters
  self.filters = filters
  if filters.raised then
    replace(plain, core)
  else
    replace(core, plain)
  end
end

--- From now on nothing stops by itself: no breakpoint, no error.
function Debugger:mute()
  self.muted = true
  self:set_filters {}
  self.sources:each(function(file)
    apply(self, file)
  end)
end

-- --- Stopped tasks ---------------------------------------------------------------------------------

--- Stops a task where it waits. False when it has ended, or is stopped already.
---@param task strobe.Task
---@return boolean
function Debugger:pause(task)
  if task:done() or self.stops[task] or task == core_task.current() then
    return false
  end
  freeze.freeze { task }
  add_stop(self, { task = task, reason = "pause", frozen = true })
  return true
end

local function release(debugger, stop)
  debugger.stops[stop.task] = nil
  if stop.others then
    freeze.thaw(stop.others)
  end
  if stop.frozen then
    freeze.thaw { stop.task }
  else
    core.go(stop.task)
  end
end

--- Lets a stopped task go on. False when it is not stopped.
---@param task strobe.Task
---@return boolean
function Debugger:continue(task)
  local stop = self.stops[task]
  if stop then
    release(self, stop)
  end
  return stop ~= nil
end

--- Forgets the stops of tasks that have ended, or that go on because they were cancelled twice.
---@return strobe.Task[] of these
function Debugger:forget_gone()
  local gone = {}
  for task, stop in pairs(self.stops) do
    if task:done() or not stop.frozen and not core.stopped(task) then
      gone[#gone + 1] = task
    end
  end
  for _, task in ipairs(gone) do
    self:continue(task)
  end
  return gone
end

--- Lets a stopped task go on to the next line: of any function, of its own or who called it, or of who called it.
---@param task strobe.Task
---@param kind "in"|"over"|"out"
---@return boolean
function Debugger:step(task, kind)
  if not self.stops[task] then
    return false
  end
  core.step(task, kind)
  return self:continue(task)
end

--- Lets a task run through, whatever code it comes to.
---@param task strobe.Task
function Debugger.exempt(_, task)
  core.exempt(task, true)
end

--- The frames of a task, the innermost first. Of one that runs now there are none.
---@param task strobe.Task
---@return strobe.debug.Frame[]
function Debugger:frames(task)
  local stop = self.stops[task]
  if stop and stop.stack then
    return stop.stack
  elseif task:done() or task == core_task.current() then
    return {}
  end
  local list = stack_of(task, select(2, core.stopped(task)))
  if stop and stop.thread and list[1] then
    list[1].line, list[1].names = stop.line, stop.names
  end
  return list
end

--- The living tasks of the program, oldest first.
---@param most integer
---@return strobe.Task[]
function debuggers.tasks(most)
  local list = {}
  for _, task in ipairs(core_task.all()) do
    if #list == most then
      break
    end
    list[#list + 1] = not debuggers.is_own(task) and task or nil
  end
  return list
end

local function look_later(debugger)
  debugger.looking = handle.call_later(LOOK_EVERY, function()
    tell(debugger, "tasks")
  end)
end

--- Tells "tasks" soon, or once there is one more or less, which is not told at once either.
---@param soon? boolean
function Debugger:expect_tasks(soon)
  if soon then
    look_later(self)
  else
    core.expect()
  end
end

--- The task of a number.
---@param number integer
---@return strobe.Task?
function debuggers.task(number)
  return inspect.find(number)
end

--- The run of a unit to which a task belongs; nil outside of units.
---@param task strobe.Task
---@return strobe.live.Run?
function debuggers.run_of(task)
  local runs = package.loaded["strobe.live.run"]
  return runs and task:get_context():get(runs.variable)
end

-- --- Opening and closing ---------------------------------------------------------------------------

-- Code that spins would keep us from hearing that it is to be paused: it gives way, again and again. Not so units and
-- what is typed, which others interrupt by the time that they run without waiting.
local function give_way(used)
  local task = core_task.current()
  if task and not debuggers.is_own(task) and not debuggers.run_of(task) then
    core.give_way()
  end
  return used + SPIN
end

--- Opens the debugger of this process.
---@param on fun(event: "stopped"|"output"|"breakpoint"|"tasks", ...) is told what happens; may not wait
---@return strobe.debug.Debugger? debugger nil when there is one already
function debuggers.open(on)
  local debugger = setmetatable({
    sources = sources.new(), stops = {}, at = {}, wanted = {}, function_at = {}, functions = {}, filters = {},
    passed = {}, failing = {}, last_id = 0, stop_all = false,
  }, Debugger)
  -- A task may have gone on before its stop was told.
  debugger.happenings = happenings.new(function(event, subject, ...)
    if event ~= "stopped" or debugger.stops[subject.task] == subject then
      on(event, subject, ...)
    end
  end)
  local function bind(f)
    return function(...)
      return f(debugger, ...)
    end
  end
  local ok = core.open {
    resolve = bind(resolve), stop = bind(on_line), failing = bind(on_failing), changed = bind(look_later),
  }
  if not ok then
    return nil
  end
  the_debugger = debugger
  runaway.watch(debugger, SPIN, give_way)
  return debugger
end

--- Takes all breakpoints away, and lets all go on. Closing twice is harmless.
function Debugger:close()
  if self.closed then
    return
  end
  self:set_filters {}
  self.closed, the_debugger = true, nil
  self.happenings:close()
  for _, stop in pairs(self.stops) do
    release(self, stop)
  end
  core.close()
  runaway.unwatch(self)
  if self.looking then
    self.looking:cancel()
  end
end

Debugger.__close = Debugger.close

return debuggers
