--- Tasks: making them, waiting for several, shielding, running a main one.

local coroutines = require "strobe.async.coroutine"
local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"
local future = require "strobe.core.future"
local join = require "strobe.core.join"
local mistake = require "strobe.mistake"
local task = require "strobe.core.task"


local is_future = future.is

local tasks = {}

local SOURCE = debug.getinfo(1, "S").source

-- create_task for what is no plain function; those the core takes itself.
local function create_other(awaitable)
  if coroutines.is(awaitable) then
    return task.spawn(coroutines.take(awaitable))
  elseif coroutines.is_awaitable(awaitable) and not future.is(awaitable) then
    return task.spawn(coroutines.await, awaitable)
  end
  mistake.raise("create_task: a coroutine object or a function expected, got %s", tostring(awaitable))
end

--- Makes a task of a coroutine object, or of a function and its arguments. It
--- begins in the next turn of the loop. asyncio.create_task
---@nodiscard
---@type fun(awaitable: strobe.Coroutine|function|table, ...: any): strobe.Task
tasks.create_task = task.creator(create_other)

--- The awaitable itself if it is a Future or Task, else a new task for it.
---@nodiscard
---@param awaitable strobe.Awaitable|function
---@return strobe.Future
function tasks.ensure_future(awaitable)
  if future.is(awaitable) then
    return awaitable
  end
  return tasks.create_task(awaitable)
end

--- The task that runs, or nil in a callback of the loop.
---@return strobe.Task?
tasks.current_task = task.current

--- The living tasks, oldest first.
---@return strobe.Task[]
tasks.all_tasks = task.all

local function check_all(name, awaitables)
  for i = 1, awaitables.n or #awaitables do
    local awaitable = awaitables[i]
    if not is_future(awaitable) and type(awaitable) ~= "function" and not coroutines.is_awaitable(awaitable) then
      mistake.raise("%s: an awaitable or a function expected at place %d, got %s", name, i, tostring(awaitable))
    end
  end
end

-- The futures of awaitables, all of which are looked at before one is started. The
-- same awaitable given twice is one future, as in asyncio; a function is called each
-- time. A list of futures, which is the usual case, is looked at by the core.
local function ensure_all(name, awaitables)
  if type(awaitables) ~= "table" then
    mistake.raise("%s: a list of awaitables expected, got %s", name, type(awaitables))
  end
  if #awaitables == (awaitables.n or #awaitables) and future.all(awaitables) then
    return awaitables
  end
  check_all(name, awaitables)
  local futures, seen = {}, {}
  for i = 1, #awaitables do
    local awaitable = awaitables[i]
    if is_future(awaitable) or type(awaitable) == "function" then
      futures[i] = tasks.ensure_future(awaitable)
    else
      seen[awaitable] = seen[awaitable] or tasks.ensure_future(awaitable)
      futures[i] = seen[awaitable]
    end
  end
  return futures
end

local function cancel_all(futures, message)
  for _, f in ipairs(futures) do
    f:cancel(message)
  end
end

-- Errors that come after the one that was raised are not news.
local function look_away(futures)
  for _, f in ipairs(futures) do
    f:add_done_callback(function(ended)
      if not ended:cancelled() then
        ended:exception()
      end
    end)
  end
end

-- The place of one that failed, which is more than being cancelled.
local function failed_one(futures)
  for i, f in ipairs(futures) do
    if not f:cancelled() and f:exception() ~= nil then
      return i
    end
  end
end

-- Waits for `futures`; whenever it is cancelled it cancels them, and waits on for
-- their end. As in asyncio, a cleanup that failed is what is raised then. Who waits in
-- a circle lets go: else each would cancel the next, round and round.
local function wait_or_cancel(futures, return_when)
  local ok, decided = pcall(join.wait, futures, return_when)
  if ok then
    return decided
  end
  local e = decided
  while not ok and errors.is(e, errors.CancelledError) do
    local circle = join.is_circle(futures)
    cancel_all(futures, e.message)
    if circle then
      break
    end
    local again
    ok, again = pcall(join.wait, futures)
    e = ok and e or again
  end
  local failed = ok and return_when == "FIRST_FAILURE" and failed_one(futures)
  if failed then
    look_away(futures)
    futures[failed]:await()
  end
  error(e, 0)
