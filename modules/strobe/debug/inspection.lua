--- The requests of DAP that look at what is stopped: stackTrace, scopes, variables, setVariable, evaluate, source, …

local budget = require "strobe.repl.budget"
local completions = require "strobe.debug.completions"
local failures = require "strobe.attach.failure"
local inspect = require "strobe.core.inspect"
local printer = require "strobe.repl.printer"
local protocol = require "strobe.debug.protocol"
local sources = require "strobe.debug.source"
local tasks = require "strobe.async.task"
local variables = require "strobe.debug.variables"

-- Seconds that an expression may run without waiting, and until it is told to have taken too long.
local BUDGET, PATIENCE = 0.5, 10

local requests = {}

local function integer(arguments, name, default)
  local value = arguments[name]
  if value == nil and default then
    return default
  end
  local number = type(value) == "number" and math.tointeger(value)
  return number or failures.raise("bad_request", ("%s: a whole number expected"):format(name))
end

-- --- Frames ----------------------------------------------------------------------------------------

local function source_of(session, frame)
  if frame.path then
    return session.dialect:source(frame.path)
  end
  return { name = frame.source:match "^[@=](.*)" or "code", sourceReference = session:source_number(frame.source),
    presentationHint = "deemphasize" }
end

local function told_frame(session, task, frame)
  session.last_frame = session.last_frame + 1
  session.frames[session.last_frame] = { frame = frame, task = task }
  return {
    id = session.last_frame, name = frame.name, source = source_of(session, frame),
    line = session.dialect:told_line(frame.line), column = session.dialect:column_behind "",
  }
end

local MOST_LINKS, MOST_FRAMES = 20, 2000

-- The task that waits for a task, if there is but one.
local function waiter_of(task)
  local list = inspect.waiters(task)
  return #list == 1 and list[1] or nil
end

