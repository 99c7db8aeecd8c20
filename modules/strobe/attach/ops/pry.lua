--- The operation that looks into tasks which wait in repl.pry(). While one is looked into, its variables are names for
--- the session's inputs, before all others.

local core_task = require "strobe.core.task"
local failures = require "strobe.attach.failure"
local inspect = require "strobe.core.inspect"
local pries = require "strobe.repl.pries"
local printer = require "strobe.repl.printer"
local protocol = require "strobe.attach.protocol"
local typed = require "strobe.attach.typed"

local MOST_TEXT = 400

-- Names that are the frame's, then the console's.
local function proxy_of(frame, variables)
  return setmetatable({}, {
    __index = function(_, name)
      local there, value = frame:get(name)
      if there then
        return value
      end
      return variables[name]
    end,
    __newindex = function(_, name, value)
      if not frame:set(name, value) then
        variables[name] = value
      end
    end,
    __name = "console variables",
  })
end

-- The console has its own variables again, and what inputs have left meanwhile.
local function leave(session)
  local pried = session.pried
  if pried then
    session.pried = nil
    for name, value in next, pried.proxy do
      rawset(pried.variables, name, value)
    end
    session.evaluator.variables = pried.variables
  end
end

local function enter(session, frame)
  local evaluator = typed.evaluator(session)
  leave(session)
  local variables = evaluator.variables
  local proxy = proxy_of(frame, variables)
  session.pried = { frame = frame, proxy = proxy, variables = variables }
  evaluator.variables = proxy
end

local function told(session, frame)
  local list = protocol.list()
  for i, variable in ipairs(frame:variables()) do
    list[i] = {
      name = variable.name, kind = variable.kind, type = math.type(variable.value) or type(variable.value),
      text = printer.text(variable.value):sub(1, MOST_TEXT),
    }
  end
  return {
    task = inspect.id(frame.task), name = frame.task:get_name(), file = session:short_path(frame.file),
    line = frame.line, variables = list,
  }
end

local function parked_list()
  local list = protocol.list()
  for i, task in ipairs(pries.list()) do
    local frame = pries.frame(task)
    list[i] = {
      task = inspect.id(task), name = task:get_name(), file = frame and frame.file, line = frame and frame.line,
    }
  end
  return { parked = list }
end

local function task_of(request)
  local wanted = request.task
  local number = type(wanted) == "number" and math.tointeger(wanted)
  local found = number and inspect.find(number)
  for _, task in ipairs(type(wanted) == "string" and core_task.all() or {}) do
    found = found or task:get_name() == wanted and task
  end
  if not found or not pries.is_parked(found) then
    failures.raise("not_found", ("task %s does not wait in repl.pry()"):format(number or tostring(wanted)))
  end
  return found
end

local function go(session)
  local frame = session.pried and session.pried.frame
  leave(session)
  if not frame or not pries.release(frame.task) then
    failures.raise("not_found", "no task is looked into: pry TASK does that")
  end
  return { task = inspect.id(frame.task), gone = true }
end

local function pry(session, request)
  if failures.field(request, "go", "boolean", true) then
    return go(session)
  elseif request.task == nil then
    return parked_list()
  end
  local frame = pries.frame(task_of(request))
  if not frame then
    failures.raise("not_found", "its code cannot be seen")
  end
  enter(session, frame)
  return told(session, frame)
end

return { pry = { rights = "rw", run = pry } }
