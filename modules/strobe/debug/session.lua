--- A session of the Debug Adapter Protocol: its requests come in, answers and events go out. Threads are tasks.
--
-- It runs in the process that is debugged. Who carries the messages is not known here: see strobe.debug.relay.

local debuggers = require "strobe.debug.debugger"
local dialects = require "strobe.debug.dialect"
local errors = require "strobe.async.error"
local failures = require "strobe.attach.failure"
local inspect = require "strobe.core.inspect"
local inspection = require "strobe.debug.inspection"
local printer = require "strobe.repl.printer"
local protocol = require "strobe.debug.protocol"
local sources = require "strobe.debug.source"
local tasks = require "strobe.async.task"
local threads = require "strobe.debug.threads"
local uv = require "luv"
local variables = require "strobe.debug.variables"

---@class strobe.debug.SessionOptions
---@field send fun(message: table) hands on an answer or an event; may not wait
---@field on_configured? fun(session: strobe.debug.Session) is told that the program may begin
---@field on_terminate? fun() the client wants the program to end

---@class strobe.debug.Session : strobe.debug.SessionOptions
---@field how? table what launch or attach said
---@field debugger? strobe.debug.Debugger once initialize has come
---@field dialect? strobe.debug.Dialect
---@field threads? strobe.debug.Threads
---@field variables strobe.debug.Variables
---@field frames table<integer, {frame: strobe.debug.Frame, task: strobe.Task}>
---@field source_names string[]
local Session = {}
Session.__index = Session
Session.__name = "debug session"

local sessions = {}

--- Makes one.
---@param options strobe.debug.SessionOptions
---@return strobe.debug.Session
function sessions.new(options)
  local session = {
    seq = 0, frames = {}, last_frame = 0, variables = variables.new(), source_names = {}, calls = {},
  }
  for key, value in pairs(options) do
    session[key] = value
  end
  return setmetatable(session, Session)
end

local function send(session, message)
  session.seq = session.seq + 1
  message.seq = session.seq
  session.send(message)
end

local function event(session, name, body)
  send(session, { type = "event", event = name, body = body })
end

-- --- What happens ----------------------------------------------------------------------------------

local happenings = {}

local texts = { breakpoint = "Paused on breakpoint", pause = "Paused", exception = "Paused on error" }

-- Whether a task was stopped before, at which the user may be looking. Who steps or pauses looks at that.
local function is_background(session, stop)
  local other = next(session.debugger.stops)
  if other == stop.task then
    other = next(session.debugger.stops, other)
  end
  return other ~= nil and stop.reason ~= "step" and stop.reason ~= "pause"
end

function happenings.stopped(session, stop)
  event(session, "stopped", {
    reason = stop.reason, preserveFocusHint = is_background(session, stop) or nil,
    threadId = inspect.id(stop.task), allThreadsStopped = session.debugger.stop_all,
    hitBreakpointIds = stop.breakpoints, description = texts[stop.reason],
    text = stop.stack and variables.cut(type(stop.error) == "string" and stop.error or printer.text(stop.error)) or nil,
  })
end

function happenings.output(session, text, path, line)
  event(session, "output", {
    category = "console", output = variables.cut(text) .. "\n", line = line and session.dialect:told_line(line),
    source = path and session.dialect:source(path) or nil,
  })
end

local function told_breakpoint(session, breakpoint)
  return {
    id = breakpoint.id, verified = breakpoint.verified,
    line = breakpoint.line and session.dialect:told_line(breakpoint.line),
    message = not breakpoint.verified and breakpoint.message or nil,
    source = breakpoint.path and session.dialect:source(breakpoint.path) or nil,
  }
end

function happenings.breakpoint(session, breakpoint)
  event(session, "breakpoint", { reason = "changed", breakpoint = told_breakpoint(session, breakpoint) })
end

function happenings.tasks(session)
  for _, task in ipairs(session.debugger:forget_gone()) do
    session:forget(task)
    event(session, "continued", { threadId = inspect.id(task), allThreadsContinued = false })
  end
  session.debugger:expect_tasks(not session.threads:look())
end

-- --- Beginning and end -----------------------------------------------------------------------------

local requests = setmetatable({}, { __index = inspection })

local CAPABILITIES = {
  "supportsConfigurationDoneRequest", "supportsFunctionBreakpoints", "supportsConditionalBreakpoints",
  "supportsHitConditionalBreakpoints", "supportsEvaluateForHovers", "supportsSetVariable", "supportsLogPoints",
  "supportsTerminateRequest", "supportTerminateDebuggee", "supportsDelayedStackTraceLoading",
  "supportsLoadedSourcesRequest", "supportsExceptionInfoRequest", "supportsSingleThreadExecutionRequests",
  "supportsBreakpointLocationsRequest", "supportsCompletionsRequest", "supportsTerminateThreadsRequest",
}