-- Behind the frames of a task those of who awaits it.
local function add_waiters(session, list, task)
  local seen = { [task] = true }
  for _ = 1, MOST_LINKS do
    task = waiter_of(task)
    if not task or seen[task] or #list > MOST_FRAMES then
      return
    end
    seen[task] = true
    local frames = session.debugger:frames(task)
    if #frames > 0 then
      list[#list + 1] = { label = ("awaited by %s"):format(task:get_name()) }
    end
    for _, frame in ipairs(frames) do
      list[#list + 1] = { frame = frame, task = task }
    end
  end
end

local function stack_of(session, task)
  local list = {}
  for _, frame in ipairs(session.debugger:frames(task)) do
    list[#list + 1] = { frame = frame, task = task }
  end
  add_waiters(session, list, task)
  return list
end

local function told_label(session, label)
  session.last_frame = session.last_frame + 1
  return { id = session.last_frame, name = label, line = 0, column = 0, presentationHint = "label" }
end

function requests.stackTrace(session, arguments)
  local task = session:task(integer(arguments, "threadId"))
  local stack = stack_of(session, task)
  local first, levels = integer(arguments, "startFrame", 0), integer(arguments, "levels", 0)
  local last = levels > 0 and math.min(first + levels, #stack) or #stack
  local list = protocol.list()
  for i = first + 1, last do
    local entry = stack[i]
    list[#list + 1] = entry.label and told_label(session, entry.label) or told_frame(session, entry.task, entry.frame)
  end
  return { stackFrames = list, totalFrames = #stack }
end

local function frame_of(session, number)
  return session.frames[number]
    or failures.raise("not_found", "frameId: there is no such frame any more: its task goes on")
end

-- --- Variables -------------------------------------------------------------------------------------

local function scope(session, entry, name, kind, hint)
  local frame = entry.frame
  local count = #frame[kind](frame)
  return {
    name = name, presentationHint = hint, expensive = false, namedVariables = count,
    variablesReference = session.variables:add { kind = kind, frame = frame, task = entry.task },
  }
end

function requests.scopes(session, arguments)
  local entry = frame_of(session, integer(arguments, "frameId"))
  return {
    scopes = {
      scope(session, entry, "Locals", "locals", "locals"),
      scope(session, entry, "Upvalues", "upvalues"),
      {
        name = "Globals", expensive = true, variablesReference = session.variables:add {
          kind = "table", value = entry.frame:globals(), task = entry.task, frame = entry.frame,
        },
      },
    },
  }
end

local function container_of(session, arguments)
  return session.variables:container(integer(arguments, "variablesReference"))
    or failures.raise("not_found", "variablesReference: it is not there any more: its task goes on")
end

function requests.variables(session, arguments)
  local page = {
    filter = arguments.filter, start = integer(arguments, "start", 0), count = integer(arguments, "count", 0),
  }
  return { variables = session.variables:list(container_of(session, arguments), page) }
end

-- --- Evaluating ------------------------------------------------------------------------------------

-- Cancels a task that nobody waits for any more.
local Cancelled = {
  __close = function(held)
    held.task:cancel()
  end,
}

-- An expression, else statements.
local function compile(text, name, environment)
  local chunk = load("return " .. text .. "\n", "=" .. name, "t", environment)
  local message
  if not chunk then
    chunk, message = load(text .. "\n", "=" .. name, "t", environment)
  end
  return chunk or failures.raise("syntax", message)
end

-- Code may wait: it runs in a task of its own. The values, packed.
local function compute(session, text, environment, name)
  local task = tasks.create_task(budget.run, BUDGET, compile(text, name, environment))
  task:set_name("debug " .. name)
  local _ <close> = setmetatable({ task = task }, Cancelled) -- luacheck: ignore
  session.debugger:exempt(task)
  if #tasks.wait({ task }, { timeout = PATIENCE }) == 0 then
    failures.raise("error", ("it has taken more than %d s"):format(PATIENCE))
  elseif task:cancelled() then
    failures.raise("error", "it was cancelled")
  elseif task:exception() ~= nil then
    local e = task:exception()
    failures.raise("error", type(e) == "string" and e or printer.text(e))
  end
  return table.pack(task:result())
end

local function environment_of(session, arguments)
  if arguments.frameId == nil then
    return setmetatable({}, { __index = _G, __newindex = _G }), { task = session }
  end
  local entry = frame_of(session, integer(arguments, "frameId"))
  return entry.frame:environment(), entry
end

function requests.evaluate(session, arguments)
  local text = arguments.expression
  if type(text) ~= "string" then
    failures.raise("bad_request", "expression: a string expected")
  end
  local environment, owner = environment_of(session, arguments)
  local context = type(arguments.context) == "string" and arguments.context or "evaluate"
  local values = compute(session, text, environment, context)
  local body = session.variables:tell(values[1], owner, values.n == 1 and text or nil)
  local texts = {}
  for i = 1, values.n do
    texts[i] = i == 1 and body.value or variables.cut(printer.text(values[i]))
  end
  body.result, body.value = table.concat(texts, ", "), nil
  return body, context == "repl" and function()
    session:invalidate(owner.frame and owner.task) -- who types may have set something
  end or nil
end

function requests.setVariable(session, arguments)
  local container = container_of(session, arguments)
  local environment = container.frame and container.frame:environment() or setmetatable({}, { __index = _G })
  local values = compute(session, tostring(arguments.value), environment, "value")
  local done, message = session.variables:set(container, tostring(arguments.name), values[1])
  if not done then
    failures.raise("error", message)
  end
  return session.variables:tell(values[1], container), function()
    session:invalidate(container.frame and container.task)
  end
end

function requests.completions(session, arguments)
  if type(arguments.text) ~= "string" then
    failures.raise("bad_request", "text: a string expected")
  end
  local entry = arguments.frameId ~= nil and frame_of(session, integer(arguments, "frameId"))
  local line = arguments.line and session.dialect:line(integer(arguments, "line")) or 1
  local place = { line = line, column = integer(arguments, "column") }
  return { targets = completions.at(arguments.text, place, session.dialect, entry and entry.frame or nil) }
end

-- These may wait.
requests.waits = { evaluate = true, setVariable = true, completions = true }

-- --- Errors, sources, lines --------------------------------------------------------------------------

local function class_of(e)
  local metatable = type(e) == "table" and debug.getmetatable(e)
  local name = type(metatable) == "table" and rawget(metatable, "__name")
  return type(name) == "string" and name or "error"
end

function requests.exceptionInfo(session, arguments)
  local stop = session.debugger.stops[session:task(integer(arguments, "threadId"))]
  if not stop or not stop.stack then
    failures.raise("not_found", "threadId: no error has stopped it")
  end
  local text = variables.cut(type(stop.error) == "string" and stop.error or printer.text(stop.error))
  return {
    exceptionId = class_of(stop.error), description = text, breakMode = stop.caught and "always" or "unhandled",
    details = { message = text, typeName = class_of(stop.error) },
  }
end

-- The path of the source that is meant, which a file has.
local function path_of(session, arguments)
  local path = type(arguments.source) == "table" and arguments.source.path
  return type(path) == "string" and session.dialect:path(path) or nil
end

function requests.source(session, arguments)
  local number = arguments.sourceReference or type(arguments.source) == "table" and arguments.source.sourceReference
  local path = path_of(session, arguments)
  if path and (number or 0) == 0 then
    local text, message = sources.text(path)
    return { content = text or failures.raise("not_found", message) }
  end
  local name = session.source_names[type(number) == "number" and math.tointeger(number) or 0]
  if not name then
    failures.raise("not_found", "there is no such source")
  end
  local text = session.source_text(name) or ("-- %s is not in the memory of this process"):format(name)
  return { content = text, mimeType = "text/x-lua" }
end

function requests.loadedSources(session)
  local list = protocol.list()
  session.debugger.sources:each(function(number)
    list[#list + 1] = session.dialect:source(session.debugger.sources:path(number))
  end)
  return { sources = list }
end

function requests.breakpointLocations(session, arguments)
  local dialect, path = session.dialect, path_of(session, arguments)
  local first, list = integer(arguments, "line"), protocol.list()
  local next_line, last = path and sources.lines(path), dialect:line(integer(arguments, "endLine", first))
  local line = next_line and next_line(dialect:line(first))
  while line and line <= last do
    list[#list + 1] = { line = dialect:told_line(line) }
    line = next_line(line + 1)
  end
  return { breakpoints = list }
end

return requests
