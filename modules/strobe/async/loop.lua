--- The loop as an object: what asyncio's code finds at get_running_loop().

local coroutines = require "strobe.async.coroutine"
local future = require "strobe.core.future"
local handle = require "strobe.core.handle"
local host = require "strobe.core.host"
local inspect = require "strobe.core.inspect"
local report = require "strobe.report"
local signals = require "strobe.async.signal"
local task = require "strobe.core.task"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"
local uv = require "luv"

---@class strobe.Loop the loop, of which there is one
---@field slow_callback_duration number seconds; a longer step is reported
local Loop = {}
Loop.__name = "Loop"

local signal_handlers = {}

--- Seconds on the loop's clock.
---@return number
function Loop.time()
  return time.now()
end

--- Calls f(…) in the next turn. It may not wait.
---@param f function
---@param ... any
---@return strobe.Handle
function Loop:call_soon(f, ...) -- luacheck: ignore self
  return handle.call_soon(f, ...)
end

--- Calls f(…) after `delay` seconds.
---@param delay number
---@param f function
---@param ... any
---@return strobe.Handle
function Loop:call_later(delay, f, ...) -- luacheck: ignore self
  return handle.call_later(delay, f, ...)
end

--- Calls f(…) when time() is `when`.
---@param when number
---@param f function
---@param ... any
---@return strobe.Handle
function Loop:call_at(when, f, ...) -- luacheck: ignore self
  return handle.call_at(when, f, ...)
end

--- Makes a task, as async.create_task does. asyncio.loop.create_task
---@param awaitable strobe.Coroutine|function
---@param ... any arguments for a function
---@return strobe.Task
function Loop:create_task(awaitable, ...) -- luacheck: ignore self
  return tasks.create_task(awaitable, ...)
end

--- A new pending future. asyncio.loop.create_future
---@return strobe.Future
function Loop:create_future() -- luacheck: ignore self
  return future.new()
end

--- Runs an awaitable to its end; only where `async.run` may.
---@async
---@param awaitable strobe.Awaitable
---@return any ...
function Loop:run_until_complete(awaitable) -- luacheck: ignore self
  return tasks.run(coroutines.await, awaitable)
end

--- Ends the script: its task is cancelled.
function Loop:stop() -- luacheck: ignore self
  local main = tasks.get_script()
  if main then
    main:cancel "loop:stop()"
  end
end

--- Whether the loop runs: always, since a script runs on it. asyncio.loop.is_running
---@return boolean
function Loop:is_running() -- luacheck: ignore self
  return true
end

--- Whether the loop was closed: never, while a script runs. asyncio.loop.is_closed
---@return boolean
function Loop:is_closed() -- luacheck: ignore self
  return false
end

--- Takes over reports: f(loop, context). nil gives them back.
---@param f? fun(loop: strobe.Loop, context: table)
function Loop:set_exception_handler(f)
  if f ~= nil and type(f) ~= "function" then
    error("set_exception_handler: a function or nil expected", 2)
  end
  self.exception_handler = f
  report.set_handler(f and function(context)
    f(self, context)
  end)
end

--- The function that was set, if one was. asyncio.loop.get_exception_handler
---@return function?
function Loop:get_exception_handler()
  return rawget(self, "exception_handler")
end

--- Hands a report to the exception handler, or prints it.
---@param context table with `message`
function Loop:call_exception_handler(context) -- luacheck: ignore self
  require("strobe.core.error").report(context)
end

--- Prints a report, whatever the handler.
---@param context table
function Loop:default_exception_handler(context) -- luacheck: ignore self
  report.print(context)
end

--- Debug mode, as of `strobe --debug`, for what is made from now on: each task and coroutine object remembers the
--- traceback of its making (`created_by`), which its reports and stacks tell; the time that tasks run is measured;
--- tasks that await each other, a task that was cancelled and returns as if nothing was, timers that are late by more
--- than 50 ms, and connections and servers that are collected while they are open are warned of. Slow steps are
--- reported in either mode. asyncio's check for calls from other threads has no counterpart: no other
--- thread sees this Lua state. asyncio.loop.set_debug
---@param enabled boolean
function Loop:set_debug(enabled) -- luacheck: ignore self
  inspect.debug(not not enabled)
  inspect.warnings(not not enabled)
  inspect.times(not not enabled)
  coroutines.set_debug(not not enabled)
end

--- Whether debug mode is on. asyncio.loop.get_debug
---@return boolean
function Loop:get_debug() -- luacheck: ignore self
  return inspect.debug()
end

-- Executors are loaded when first wanted.
local function executors()
  return require "strobe.async.executor"
