--- Where Lua spends its instructions: a count hook on all tasks' threads, which notes the stack every so often.
--
-- Stacks are folded, as flame graphs want them: "root;outer;inner 123", the root being the unit, or "script". Samples
-- are taken by instructions, not by time: what C functions take is not seen. Threads that have a hook already, as those
-- of code that was typed afar, are left alone, and so are plain coroutines inside a task. Loops cost about twice their
-- time while it runs, and the quota of units does not hold.

local Alarm = require "strobe.alarm"
local contexts = require "strobe.async.context"
local core_task = require "strobe.core.task"
local inspect = require "strobe.core.inspect"
local runs = require "strobe.live.run"
local stack = require "strobe.async.stack"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"

-- Instructions between two samples; frames of a sample; stacks that are told apart.
local EVERY, MOST_FRAMES, MOST_STACKS = 10000, 64, 10000
-- Seconds between two looks for new threads, entries of the registry for each, and for the first.
local PERIOD, LOOK, FIRST_LOOK = 0.01, 2000, 100000
-- Threads kept for tasks that are to come. Real seconds after which it ends by itself: somebody may have forgotten it.
local RESERVE, LONGEST = 64, 60

---@class strobe.attach.Profiler
---@field samples integer
---@field seconds number real ones, since it began
local Profiler = {}
Profiler.__index = Profiler

local function name_of_function(info)
  if info.what == "C" then
    return stack.printable("[C] " .. (info.name or "?"))
  end
  local name = info.linedefined == 0 and "main chunk" or info.name or "function"
  return (stack.printable(("%s (%s:%d)"):format(name, info.short_src, info.linedefined)):gsub(";", ","))
end

-- The name by which a function is known from its first sample on.
local function name_at(profiler, level)
  local info = debug.getinfo(level, "f")
  if not info then
    return nil
  end
  local name = profiler.names[info.func]
  if not name then
    name = name_of_function(debug.getinfo(level, "Sn"))
    profiler.names[info.func] = name
  end
  return name
end

local function root_name()
  local task = core_task.current()
  local run = task and task:get_context():get(runs.variable)
  return run and run.unit.name or "script"
end

local function sample(profiler)
  local names, level = {}, 4 -- above the hook and what it has called
  local name = name_at(profiler, level)
  while name and #names < MOST_FRAMES do
    table.insert(names, 1, name)
    level = level + 1
    name = name_at(profiler, level)
  end
  local key = ("%s;%s"):format(root_name(), table.concat(names, ";"))
  if not profiler.stacks[key] then
    profiler.distinct = profiler.distinct + 1
    key = profiler.distinct > MOST_STACKS and "(other stacks)" or key
  end
  profiler.stacks[key] = (profiler.stacks[key] or 0) + 1
  profiler.samples = profiler.samples + 1
end

-- Gives threads of the registry the hook, which is where all tasks' threads are; so many of them, one after the other.
local function look(profiler, most)
  local registry, at = debug.getregistry(), profiler.at
  for _ = 1, math.min(most, #registry) do
    at = at % #registry + 1
    local thread = rawget(registry, at)
    if type(thread) == "thread" and not debug.gethook(thread) then -- it loses it with the task that ends
      debug.sethook(thread, profiler.hook, "", EVERY)
      profiler.hooked[thread] = true
    end
  end
  profiler.at = at
end

local function nothing() end

-- Lets the pool of threads that tasks are given have some, which get the hook before they are needed.
local function reserve()
  local list = {}
  for i = 1, RESERVE do
    list[i] = tasks.create_task(nothing)
  end
  tasks.wait(list)
end

--- Begins to take samples.
---@async
---@return strobe.attach.Profiler
function Profiler.start()
  reserve()
  local profiler = setmetatable({
    samples = 0, distinct = 0, stacks = {}, names = setmetatable({}, { __mode = "k" }), at = 0, began = time.real(),
    hooked = setmetatable({}, { __mode = "k" }),
  }, Profiler)
  function profiler.hook()
    if profiler.is_open and core_task.current() ~= profiler.looking then
      sample(profiler)
    end
  end
  profiler.looking = contexts.Context():run(tasks.create_task, function()
    while time.real() - profiler.began < LONGEST do
      look(profiler, LOOK)
      Alarm.sleep(PERIOD)
    end
    profiler:stop()
  end)
  profiler.looking:set_name "profiler"
  look(profiler, FIRST_LOOK)
  inspect.keep_hooks(true) -- of threads that are used again
  profiler.is_open = true
  return profiler
end

--- Ends it, as it does by itself after a minute. Twice is harmless.
function Profiler:stop()
  if self.seconds then
    return
  end
  self.seconds, self.is_open = time.real() - self.began, false
  self.looking:cancel()
  inspect.keep_hooks(false)
  for thread in pairs(self.hooked) do
    if debug.gethook(thread) == self.hook then
      debug.sethook(thread)
    end
  end
end

--- The stacks, those with most samples first.
---@return {stack: string, count: integer}[]
function Profiler:folded()
  local list = {}
  for key, count in pairs(self.stacks) do
    list[#list + 1] = { stack = key, count = count }
  end
  table.sort(list, function(a, b)
    if a.count ~= b.count then
      return a.count > b.count
    end
    return a.stack < b.stack
  end)
  return list
end

return Profiler
