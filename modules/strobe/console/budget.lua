--- Code that may run for so long without waiting, and is interrupted then.

local core_task = require "strobe.core.task"
local errors = require "strobe.async.error"
local inspect = require "strobe.core.inspect"
local report = require "strobe.report"
local time = require "strobe.core.time"

-- Instructions between two looks at the time: some 50 µs.
local LOOK = 10000

local budget = {}

-- The hook of each task that has a budget: its coroutines get it as well.
local hooks = setmetatable({}, { __mode = "k" })

-- A hook that interrupts the task when it runs for longer than `seconds` and does not wait. A pcall may catch that:
-- from then on it is raised at every instruction that is not strobe's own, until the task is left.
local function new_hook(task, seconds)
  local resumes, began
  local function interrupt()
    error(errors.Interrupted(("after running %g ms without waiting"):format(seconds * 1000)), 0)
  end
  local function insist()
    if core_task.current() ~= task then
      debug.sethook() -- the thread belongs to another task now
    elseif not report.is_ours(debug.getinfo(2, "S").short_src) then -- who cleans up behind it is let do so
      interrupt()
    end
  end
  return function()
    if core_task.current() ~= task then
      debug.sethook()
      return
    end
    local count, now = inspect.record(task).resumes, time.real()
    if count ~= resumes then
      resumes, began = count, now
    elseif now - began > seconds then
      debug.sethook(insist, "", 1)
      interrupt()
    end
  end
end

--- Calls f(…); it and the coroutines it makes by budget.coroutine may run for so long without waiting.
---@async
---@param seconds number
---@param f function
---@param ... any
---@return any ...
function budget.run(seconds, f, ...)
  local task = core_task.current()
  hooks[task] = new_hook(task, seconds)
  debug.sethook(hooks[task], "", LOOK)
  return f(...)
end

-- A hook belongs to one thread.
local function create(f)
  local thread = coroutine.create(f)
  local hook = hooks[core_task.current()]
  if hook then
    debug.sethook(thread, hook, "", LOOK)
  end
  return thread
end

local function wrap(f)
  local thread = create(f)
  return function(...)
    local results = table.pack(coroutine.resume(thread, ...))
    if results[1] then
      return table.unpack(results, 2, results.n)
    end
    coroutine.close(thread)
    error(results[2], 0)
  end
end

--- Lua's library, whose coroutines are bound as who makes them.
budget.coroutine = setmetatable({ create = create, wrap = wrap }, { __index = coroutine })

return budget
