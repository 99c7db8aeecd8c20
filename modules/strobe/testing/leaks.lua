--- What is left over: tasks, timers, handles and descriptors that outlive what began them; and memory.

local core_task = require "strobe.core.task"
local host = require "strobe.core.host"
local mistake = require "strobe.mistake"
local time = require "strobe.core.time"
local uv = require "luv"

local leaks = {}

-- Descriptors above are not looked at.
local MOST_DESCRIPTORS = 1024

-- Not by /proc, which a bare system may lack.
local function descriptors()
  local open = {}
  for fd = 0, MOST_DESCRIPTORS - 1 do
    open[fd] = uv.fs_fstat(fd) and true or nil
  end
  return open
end

---@class strobe.testing.Mark what was alive at a time
---@field private tasks table<strobe.Task, true>
---@field private timers integer
---@field private handles table<string, integer>

--- What is alive now: tasks, and how many timers and handles of each type.
---@return strobe.testing.Mark
function leaks.mark()
  local tasks = {}
  for _, t in ipairs(core_task.all()) do
    tasks[t] = true
  end
  local statistics = host.statistics()
  return { tasks = tasks, timers = statistics.timers, handles = statistics.handles_by_type }
end

--- Lets ended tasks and closed handles go, which takes some turns.
---@async
function leaks.settle()
  for _ = 1, 5 do
    time.sleep(0)
  end
end

--- What is alive and was not so then.
---@param mark strobe.testing.Mark
---@return string[] texts one for each kind; none when nothing is left
---@return strobe.Task[] left the tasks among it
function leaks.since(mark)
  local texts, left = {}, {}
  for _, t in ipairs(core_task.all()) do
    if not mark.tasks[t] then
      left[#left + 1] = t
      texts[#texts + 1] = ("task %s, which waits for %s"):format(t:get_name(), t:state())
    end
  end
  local statistics = host.statistics()
  if #left == 0 and statistics.timers > mark.timers then
    texts[#texts + 1] = ("%d timer(s)"):format(statistics.timers - mark.timers)
  end
  for kind, count in pairs(statistics.handles_by_type) do
    local more = count - (mark.handles[kind] or 0)
    if more > 0 then
      texts[#texts + 1] = ("%d handle(s) of type %s"):format(more, kind)
    end
  end
  return texts, left
end

local function check_function(name, f)
  if type(f) ~= "function" then
    error(("testing.%s: a function expected, got %s"):format(name, type(f)), 3)
  end
end

local function new_descriptors(before)
  local list = {}
  for fd = 0, MOST_DESCRIPTORS - 1 do
    if not before[fd] and uv.fs_fstat(fd) then
      list[#list + 1] = ("descriptor %d"):format(fd)
    end
  end
  return list
end

-- Runs f, and tells what it left; its results come behind.
local function watch(f, ...)
  uv.new_tcp():close() -- with its first stream libuv opens a descriptor for itself
  leaks.settle()
  local mark, open = leaks.mark(), descriptors()
  local results = table.pack(f(...))
  leaks.settle()
  local texts = leaks.since(mark)
  table.move(new_descriptors(open), 1, MOST_DESCRIPTORS, #texts + 1, texts)
  return texts, results
end

--- Calls f(…) and tells what it leaves behind: tasks, timers, handles and descriptors, a text for each. What only waits
--- for the collector is a leak as well.
---
--- `assert.same({}, testing.leaks(fetch_all, urls))`
---@async
---@param f function
---@param ... any
---@return string[] texts none when it left nothing
function leaks.leaks(f, ...)
  check_function("leaks", f)
  return (watch(f, ...))
end

--- The same for who wants an error when there is something.
---@async
---@param f function
---@param ... any
---@return any ... what f returns
function leaks.assert_no_leaks(f, ...)
  check_function("assert_no_leaks", f)
  local texts, results = watch(f, ...)
  if #texts > 0 then
    error("left over: " .. table.concat(texts, ", "), 2)
  end
  return table.unpack(results, 1, results.n)
end

local allocation = require "strobe.core.allocation"

-- Bytes in use once all garbage is gone: of Lua and, where the system tells, of C.
local function in_use()
  leaks.settle()
  for _ = 1, 3 do
    collectgarbage()
    leaks.settle()
  end
  return allocation.in_use() or collectgarbage "count" * 1024
end

local function call_times(f, rounds)
  local before = in_use()
  for _ = 1, rounds do
    f()
  end
  return in_use() - before
end

-- Less than this per call is noise: tables and pools that grow by doubling.
local NOISE = 8

--- Calls f again and again and tells whether memory grows with it: that of Lua, and of C where the system says how much
--- is in use (glibc). Tables and pools that are filled by the first calls do not count.
---
--- `assert.is_false(testing.grows(function() client:get "/" end))`
---@async
---@param f fun()
---@param options? {rounds?: integer} calls that are measured, three times (100)
---@return number|false bytes for each call, or false
function leaks.grows(f, options)
  check_function("grows", f)
  local rounds = mistake.options("testing.grows", options).rounds or 100
  if math.type(rounds) ~= "integer" or rounds < 1 then
    error(("testing.grows: rounds: a whole number above 0 expected, got %s"):format(tostring(rounds)), 2)
  end
  call_times(f, rounds)
  local grown = math.min(call_times(f, rounds), call_times(f, rounds), call_times(f, rounds)) / rounds
  return grown > NOISE and grown
end

return leaks