end

local function outcome(f)
  if f:cancelled() then
    return errors.CancelledError ""
  end
  local e = f:exception()
  if e ~= nil then
    return e
  end
  return (f:result())
end

local function outcomes(futures)
  local results = { n = #futures }
  for i, f in ipairs(futures) do
    results[i] = outcome(f)
  end
  return results
end

local function awaitables_of(...)
  local first, options = ...
  if type(first) == "table" and not coroutines.is_awaitable(first) then
    return table.move(first, 1, #first, 1, {}), mistake.options("gather", options), true
  end
  return table.pack(...), {}, false
end

--- Runs awaitables concurrently and returns the first result of each, in order, as
--- multiple returns. Given a list (and options), returns a list with `n`.
---
--- The first error is raised at once and cancels nothing; being cancelled cancels
--- all. With `{return_exceptions=true}` errors stand in the list. asyncio.gather
---@async
---@param ... strobe.Awaitable or functions; or one list of these and options {return_exceptions?: boolean}
---@return any ...
function tasks.gather(...)
  local awaitables, options, as_list = awaitables_of(...)
  local futures = ensure_all("gather", awaitables)
  if options.return_exceptions then
    wait_or_cancel(futures, "ALL_COMPLETED")
    return outcomes(futures)
  end
  local failed = wait_or_cancel(futures, "FIRST_FAILURE")
  if failed then
    look_away(futures)
    futures[failed]:await()
  end
  local results = join.results(futures)
  if as_list then
    return results
  end
  return table.unpack(results, 1, results.n)
end

-- The futures of a list, each once.
local function distinct(list)
  local futures, seen = {}, {}
  for _, f in ipairs(list) do
    if not future.is(f) then
      error("wait: a list of Futures and Tasks expected; make tasks of coroutine objects first", 3)
    end
    futures[#futures + 1] = not seen[f] and f or nil
    seen[f] = true
  end
  return futures
end

--- Waits for futures and tasks; cancels none. asyncio.wait
---@async
---@param list strobe.Future[]
---@param options? {timeout?: number, return_when?: "ALL_COMPLETED"|"FIRST_COMPLETED"|"FIRST_EXCEPTION"} seconds
---@return strobe.Future[] done
---@return strobe.Future[] pending
function tasks.wait(list, options)
  options = options or {}
  if type(list) ~= "table" or #list == 0 then
    error("wait: a list of at least one Future or Task expected", 2)
  end
  local futures = distinct(list)
  if options.timeout then
    local timeouts = require "strobe.async.timeout"
    timeouts.move_on_after(options.timeout, join.wait, futures, options.return_when)
  else
    join.wait(futures, options.return_when)
  end
  local done, pending = {}, {}
  for _, f in ipairs(futures) do
    table.insert(f:done() and done or pending, f)
  end
  return done, pending
end

--- Iterates over futures in the order in which they end. asyncio.as_completed
---
--- Raises TimeoutError when `timeout` seconds pass before the next one ends.
---@async
---@param list strobe.Awaitable[]
---@param options? {timeout?: number} seconds for all of them
---@return fun(): strobe.Future?
function tasks.as_completed(list, options)
  local Queue = require("strobe.async.queue").Queue
  local time = require "strobe.core.time"
  local timeouts = require "strobe.async.timeout"
  local futures, ended, left = {}, Queue(), 0
  for i, f in ipairs(ensure_all("as_completed", list)) do
    if not futures[f] then
      futures[f], left = i, left + 1
      f:add_done_callback(function()
        ended:put_nowait(f)
      end)
    end
  end
  local timeout = mistake.options("as_completed", options).timeout
  local deadline = timeout and time.now() + timeout
  return function()
    if left == 0 then
      return nil
    end
    left = left - 1
    if not deadline then
      return ended:get()
    end
    local scope <close> = timeouts.timeout_at(deadline) -- luacheck: ignore
    return ended:get()
  end
end

-- Ends `outer` as `inner` ended. Its failure is seen when that of `outer` is.
local function hand_on(inner, outer)
  if inner:cancelled() then
    outer:cancel()
  elseif inner:exception() ~= nil then
    local failure = inner:failure()
    failure.retrieved = nil
    outer:set_exception(failure)
  else
    outer:set_result(inner:result())
  end
end

--- Protects an awaitable from the cancellation of who awaits it. asyncio.shield
---
--- Awaiting the result waits for the inner one; cancelling that wait leaves the
--- inner one alone. An error it raises after that is reported as never retrieved.
---@nodiscard
---@param awaitable strobe.Awaitable
---@return strobe.Future outer
function tasks.shield(awaitable)
  local inner = tasks.ensure_future(awaitable)
  if inner:done() then
    return inner
  end
  local outer = future.new()
  local function inner_done()
    if not outer:done() then
      hand_on(inner, outer)
    end
  end
  inner:add_done_callback(inner_done)
  outer:add_done_callback(function()
    inner:remove_done_callback(inner_done)
  end)
  return outer
end

--- Cancels tasks and waits until they have ended; their errors are reported.
---@async
---@param list strobe.Task[]
function tasks.cancel_and_wait(list)
  cancel_all(list)
  join.wait(list)
  for _, t in ipairs(list) do
    local failure = not t:cancelled() and t:failure()
    if failure then
      core_error.report { message = "error while ending", task = t, failure = failure }
    end
  end
end

-- The script's own task, which alone may call run; the main task while it runs.
local script_task, main_task

--- Says which task is the script's. For the command line.
---@param t strobe.Task
function tasks.set_script(t)
  script_task = t
end

--- The script's task, or the main task of async.run while that runs.
---@return strobe.Task?
function tasks.get_script()
  return main_task or script_task
end

--- Runs a main function or coroutine object to its end, then cancels all tasks it
--- left. Only from a script's top level. asyncio.run
---@async
---@param main function|strobe.Coroutine
---@param ... any arguments for a plain function
---@return any ... what main returns
function tasks.run(main, ...)
  local current = task.current()
  if current ~= script_task then
    error("async.run() cannot be called from a running task: await the function instead", 2)
  end
  if type(main) ~= "function" and not coroutines.is(main) then
    error(("async.run: a function or coroutine object expected, got %s"):format(tostring(main)), 2)
  end
  local before = {}
  for _, t in ipairs(task.all()) do
    before[t] = true
  end
  main_task, script_task = tasks.create_task(main, ...), nil
  local results = table.pack(pcall(main_task.await, main_task))
  main_task, script_task = nil, current
  local left = {}
  for _, t in ipairs(task.all()) do
    left[#left + 1] = not before[t] and t or nil
  end
  tasks.cancel_and_wait(left)
  if not results[1] then
    error(results[2], 0)
  end
  return table.unpack(results, 2, results.n)
end

--- The context of a task, as it is at any moment. asyncio.Task.get_context
---@return strobe.Context
function task.Task:get_context()
  return require("strobe.async.context").get_context(self)
end

--- Where a task stands: the frames of its code, the innermost first. Of one that has not begun that is its
--- function, of one that failed the traceback of its error, of one that ended otherwise nothing.
--- asyncio.Task.get_stack, but that its frames come the outermost first.
---@param limit? integer|{limit?: integer} most frames: the innermost ones
---@return strobe.Frame[] frames `{file=, line=, name=, defined=}`
function task.Task:get_stack(limit)
  return require("strobe.async.stack").of(self, limit)
end

--- Prints the stack of a task, or the traceback of its error. asyncio.Task.print_stack
---@param limit? integer|{limit?: integer} most frames: the innermost ones
---@param file? file* by default io.stderr
function task.Task:print_stack(limit, file)
  (file or io.stderr):write(require("strobe.async.stack").text(self, limit))
end

--- What is known of a task: its number, which is never used again, what it waits for and since when, how often
--- it ran, who cancelled it. Times are seconds of loop time, as exact as the loop's turns.
---@return strobe.TaskRecord
function task.Task:get_record()
  return require("strobe.async.waiting").record(self)
end

--- The Future of shield that a done callback will end, if it is one of shield's. For introspection.
---@param callback function
---@return strobe.Future?
function tasks.behind(callback)
  for i = 1, 3 do
    local name, value = debug.getupvalue(callback, i)
    if name == "outer" and debug.getinfo(callback, "S").source == SOURCE then
      return value
    end
  end
end

return tasks
