--- What a task waits for, and who waits for it: through await, gather, wait, task groups, shields and locks.
--
-- Nothing is written down while tasks run, but for the number of the task that holds a lock. A future knows
-- the tasks and callbacks it will wake; what else there is to know lies on the stacks of those who wait.

local holder_of = require("strobe.async.lock").holder
local inspect = require "strobe.core.inspect"
local report = require "strobe.report"
local stack = require "strobe.async.stack"
local task = require "strobe.core.task"
local time = require "strobe.core.time"

local waiting = {}

-- Modules which know whom one of their done callbacks will wake: `behind(callback)`.
local MAKERS = { "strobe.async.taskgroup", "strobe.async.task" }

local function name_of_type(value)
  local metatable = debug.getmetatable(value)
  return type(metatable) == "table" and rawget(metatable, "__name") or nil
end

-- Calls f(value) for the first local of each frame of ours, from where the task waits to the user's code.
local function each_receiver(t, f)
  for _, thread in ipairs(t:threads()) do
    local level, info = 0, debug.getinfo(thread, 0, "Sl")
    while info do
      if info.what ~= "C" and not report.is_ours(info.short_src) then
        return
      elseif info.what ~= "C" then
        local _, value = debug.getlocal(thread, level, 1)
        if type(value) == "table" then
          f(value)
        end
      end
      level = level + 1
      info = debug.getinfo(thread, level, "Sl")
    end
  end
end

-- Primitives that others are made of: not what one would name.
local INNER = { waitlist = true, guard = true, Timeout = true }

--- The object in whose method a task waits (a Lock, a Queue, a connection), or nil; and the Lock, if it waits for one.
---@param t strobe.Task
---@return table? object
---@return strobe.Lock? lock
function waiting.object(t)
  local object, lock
  each_receiver(t, function(value)
    local name = name_of_type(value)
    if name and not INNER[name] then
      object = value
      lock = lock or name == "Lock" and value or nil
    end
  end)
  return object, lock
end

-- The earliest deadline of the scopes (async.timeout) that are open on the task's stack.
local function scope_deadline(t)
  local earliest
  for _, thread in ipairs(t:threads()) do
    local level = 0
    while debug.getinfo(thread, level, "l") do
      local i, name, value = 1, debug.getlocal(thread, level, 1)
      while name do
        if name_of_type(value) == "Timeout" and value.state == "entered" and value.deadline then
          earliest = math.min(earliest or math.huge, value.deadline)
        end
        i = i + 1
        name, value = debug.getlocal(thread, level, i)
      end
      level = level + 1
    end
  end
  return earliest
end

local function object_text(object)
  local ok, text = pcall(tostring, object)
  return ok and type(text) == "string" and stack.printable(text) or name_of_type(object)
end

local function is_task(f)
  return debug.getmetatable(f) == task.Task
end
waiting.is_task = is_task

-- The module which knows what a done callback of it will end or wake; nil when nobody does.
local function maker_of(callback)
  for _, maker in ipairs(MAKERS) do
    local module = package.loaded[maker]
    local who = module and module.behind(callback)
    if who then
      return who, maker
    end
  end
end

-- Who waits for a task: tasks directly, and those behind a shield or in a group.
local function add_waiters(record, t)
  local waiters, callbacks = inspect.waiters(t)
  for i, other in ipairs(waiters) do
    waiters[i] = inspect.id(other)
  end
  for _, callback in ipairs(callbacks) do
    local who, maker = maker_of(callback)
    waiters[#waiters + 1] = who and is_task(who) and inspect.id(who) or nil
    record.shielded = record.shielded or maker == "strobe.async.task" or nil
  end
  record.waiters = waiters[1] and waiters or nil
end

--- The record of a task, see Task:get_record.
---@param t strobe.Task
---@return strobe.TaskRecord
function waiting.record(t)
  local record = inspect.record(t)
  local wait = record.waiting_on
  if not t:done() then
    local frames = stack.of(t)
    local entry = frames[#frames]
    record.defined = entry and ("%s:%d"):format(entry.file, entry.defined) or nil
    add_waiters(record, t)
  end
  if not wait then
    return record
  end
  local object = waiting.object(t)
  wait.what = wait.task and "Task-" .. wait.task or object and object_text(object) or nil
  local deadline = scope_deadline(t)
  if deadline then
    wait.deadline = math.min(deadline, wait.deadline or math.huge)
  end
  return record
end

-- The tasks that wait for a lock, by the number of the task that holds it.
local function lock_waiters()
  local waiters = {}
  for _, t in ipairs(task.all()) do
    if t:state() == "lock" then
      local _, lock = waiting.object(t)
      local holder = lock and holder_of(lock)
      if holder then
        waiters[holder] = waiters[holder] or {}
        table.insert(waiters[holder], t)
      end
    end
  end
  return waiters
end

--- A function that tells who waits for a future: `waiters(future)` is a list of Tasks and Futures, each once.
--- It knows the locks as they were when it was made.
---@return fun(future: strobe.Future): strobe.Future[]
function waiting.waiters()
  local by_lock = lock_waiters()
  return function(future)
    local found, seen = {}, {}
    local function add(who)
      found[#found + 1] = who and not seen[who] and who or nil
      seen[who or found] = true
    end
    local tasks, callbacks = inspect.waiters(future)
    for _, t in ipairs(tasks) do
      add(t)
    end
    for _, callback in ipairs(callbacks) do
      add((maker_of(callback)))
    end
    if is_task(future) then
      for _, t in ipairs(by_lock[inspect.id(future)] or {}) do
        add(t)
      end
    end
    return found
  end
end

local function pending_count(futures)
  local count = 0
  for _, f in ipairs(futures) do
    count = count + (f:done() and 0 or 1)
  end
  return count
end

local function name_by_id(id)
  local living = inspect.find(id)
  if living then
    return stack.printable(living:get_name())
  end
  for _, record in ipairs(inspect.ended()) do
    if record.id == id then
      return ("%s, which has ended"):format(stack.printable(record.name))
    end
  end
  return ("Task-%d, which has ended"):format(id)
end

local describe = {}

function describe.future(t, wait)
  local f = inspect.awaiting(t)[1]
  if is_task(f) then
    return "awaits " .. stack.printable(f:get_name())
  end
  return wait.what and "awaits the future of " .. wait.what or "awaits a future"
end

function describe.futures(t)
  local count = pending_count(inspect.awaiting(t))
  return count == 1 and "awaits 1 future" or ("awaits %d futures"):format(count)
end

function describe.sleep(_, wait)
  return wait.deadline and "sleeps" or "sleeps for ever"
end

function describe.lock(t, wait)
  local _, lock = waiting.object(t)
  local holder = lock and holder_of(lock)
  return ("waits for lock %s%s"):format(wait.what or "", holder and " held by " .. name_by_id(holder) or "")
end

--- What a living task does, in words: "awaits Task-3", "waits for lock <Lock [locked]> held by main".
---@param t strobe.Task
---@param record? strobe.TaskRecord of that task
---@return string
function waiting.text(t, record)
  record = record or waiting.record(t)
  local wait = record.waiting_on
  if not wait then
    return record.state == "ready" and record.resumes == 0 and "has not begun" or record.state
  end
  local text = describe[wait.kind] and describe[wait.kind](t, wait)
    or ("waits for %s%s"):format(wait.kind, wait.what and " " .. wait.what or "")
  local left = wait.deadline and math.max(wait.deadline - time.now(), 0)
  return left and ("%s (%.3f s left)"):format(text, left) or text
end

return waiting
