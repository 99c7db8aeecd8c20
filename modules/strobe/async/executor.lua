--- Executors: Lua functions on threads of the system. concurrent.futures.ThreadPoolExecutor
--
-- Each thread has a Lua state of its own, with its own strobe and its own loop: jobs use all
-- processors, may block, and may wait, as in `async.sleep`; the loop here goes on meanwhile.
--
-- States share nothing, so what goes between them is copied: a job's arguments and results, and
-- the upvalues of its function.
--
-- * nil, booleans, numbers, strings, json.null; tables, in which what was one table stays one, and
--   cycles stay cycles.
-- * What a loaded module is, or has under a name, is passed by its name and required there: an
--   upvalue `json` of `local json = require "strobe.json"`, `string.format`. A module's variables
--   are thus those of the other state, as it is with Python's processes. A table may have a
--   metatable that is found so, such as a class in a module; error objects have one.
-- * Upvalues that are functions of Lua, so that local helper functions and recursion work. An
--   upvalue is a copy for each job: what a job assigns to it, nobody else sees. Globals are those
--   of the other state.
-- * All else is refused, and named: "argument 2.book.cb is a function …", "upvalue 'socket' is
--   userdata …".
--
-- An error comes back as it was, when it is a table that can be copied; a string has the
-- traceback of the thread added. A job that is cancelled while it runs is abandoned: it is cancelled
-- in its own thread, where it waits, but code which does not wait goes on to its end, and the
-- thread is free then. When the script ends, such code is interrupted.
--
-- Under a virtual clock time stands still while a job runs. A worker's clock goes on from the time
-- at which the job was submitted: it is as virtual.

local core = require "strobe.core.executor"
local errors = require "strobe.async.error"
local future = require "strobe.core.future"
local open_source = require("strobe.async.source").open
local print_line = require "strobe.print"
local uv = require "luv"

local executors = {}

---@class strobe.ThreadPoolExecutor
---@field private core userdata
---@field private most integer
---@field private shut boolean
local ThreadPoolExecutor = {}
ThreadPoolExecutor.__index = ThreadPoolExecutor
ThreadPoolExecutor.__name = "ThreadPoolExecutor"

-- Threads at most, if it is not said; and the most that may be.
local MOST_BY_DEFAULT, MOST_THREADS = 32, 1024

-- Bytes that go to a worker or come back at once; the least a worker's state can do with.
local PARCEL_LIMIT, LEAST_MEMORY = 256 * 1024 * 1024, 4 * 1024 * 1024

local made = 0

local function check_count(where, name, value, least, most)
  if math.type(value) ~= "integer" or value < least or value > most then
    local range = most == math.maxinteger and ("of %d or more"):format(least) or ("from %d to %d"):format(least, most)
    error(("%s: %s: a whole number %s expected, got %s"):format(where, name, range, tostring(value)), 4)
  end
  return value
end

local function check_function(where, f, level)
  if type(f) ~= "function" then
    error(("%s: a function expected, got %s"):format(where, type(f)), level + 1)
  end
end

-- Raises what the core refused, at the caller `level` levels up from the one that calls.
local function complain(where, e, level)
  error(type(e) == "string" and ("%s: %s"):format(where, e) or e, level + 1)
end

local function read_options(options)
  local where = "ThreadPoolExecutor"
  if math.type(options) == "integer" then
    options = { max_workers = options }
  elseif type(options or {}) ~= "table" then
    error(("%s: options expected, got %s"):format(where, type(options)), 3)
  end
  options = options or {}
  local most = options.max_workers or math.min(MOST_BY_DEFAULT, uv.available_parallelism() + 4)
  local memory = options.memory_limit and check_count(where, "memory_limit", options.memory_limit, LEAST_MEMORY,
    math.maxinteger)
  local initializer = options.initializer
  if initializer ~= nil then
    check_function(where .. ": initializer", initializer, 3)
  end
  return {
    most = check_count(where, "max_workers", most, 1, MOST_THREADS),
    prefix = options.thread_name_prefix,
    memory = memory or 0,
    parcel = check_count(where, "limit", options.limit or PARCEL_LIMIT, 1, math.maxinteger),
    initializer = initializer,
    initargs = options.initargs or {},
  }