--- What we can do, which initialize answers.
---@return table
function sessions.capabilities()
  local body = {
    completionTriggerCharacters = { ".", ":", '"', "'" },
    exceptionBreakpointFilters = {
      { filter = "uncaught", label = "Uncaught errors", default = true,
        description = "an error that leaves a task: its variables are those of where it was raised" },
      { filter = "raised", label = "All errors", default = false,
        description = "also those that a pcall catches, which the task then comes back from" },
    },
  }
  for _, name in ipairs(CAPABILITIES) do
    body[name] = true
  end
  return body
end

local function open_debugger(session)
  local debugger = debuggers.open(function(name, ...)
    happenings[name](session, ...)
  end)
  session.problem = not debugger and "another debugger is at work in this process" or nil
  return debugger or failures.raise("busy", session.problem)
end

function requests.initialize(session, arguments)
  session.dialect, session.can_invalidate = dialects.new(arguments), arguments.supportsInvalidatedEvent == true
  session.debugger = session.debugger or open_debugger(session)
  session.threads = session.threads or threads.new(session.debugger, function(reason, number)
    event(session, "thread", { reason = reason, threadId = number })
  end)
  return sessions.capabilities(), function()
    event(session, "initialized")
  end
end

-- The program begins when both have come: how, and that all is set.
local function begin(session)
  if session.how and session.is_configured and not session.begun then
    session.begun = true
    event(session, "process", {
      name = session.how.program or arg and arg[0] or "strobe", systemProcessId = uv.os_getpid(),
      isLocalProcess = true, startMethod = session.how_request,
    })
    session.debugger:expect_tasks(true)
    if session.on_configured then
      session.on_configured(session)
    end
  end
end

local function take_how(request)
  return function(session, arguments)
    session.how, session.how_request = arguments, request
    session.debugger.stop_all = arguments.stopAll == true
    if arguments.noDebug == true then
      session.debugger:mute()
    end
    return nil, function()
      begin(session)
    end
  end
end

requests.launch = take_how "launch"
requests.attach = take_how "attach"

function requests.configurationDone(session)
  session.is_configured = true
  return nil, function()
    begin(session)
  end
end

function requests.disconnect(session, arguments)
  local ends = arguments.terminateDebuggee
  if ends == nil then
    ends = session.how_request == "launch"
  end
  return nil, function()
    session:close()
    if ends and session.on_terminate then
      session.on_terminate()
    end
  end
end

function requests.terminate(session)
  return nil, function()
    session:close()
    if session.on_terminate then
      session.on_terminate()
    end
  end
end

-- --- Breakpoints -----------------------------------------------------------------------------------

local function told_breakpoints(session, list)
  local told = protocol.list()
  for i, breakpoint in ipairs(list) do
    told[i] = told_breakpoint(session, breakpoint)
  end
  return { breakpoints = told }
end

local function check_texts(entry, ...)
  for _, key in ipairs { ... } do
    if entry[key] ~= nil and type(entry[key]) ~= "string" then
      failures.raise("bad_request", key .. ": a string expected")
    end
  end
end

local function list_of(arguments, name, key, kind)
  local list = arguments[name] or {}
  if type(list) ~= "table" then
    failures.raise("bad_request", name .. ": a list expected")
  end
  for _, entry in ipairs(list) do
    if type(entry) ~= "table" or type(entry[key]) ~= kind then
      failures.raise("bad_request", ("%s: a %s called %s expected in each"):format(name, kind, key))
    end
    check_texts(entry, "condition", "hitCondition", "logMessage")
    if kind == "number" then
      entry[key] = math.tointeger(entry[key]) or failures.raise("bad_request", key .. ": a whole number expected")
    end
  end
  return list
end

-- The breakpoints that are wanted, by lines as we count them. Old clients send the lines only.
local function wanted_breakpoints(session, arguments)
  local lines = arguments.breakpoints == nil and type(arguments.lines) == "table" and arguments.lines
  local list = {}
  for i, line in ipairs(lines or {}) do
    list[i] = { line = line }
  end
  list = list_of(lines and { breakpoints = list } or arguments, "breakpoints", "line", "number")
  for _, wanted in ipairs(list) do
    wanted.line = session.dialect:line(wanted.line)
  end
  return list
end

function requests.setBreakpoints(session, arguments)
  local source = type(arguments.source) == "table" and arguments.source or {}
  local is_file = type(source.path) == "string" and (source.sourceReference or 0) == 0
  if not is_file and not source.sourceReference then
    failures.raise("bad_request", "source.path: a string expected")
  end
  local list = wanted_breakpoints(session, arguments)
  if not is_file then
    return told_breakpoints(session, session.debugger:refuse_breakpoints(list, "only code of a file can stop"))
  end
  return told_breakpoints(session, session.debugger:set_breakpoints(session.dialect:path(source.path), list))
end

function requests.setFunctionBreakpoints(session, arguments)
  local list = list_of(arguments, "breakpoints", "name", "string")
  return told_breakpoints(session, session.debugger:set_function_breakpoints(list))
end

function requests.setExceptionBreakpoints(session, arguments)
  local filters = {}
  for _, filter in ipairs(type(arguments.filters) == "table" and arguments.filters or {}) do
    filters[filter] = true
  end
  session.debugger:set_filters(filters)
end

-- --- Tasks -----------------------------------------------------------------------------------------