end

--- Runs f(…) in a thread of the executor, by default the one that `to_thread` uses.
--- loop.run_in_executor
---@param executor? strobe.ThreadPoolExecutor nil for the default one
---@param f function      see `ThreadPoolExecutor` for what can be copied
---@param ... any         its arguments
---@return strobe.Future future cancelling it takes the job off the queue
function Loop:run_in_executor(executor, f, ...) -- luacheck: ignore self
  return executors().run(executor, f, ...)
end

--- Sets what `to_thread` and run_in_executor(nil, …) use; nil has the next of them make
--- a new one. loop.set_default_executor
---@param executor? strobe.ThreadPoolExecutor
function Loop:set_default_executor(executor) -- luacheck: ignore self
  executors().set_default(executor)
end

--- Shuts the default executor down, and waits for its jobs. Jobs for it are refused
--- from then on, until another is set. loop.shutdown_default_executor
---@async
---@param timeout? number seconds after which it is left to end by itself
function Loop:shutdown_default_executor(timeout) -- luacheck: ignore self
  executors().shutdown_default(timeout)
end

--- Measures how long each task runs, from now on: `run_time` and `max_run_time` of its record. Two looks at the
--- clock for each step, some 60 ns; so it is off, but in debug mode.
---@param enabled boolean
function Loop:set_task_times(enabled) -- luacheck: ignore self
  inspect.times(not not enabled)
end

--- Whether the time that tasks run is measured.
---@return boolean
function Loop:get_task_times() -- luacheck: ignore self
  return inspect.times()
end

-- Signals that cannot be handled, and why.
local refused = {
  SIGKILL = "the system lets nobody catch it",
  SIGSTOP = "the system lets nobody catch it",
}
for _, name in ipairs { "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV" } do
  refused[name] = "what went wrong would go wrong again, for ever"
end

local function check_handler(signal, f)
  local number = signals.number("add_signal_handler", signal, 3)
  local name = signals.name(number)
  if refused[name] then
    error(("add_signal_handler: signal: %s cannot be handled: %s"):format(name, refused[name]), 3)
  elseif type(f) ~= "function" then
    error(("add_signal_handler: a function expected, got %s"):format(type(f)), 3)
  end
  return number
end

local function watch_signal(number)
  local watcher = uv.new_signal()
  local ok, message = watcher:start(number, function()
    local handler = signal_handlers[number]
    if handler then
      task.spawn(table.unpack(handler, 1, handler.n))
    end
  end)
  if not ok then
    watcher:close()
    error(("add_signal_handler: signal %d: %s"):format(number, message), 3)
  end
  return watcher
end

--- Calls f(…) in a task, which may wait, for each signal; those that come faster than they
--- are seen are one. It replaces the handler before. With one of SIGINT or SIGTERM these no
--- longer cancel the script. asyncio.loop.add_signal_handler
---@param signal string|integer "SIGTERM", or its number
---@param f function
---@param ... any
function Loop:add_signal_handler(signal, f, ...) -- luacheck: ignore self
  local number = check_handler(signal, f)
  local before = signal_handlers[number]
  local handler = table.pack(f, ...)
  handler.watcher = before and before.watcher or watch_signal(number)
  signal_handlers[number] = handler
end

--- Lets a signal do again what it did: SIGINT and SIGTERM cancel the script.
--- asyncio.loop.remove_signal_handler
---@param signal string|integer
---@return boolean had_one
function Loop:remove_signal_handler(signal) -- luacheck: ignore self
  local number = signals.number("remove_signal_handler", signal)
  local handler = signal_handlers[number]
  signal_handlers[number] = nil
  if handler then
    handler.watcher:close()
    host.take_signal(number)
  end
  return handler ~= nil
end

function Loop.__index(_, name)
  if name == "slow_callback_duration" then
    return host.slow_step()
  end
  return Loop[name]
end

function Loop.__newindex(self, name, value)
  if name == "slow_callback_duration" then
    host.slow_step(value)
  else
    rawset(self, name, value)
  end
end

function Loop.__tostring()
  return "<Loop running>"
end

local the_loop = setmetatable({}, Loop)

local loops = {}

--- The loop: there is one. asyncio.get_running_loop
---@return strobe.Loop
function loops.get_running_loop()
  return the_loop
end

--- Debug mode on or off, see Loop:set_debug.
---@param enabled boolean
function loops.set_debug(enabled)
  the_loop:set_debug(enabled)
end

--- Whether debug mode is on.
---@return boolean
function loops.get_debug()
  return the_loop:get_debug()
end

return loops
