--- What runs in the threads of executors; strobe.async.executor is the other side.
--
-- A worker is a whole strobe: a Lua state with a loop of its own, on which each job is a
-- task. So a job may wait, and have tasks of its own; what it leaves behind is cancelled
-- when it ends. The functions here are called by core/io/worker.c.

local core = require "strobe.core.executor"
local core_task = require "strobe.core.task"
local print_line = require "strobe.print"
local report = require "strobe.report"
local tasks = require "strobe.async.task"

local worker = {}

local thread_name = "worker"

local function refuse_exit()
  error("os.exit: a worker thread cannot end the process: return, or raise an error", 2)
end

-- The state becomes as the one that made the executor.
local function adopt(setup)
  package.path, package.cpath = setup.path, setup.cpath
  arg = setup.arg -- luacheck: ignore
  print = print_line -- luacheck: ignore
  os.exit = refuse_exit -- luacheck: ignore
end

-- Cancels what the job left running, and what that leaves behind in turn.
local function end_others()
  local me = core_task.current()
  repeat
    local left = {}
    for _, t in ipairs(core_task.all()) do
      left[#left + 1] = t ~= me and t or nil
    end
    if #left > 0 then
      tasks.cancel_and_wait(left)
    end
  until #left == 0
end

-- An error that has a part which cannot be copied goes as a text.
local function portable(e)
  if type(e) ~= "table" then
    return type(e) == "string" and e or tostring(e)
  end
  local ok, message = pcall(core.copy, e)
  return ok and e or ("%s (as a text, because %s)"):format(tostring(e), message)
end

-- The error, its traceback, and what it was in. A text has the traceback in it.
local function describe(job, e)
  local failure = not job:cancelled() and job:failure()
  if not failure then
    return e, "", thread_name
  end
  local places = report.failure_places(failure)
  e = portable(e)
  if type(e) == "string" then
    return ("%s\nstack traceback of the worker thread:\n%s"):format(e, places), "", thread_name
  end
  return e, places, thread_name
end

local function outcome(job, ok, ...)
  end_others()
  if ok then
    return true, ...
  end
  return false, describe(job, ...)
end

--- Runs a job.
---@async
---@param f function
---@param ... any
---@return boolean ok
---@return any ... its results; or the error, its traceback, and what that was in
function worker.run(f, ...)
  local job = core_task.spawn(f, ...)
  job:set_name(thread_name)
  tasks.set_script(job)
  return outcome(job, pcall(job.await, job))
end

-- Calls f with `width` of the arguments at a time; a list of the packed results.
local function call_each(f, width, ...)
  local arguments, results = table.pack(...), {}
  for first = 1, arguments.n, width do
    results[#results + 1] = table.pack(f(table.unpack(arguments, first, first + width - 1)))
  end
  return results
end

--- Runs a job of many calls.
---@async
---@param f function
---@param width integer arguments of each call
---@param ... any the arguments of all
---@return boolean ok
---@return any ... a list of {n=, …}; or as `run`
function worker.map(f, width, ...)
  return worker.run(call_each, f, width, ...)
end

--- Makes the state ready for jobs.
---@async
---@param name string of the thread
---@param setup {path: string, cpath: string, arg: string[]}
---@param initializer? function
---@param ... any its arguments
---@return boolean ok
---@return string? e
function worker.start(name, setup, initializer, ...)
  thread_name = name
  report.install()
  require("strobe.compiler").install()
  adopt(setup)
  if not initializer then
    return true
  end
  local ok, e = worker.run(initializer, ...)
  if ok then
    return true
  end
  return false, tostring(e)
end

return worker
