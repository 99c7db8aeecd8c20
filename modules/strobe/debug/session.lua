--- A session of the Debug Adapter Protocol: its requests come in, answers and events go out. Threads are tasks.
--
-- It runs in the process that is debugged. Who carries the messages is not known here: see strobe.debug.relay.

local debuggers = require "strobe.debug.debugger"
local errors = require "strobe.async.error"
local failures = require "strobe.attach.failure"
local inspect = require "strobe.core.inspect"
local inspection = require "strobe.debug.inspection"
local printer = require "strobe.console.printer"
local protocol = require "strobe.debug.protocol"
local sources = require "strobe.debug.source"
local tasks = require "strobe.async.task"
local uv = require "luv"
local variables = require "strobe.debug.variables"

---@class strobe.debug.SessionOptions
---@field send fun(message: table) hands on an answer or an event; may not wait
---@field on_configured? fun(session: strobe.debug.Session) is told that the program may begin
---@field on_terminate? fun() the client wants the program to end

---@class strobe.debug.Session : strobe.debug.SessionOptions
---@field how? table what launch or attach said
---@field debugger? strobe.debug.Debugger once initialize has come
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

function happenings.stopped(session, stop)
  event(session, "stopped", {
    reason = stop.reason, threadId = inspect.id(stop.task), allThreadsStopped = session.debugger.stop_all,
    hitBreakpointIds = stop.breakpoints, description = texts[stop.reason],
    text = stop.stack and (type(stop.error) == "string" and stop.error or printer.text(stop.error)) or nil,
  })
end

function happenings.output(session, text, path, line)
  event(session, "output", {
    category = "console", output = text .. "\n", line = line,
    source = path and { name = path:match "[^/]*$", path = path } or nil,
  })
end

local function told_breakpoint(breakpoint)
  return {
    id = breakpoint.id, verified = breakpoint.verified, line = breakpoint.line,
    message = not breakpoint.verified and breakpoint.message or nil,
    source = breakpoint.path and { name = breakpoint.path:match "[^/]*$", path = breakpoint.path } or nil,
  }
end

function happenings.breakpoint(session, breakpoint)
  event(session, "breakpoint", { reason = "changed", breakpoint = told_breakpoint(breakpoint) })
end

-- --- Beginning and end -----------------------------------------------------------------------------

local requests = setmetatable({}, { __index = inspection })

local CAPABILITIES = {
  "supportsConfigurationDoneRequest", "supportsFunctionBreakpoints", "supportsConditionalBreakpoints",
  "supportsHitConditionalBreakpoints", "supportsEvaluateForHovers", "supportsSetVariable", "supportsLogPoints",
  "supportsTerminateRequest", "supportTerminateDebuggee", "supportsDelayedStackTraceLoading",
  "supportsLoadedSourcesRequest", "supportsExceptionInfoRequest", "supportsSingleThreadExecutionRequests",
  "supportsBreakpointLocationsRequest",
}

--- What we can do, which initialize answers.
---@return table
function sessions.capabilities()
  local body = {
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
  return debugger or failures.raise("busy", "another debugger is at work in this process")
end

function requests.initialize(session)
  session.debugger = session.debugger or open_debugger(session)
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
    if session.on_configured then
      session.on_configured(session)
    end
  end
end

local function take_how(request)
  return function(session, arguments)
    session.how, session.how_request = arguments, request
    session.debugger.stop_all = arguments.stopAll == true
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

local function told_breakpoints(list)
  local told = protocol.list()
  for i, breakpoint in ipairs(list) do
    told[i] = told_breakpoint(breakpoint)
  end
  return { breakpoints = told }
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
    if kind == "number" then
      entry[key] = math.tointeger(entry[key]) or failures.raise("bad_request", key .. ": a whole number expected")
    end
  end
  return list
end

function requests.setBreakpoints(session, arguments)
  local path = type(arguments.source) == "table" and arguments.source.path
  if type(path) ~= "string" then
    failures.raise("bad_request", "source.path: a string expected")
  end
  return told_breakpoints(session.debugger:set_breakpoints(path, list_of(arguments, "breakpoints", "line", "number")))
end

function requests.setFunctionBreakpoints(session, arguments)
  local list = list_of(arguments, "breakpoints", "name", "string")
  return told_breakpoints(session.debugger:set_function_breakpoints(list))
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

local function task_of(session, arguments)
  local number = type(arguments.threadId) == "number" and math.tointeger(arguments.threadId)
  return session:task(number or failures.raise("bad_request", "threadId: a whole number expected"))
end

local MOST_THREADS = 1000

function requests.threads(session)
  local list = protocol.list()
  for task in pairs(session.debugger.stops) do
    list[#list + 1] = { id = inspect.id(task), name = task:get_name() }
  end
  for _, task in ipairs(debuggers.tasks()) do
    if #list < MOST_THREADS and not session.debugger.stops[task] then
      list[#list + 1] = { id = inspect.id(task), name = task:get_name() }
    end
  end
  table.sort(list, function(a, b)
    return a.id < b.id
  end)
  return { threads = list }
end

-- What was told of a task is not so any more.
local function forget(session, task)
  session.variables:forget(task)
  for number, entry in pairs(session.frames) do
    if entry.task == task then
      session.frames[number] = nil
    end
  end
end

local function check_stopped(session, task)
  if not session.debugger.stops[task] then
    failures.raise("not_stopped", ("%s is not stopped"):format(task:get_name()))
  end
  forget(session, task)
end

function requests.continue(session, arguments)
  local task = task_of(session, arguments)
  check_stopped(session, task)
  local all = session.debugger.stop_all and not arguments.singleThread
  return { allThreadsContinued = all }, function()
    session.debugger:continue(task)
    for other in pairs(all and session.debugger.stops or {}) do
      forget(session, other)
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

-- --- Requests --------------------------------------------------------------------------------------

local function answer(session, request, ok, body)
  local message
  if not ok then
    message = failures.is(body) and body.message or tostring(body)
    body = { error = { id = 1, format = message:gsub("[{}]", "%0"), showUser = false } }
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
    failures.raise("bad_request", "initialize comes first")
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