--- The task of a thread's number.
---@param number integer
---@return strobe.Task
function Session:task(number)
  return debuggers.task(number)
    or failures.raise("not_found", ("threadId: there is no task %d any more"):format(number))
end

--- What was told of a task is not so any more.
---@param task strobe.Task
function Session:forget(task)
  self.variables:forget(task)
  for number, entry in pairs(self.frames) do
    if entry.task == task then
      self.frames[number] = nil
    end
  end
end

local function task_of(session, arguments)
  local number = type(arguments.threadId) == "number" and math.tointeger(arguments.threadId)
  return session:task(number or failures.raise("bad_request", "threadId: a whole number expected"))
end

function requests.threads(session)
  return { threads = session.threads:list() }
end

local function check_stopped(session, task)
  if not session.debugger.stops[task] then
    failures.raise("not_stopped", ("%s is not stopped"):format(task:get_name()))
  end
  session:forget(task)
end

function requests.continue(session, arguments)
  local task = task_of(session, arguments)
  check_stopped(session, task)
  local all = session.debugger.stop_all and not arguments.singleThread
  return { allThreadsContinued = all }, function()
    session.debugger:continue(task)
    for other in pairs(all and session.debugger.stops or {}) do
      session:forget(other)
      session.debugger:continue(other)
    end
  end
end

local function step(kind)
  return function(session, arguments)
    local task = task_of(session, arguments)
    check_stopped(session, task)
    return nil, function()
      session.debugger:step(task, kind)
    end
  end
end

requests.next, requests.stepIn, requests.stepOut = step "over", step "in", step "out"

function requests.pause(session, arguments)
  local task = task_of(session, arguments)
  if not session.debugger:pause(task) then
    failures.raise("error", ("%s cannot be paused: it is stopped already, or has ended"):format(task:get_name()))
  end
end

-- They end where they wait next, and are not kept from getting there.
function requests.terminateThreads(session, arguments)
  local list = {}
  for i, number in ipairs(type(arguments.threadIds) == "table" and arguments.threadIds or {}) do
    list[i] = task_of(session, { threadId = number })
  end
  return nil, function()
    for _, task in ipairs(list) do
      session:forget(task)
      task:cancel "terminated in the debugger"
      session.debugger:continue(task)
    end
  end
end

-- --- Sources without a file ------------------------------------------------------------------------

--- The number of a chunk that is in no file.
---@param name string
---@return integer
function Session:source_number(name)
  local number = self.source_names[name]
  if not number then
    number = #self.source_names + 1
    self.source_names[number], self.source_names[name] = name, number
  end
  return number
end

--- The text of such a chunk, where it is known.
---@param name string
---@return string?
function Session.source_text(name)
  if not name:find "^[@=]" then
    return name -- a chunk without a name is called by its text
  end
  return sources.text(name:sub(2))
end

--- Tells a client that can be told so that what it shows of a stopped task has changed.
---@param task? strobe.Task nil: of any
function Session:invalidate(task)
  if self.can_invalidate then
    event(self, "invalidated", { areas = protocol.list { "variables" }, threadId = task and inspect.id(task) })
  end
end

-- --- Requests --------------------------------------------------------------------------------------

-- Why these fail an editor has to show; of others it knows best.
local SHOWN = { initialize = true, launch = true, attach = true, configurationDone = true }

local function answer(session, request, ok, body)
  local message
  if not ok then
    message = failures.is(body) and body.message or tostring(body)
    body = { error = { id = 1, format = message, showUser = SHOWN[request.command] == true } }
  end
  send(session, {
    type = "response", request_seq = request.seq, command = request.command, success = ok, message = message,
    body = body,
  })
end

local function perform(session, request)
  local run = requests[request.command]
  if not run then
    failures.raise("no_op", ("there is no request '%s'"):format(tostring(request.command)))
  elseif not session.debugger and request.command ~= "initialize" and request.command ~= "disconnect" then
    failures.raise("bad_request", session.problem or "initialize comes first")
  end
  return run(session, type(request.arguments) == "table" and request.arguments or {})
end

local function carry_out(session, request)
  local ok, body, after = pcall(perform, session, request)
  if not ok and errors.is(body, errors.CancelledError) then
    error(body, 0)
  end
  answer(session, request, ok, body)
  if ok and after then
    after()
  end
end

--- Takes a message of the client. What may take time is done in a task of its own.
---@param request table
function Session:receive(request)
  if request.type ~= "request" or type(request.command) ~= "string" or self.closed then
    return
  end
  request.seq = math.tointeger(request.seq) or 0
  if not inspection.waits[request.command] then
    return carry_out(self, request)
  end
  local task = tasks.create_task(carry_out, self, request)
  task:set_name("debug " .. request.command)
  self.calls[task] = true
  task:add_done_callback(function()
    self.calls[task] = nil
  end)
end

--- Ends it: all breakpoints go, and what is stopped goes on. Closing twice is harmless.
function Session:close()
  self.closed = true
  if self.debugger then
    self.debugger:close()
  end
  for task in pairs(self.calls) do
    task:cancel()
  end
end

Session.__close = Session.close

return sessions