end

-- Lua's own print writes a line in pieces; that of a script does not, see strobe.output.
local function print_whole_lines()
  if debug.getinfo(print, "S").what == "C" then
    print = print_line -- luacheck: ignore
  end
end

local function words_of(list)
  local words = {}
  for i, word in pairs(list or {}) do
    words[i] = type(word) == "string" and word or nil
  end
  return words
end

--- A pool of threads for Lua functions; a `<close>` value, which shuts it down and waits. A thread
--- is started when there is a job and none is free, and then kept. concurrent.futures.ThreadPoolExecutor
---
--- See `strobe help strobe.async.executor` for what can be copied to a thread and back.
---@param options? {max_workers?: integer, thread_name_prefix?: string, initializer?: function, initargs?: any[],
---  memory_limit?: integer, limit?: integer} or max_workers alone. max_workers: threads at most (min(32,
---  processors + 4)); initializer(table.unpack(initargs)) is called first in each thread, and when it fails, all
---  jobs raise BrokenThreadPool; memory_limit: bytes of Lua objects in a thread, at least 4 MiB (none); limit:
---  bytes that may be copied at once (256 MiB)
---@return strobe.ThreadPoolExecutor
function executors.ThreadPoolExecutor(options)
  options = read_options(options)
  local name = options.prefix or ("ThreadPoolExecutor-%d"):format(made)
  local setup = { path = package.path, cpath = package.cpath, arg = words_of(arg) }
  local initargs = options.initargs
  local ok, made_core = pcall(core.new, options.most, tostring(name), options.memory, options.parcel, setup,
    options.initializer, table.unpack(initargs, 1, initargs.n or #initargs))
  if not ok then
    complain("ThreadPoolExecutor: initializer", made_core, 2)
  end
  made = made + 1
  print_whole_lines()
  return setmetatable({ core = made_core, most = options.most, shut = false }, ThreadPoolExecutor)
end

-- Future, or nil and what was refused. Cancelling the future cancels the job.
local function submit(executor, is_map, ...)
  local result = future.new()
  local ok, ticket = pcall(executor.core.submit, executor.core, is_map, result, ...)
  if not ok then
    return nil, ticket
  end
  result:add_done_callback(function(ended)
    if ended:cancelled() then
      ticket:cancel()
    end
  end)
  return result
end

--- Has f(…) called in one of the threads. Executor.submit
---
--- Cancelling the future takes the job off the queue; one that runs is abandoned.
---@param f function
---@param ... any
---@return strobe.Future future of the results of f; its error if it raises one
function ThreadPoolExecutor:submit(f, ...)
  check_function("submit", f, 2)
  local result, message = submit(self, false, f, ...)
  if not result then
    complain("submit", message, 2)
  end
  return result
end

-- --- map ------------------------------------------------------------------------------------------

---@class strobe.Map
---@field private executor strobe.ThreadPoolExecutor
---@field private steps (fun(): any)[] give the arguments of the calls
---@field private shuts (fun())[]
---@field private jobs strobe.Future[] a queue: those from `first` on
---@field private results table[] of the job that ended last, from `next_result` on
local Map = {}
Map.__index = Map
Map.__name = "map"

-- The arguments of the next call, behind those of others; false when a source has ended.
local function next_call(self, arguments)
  local n = arguments.n
  for i, step in ipairs(self.steps) do
    local value = step()
    if value == nil then
      return false
    end
    arguments[n + i] = value
  end
  arguments.n = n + #self.steps
  return true
end

-- "argument 5" of a job of several calls as that of one of them.
local function name_item(self, message)
  if type(message) ~= "string" then
    return message
  end
  return (message:gsub("argument (%d+)", function(number)
    local n = math.tointeger(number) - 2 -- the width is the first
    local width = #self.steps
    return ("argument %d of call %d"):format(n % width + 1, self.called + n // width + 1)
  end, 1))
end

-- Submits the next job; false when there is none.
local function submit_next(self)
  local arguments, calls = { n = 0 }, 0
  while calls < self.chunksize and next_call(self, arguments) do
    calls = calls + 1
  end
  self.exhausted = calls < self.chunksize
  if calls == 0 then
    return false
  end
  local result, message = submit(self.executor, true, self.f, #self.steps, table.unpack(arguments, 1, arguments.n))
  if not result then
    self:close()
    error(type(message) == "string" and "map: " .. name_item(self, message) or message, 0)
  end
  self.called = self.called + calls
  self.last = self.last + 1
  self.jobs[self.last] = result
  return true
end

local function fill(self)
  while not self.exhausted and self.last - self.first + 1 < self.window do
    submit_next(self)
  end
end

-- The results of the next job.
local function take_job(self)
  local job = self.jobs[self.first]
  self.jobs[self.first], self.first = nil, self.first + 1
  local ok, results = pcall(job.await, job)
  if not ok then
    job:cancel()
    self:close()
    error(results, 0)
  end
  self.results, self.next_result = results, 1
end

--- The results of the next call, or nil after the last. Raises its error; there are no more then.
---@async
---@return any ...
function Map:next()
  while self.next_result > #self.results do
    if self.closed then
      return nil
    end
    fill(self)
    if self.first > self.last then
      self:close()
      return nil
    end
    take_job(self)
  end
  local values = self.results[self.next_result]
  self.next_result, self.given = self.next_result + 1, self.given + 1
  if values[1] == nil then
    self:close()
    error(("map: call %d returned nil, which would end the iteration: return false, or a table"):format(self.given), 0)
  end
  if not self.closed then
    fill(self)
  end
  return table.unpack(values, 1, values.n)
end

--- Cancels the jobs whose results were not asked for.
function Map:close()
  if self.closed then
    return
  end
  self.closed, self.results, self.next_result = true, {}, 1
  for i = self.first, self.last do
    self.jobs[i]:cancel()
    self.jobs[i] = nil
  end
  for _, shut in ipairs(self.shuts) do
    shut()
  end
end

Map.__close = Map.close
Map.__call = Map.next

local is_map_option = { chunksize = true, buffersize = true }

-- Takes options off the end of the arguments, if they are any.
local function take_options(sources)
  local last = sources[sources.n]
  if sources.n < 2 or type(last) ~= "table" or getmetatable(last) or next(last) == nil then
    return {}
  end
  for key in pairs(last) do
    if not is_map_option[key] then
      return {}
    end
  end
  sources[sources.n], sources.n = nil, sources.n - 1
  return last
end

local function open_sources(sources)
  local steps, shuts = {}, {}
  if sources.n > 1 and sources[2] == nil then -- what a generic `for` is given, as by a generator
    steps[1], shuts[1] = open_source(table.unpack(sources, 1, 4))
    sources.n = 0
  end
  for i = 1, sources.n do
    local step, shut = open_source(sources[i])
    if not step then
      error(("map: source %d: a list or an iterator expected, got %s"):format(i, type(sources[i])), 3)
    end
    steps[i], shuts[i] = step, shut
  end
  if not steps[1] then
    error("map: a list or an iterator expected", 3)
  end
  return steps, shuts
end

--- Iterates over f(a, b, …) for the values of lists or iterators, until the first of them ends:
--- `for result in ex:map(f, {1, 2, 3}) do`. The calls run in threads, at once and ahead; results come in
--- order. Leaving the loop cancels what is left. Executor.map
---
--- f must not return nil first. An error of f is raised where its result would be, and ends the iteration;
--- with a chunksize it stands for all results of its job.
---@async
---@param f function
---@param ... any[]|function lists or iterators, and at last perhaps options: {chunksize?: integer,
---  buffersize?: integer}. chunksize: calls of one job, for small ones (1); buffersize: jobs that are ahead
---  of the result which is asked for (twice the threads)
---@return strobe.Map iterator it may be called, as `next`; `close` ends it
function ThreadPoolExecutor:map(f, ...)
  check_function("map", f, 2)
  local sources = table.pack(...)
  local options = take_options(sources)
  local chunksize = check_count("map", "chunksize", options.chunksize or 1, 1, 100000)
  local window = check_count("map", "buffersize", options.buffersize or 2 * self.most, 1, math.maxinteger)
  local steps, shuts = open_sources(sources)
  local map = setmetatable({
    executor = self, f = f, steps = steps, shuts = shuts, chunksize = chunksize, window = window,
    jobs = {}, first = 1, last = 0, results = {}, next_result = 1, called = 0, given = 0, exhausted = false,
  }, Map)
  fill(map)
  return map, nil, nil, map
end

-- --- The end --------------------------------------------------------------------------------------

-- Whether the caller waits, and whether the queue is dropped.
local function shutdown_options(options)
  if type(options) == "boolean" then
    return options, false
  elseif options ~= nil and type(options) ~= "table" then
    error(("shutdown: options or whether to wait expected, got %s"):format(type(options)), 3)
  end
  options = options or {}
  return options.wait ~= false, options.cancel_futures
end

--- Takes no more jobs. The threads end when all jobs have. Twice is harmless. Executor.shutdown
---@async
---@param options? boolean|{wait?: boolean, cancel_futures?: boolean} wait: until the threads have ended
---  (true), or alone whether to; cancel_futures: those that have not begun are cancelled (false)
function ThreadPoolExecutor:shutdown(options)
  local wait, cancel_futures = shutdown_options(options)
  self.shut = true
  if cancel_futures then
    for _, pending in ipairs(self.core:drain()) do
      pending:cancel()
    end
  end
  self.core:shut()
  if wait then
    self.core:join()
  end
end

-- A block that is left by an error wants nothing of what has not begun.
function ThreadPoolExecutor:__close(e)
  self:shutdown { cancel_futures = e ~= nil }
end

--- What it does now.
---@return {threads: integer, idle: integer, queued: integer, started: integer} counts
function ThreadPoolExecutor:statistics()
  return self.core:statistics()
end

function ThreadPoolExecutor:__tostring()
  local now = self:statistics()
  return ("<ThreadPoolExecutor of %d, %d thread(s), %d job(s) queued%s>"):format(self.most, now.threads, now.queued,
    self.shut and ", shut down" or "")
end

-- --- The default executor -------------------------------------------------------------------------

local default, default_is_shut

--- Sets the default executor; nil for a new one when it is next needed.
---@param executor? strobe.ThreadPoolExecutor
function executors.set_default(executor)
  if executor ~= nil and getmetatable(executor) ~= ThreadPoolExecutor then
    error("set_default_executor: a ThreadPoolExecutor or nil expected", 3)
  end
  default, default_is_shut = executor, false
end

local function default_executor(level)
  if default_is_shut then
    error("Executor shutdown has been called", level + 1)
  end
  default = default or executors.ThreadPoolExecutor { thread_name_prefix = "strobe" }
  return default
end

--- Shuts the default executor down.
---@async
---@param timeout? number seconds
function executors.shutdown_default(timeout)
  local executor = default
  default, default_is_shut = nil, true
  if not executor then
    return
  end
  executor:shutdown { wait = timeout == nil }
  if timeout then
    local in_time = require("strobe.async.timeout").move_on_after(timeout, executor.shutdown, executor)
    if not in_time then
      require("strobe.core.error").report {
        message = ("the default executor did not end within %g s"):format(timeout),
        warning = true,
      }
    end
  end
end

--- What loop:run_in_executor does.
---@param executor? strobe.ThreadPoolExecutor
---@param f function
---@param ... any
---@return strobe.Future
function executors.run(executor, f, ...)
  check_function("run_in_executor", f, 2) -- the method of the loop calls this as its last act
  if executor ~= nil and getmetatable(executor) ~= ThreadPoolExecutor then
    error("run_in_executor: a ThreadPoolExecutor or nil expected", 2)
  end
  local result, message = submit(executor or default_executor(2), false, f, ...)
  if not result then
    complain("run_in_executor", message, 2)
  end
  return result
end

--- Runs f(…) in a thread of the default executor, waits, and returns its results. asyncio.to_thread
---
--- A task that is cancelled meanwhile leaves at once. Of a ContextVar f sees its default.
---@async
---@param f function     see `strobe help strobe.async.executor` for what can be copied
---@param ... any        its arguments
---@return any ...
function executors.to_thread(f, ...)
  check_function("to_thread", f, 2)
  local result, message = submit(default_executor(2), false, f, ...)
  if not result then
    complain("to_thread", message, 2)
  end
  return result:await()
end

executors.BrokenThreadPool = errors.BrokenThreadPool

return executors
