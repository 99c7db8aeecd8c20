--- Tasks that wait in repl.pry(), and the variables where they do.

local core_error = require "strobe.core.error"
local core_task = require "strobe.core.task"
local Event = require("strobe.async.event").Event
local inspect = require "strobe.core.inspect"
local report = require "strobe.report"
local stack = require "strobe.async.stack"
local timeouts = require "strobe.async.timeout"

local pries = {}

-- What lets each of them go on, by task.
local parked = {}

local function warn(task)
  local place = report.where(task) or "?"
  core_error.report {
    warning = true, task = task,
    message = ("%s waits in repl.pry() at %s: ':pry %d' at a console looks at its variables, ':pry go' lets it go on")
      :format(stack.printable(task:get_name()), place, inspect.id(task)),
  }
end

-- Whoever is cancelled waits no more either.
local Leave = { __close = function(leave)
  parked[leave.task] = nil
end }

--- Parks the task that calls.
---@async
---@param timeout? number seconds
---@return boolean released
function pries.wait(timeout)
  local task = core_task.current()
  if not task then
    error("repl.pry: only a task can wait, and no task calls", 3)
  end
  local event = Event()
  parked[task] = event
  local leave <close> = setmetatable({ task = task }, Leave) -- luacheck: ignore
  warn(task)
  if timeout then
    return (timeouts.move_on_after(timeout, event.wait, event))
  end
  event:wait()
  return true
end

--- Lets a task go on. False when it does not wait there.
---@param task strobe.Task
---@return boolean
function pries.release(task)
  local event = parked[task]
  if event then
    event:set()
  end
  return event ~= nil
end

--- Whether a task waits there.
---@param task strobe.Task
---@return boolean
function pries.is_parked(task)
  return parked[task] ~= nil
end

--- The tasks that wait there.
---@return strobe.Task[] the oldest first
function pries.list()
  local list = {}
  for task in pairs(parked) do
    list[#list + 1] = task
  end
  table.sort(list, function(a, b)
    return inspect.id(a) < inspect.id(b)
  end)
  return list
end

-- --- Variables -------------------------------------------------------------------------------------

-- The frame of the user's code that has called pry: its thread, and its level there.
local function frame_of(task)
  for _, thread in ipairs(task:threads()) do
    local level, info = 0, debug.getinfo(thread, 0, "S")
    while info do
      if info.what ~= "C" and not report.is_ours(info.short_src) then
        return thread, level
      end
      level = level + 1
      info = debug.getinfo(thread, level, "S")
    end
  end
end

---@class strobe.repl.Frame
---@field task strobe.Task
---@field file string
---@field line integer
---@field private thread thread
---@field private level integer
local Frame = {}
Frame.__index = Frame

--- Where a parked task waits; nil when it does not.
---@param task strobe.Task
---@return strobe.repl.Frame?
function pries.frame(task)
  local thread, level
  if parked[task] then
    thread, level = frame_of(task)
  end
  if not thread then
    return nil
  end
  local info = debug.getinfo(thread, level, "Slf")
  return setmetatable({
    task = task, event = parked[task], thread = thread, level = level, f = info.func, file = info.short_src,
    line = info.currentline,
  }, Frame)
end

-- The number of a local by name, the innermost of that name.
local function find_local(frame, wanted)
  local found
  local i, name = 1, debug.getlocal(frame.thread, frame.level, 1)
  while name do
    found = name == wanted and i or found
    i = i + 1
    name = debug.getlocal(frame.thread, frame.level, i)
  end
  return found
end

local function find_upvalue(frame, wanted)
  local i, name = 1, debug.getupvalue(frame.f, 1)
  while name do
    if name == wanted and name ~= "_ENV" then
      return i
    end
    i = i + 1
    name = debug.getupvalue(frame.f, i)
  end
end

--- Whether the task still waits there.
---@return boolean
function Frame:is_there()
  return parked[self.task] == self.event
end

--- The value of a local variable, or of one around the function.
---@param name string
---@return boolean there
---@return any value
function Frame:get(name)
  local i = self:is_there() and find_local(self, name)
  if i then
    return true, (select(2, debug.getlocal(self.thread, self.level, i)))
  end
  i = self:is_there() and find_upvalue(self, name)
  if i then
    return true, (select(2, debug.getupvalue(self.f, i)))
  end
  return false
end

--- Sets one.
---@param name string
---@param value any
---@return boolean there
function Frame:set(name, value)
  local i = self:is_there() and find_local(self, name)
  if i then
    debug.setlocal(self.thread, self.level, i, value)
    return true
  end
  i = self:is_there() and find_upvalue(self, name)
  if i then
    debug.setupvalue(self.f, i, value)
    return true
  end
  return false
end

local function is_name(name)
  return name:find "^[%a_][%w_]*$" ~= nil and name ~= "_ENV"
end

--- All of them, locals first, in the order in which they were declared.
---@return {name: string, kind: "local"|"upvalue", value: any}[]
function Frame:variables()
  local list, places = {}, {}
  if not self:is_there() then
    return list
  end
  local function add(kind, name, value)
    local place = places[name] or #list + 1 -- an inner one hides the outer one
    list[place], places[name] = { name = name, kind = kind, value = value }, place
  end
  local i, name, value = 1, debug.getlocal(self.thread, self.level, 1)
  while name do
    if is_name(name) then
      add("local", name, value)
    end
    i = i + 1
    name, value = debug.getlocal(self.thread, self.level, i)
  end
  i = 1
  name, value = debug.getupvalue(self.f, 1)
  while name do
    if is_name(name) and not places[name] then
      add("upvalue", name, value)
    end
    i = i + 1
    name, value = debug.getupvalue(self.f, i)
  end
  return list
end

return pries
