--- `strobe test`: Busted inside the runtime.
--
-- All specs run in one task, so `it` and `before_each` may wait. Each `it` runs
-- under the virtual clock, which starts at 0, has a deadline, and fails when it
-- leaves a task, a timer or a handle behind.

local core_task = require "strobe.core.task"
local host = require "strobe.core.host"
local join = require "strobe.core.join"
local script = require "strobe.script"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"

local test = {}

-- Seconds of loop time for one `it`.
local DEADLINE = 120

local usage = [[
usage: strobe test [--clock=live|virtual] [--filter=PATTERN] [PATH...]
  PATH: a spec, or a folder of *_spec.lua (default: spec)]]

-- Busted unloads what a spec file loaded. Our modules hold the loop's state and
-- must be loaded once, before.
local function load_modules()
  require "luv"
  for _, path in ipairs(host.embedded()) do
    local name = path:match "^modules/(strobe/.+)%.lua$"
    if name and not name:find "^strobe/command" then
      require((name:gsub("/init$", ""):gsub("/", ".")))
    end
  end
end

-- What is alive: tasks, and how many timers and handles of each type.
local function snapshot()
  local tasks = {}
  for _, t in ipairs(core_task.all()) do
    tasks[t] = true
  end
  local statistics = host.statistics()
  return { tasks = tasks, timers = statistics.timers, handles = statistics.handles_by_type }
end

-- Ended tasks and closed handles are gone only some turns later.
local function settle()
  for _ = 1, 5 do
    time.sleep(0)
  end
end

local function leaks_since(before)
  local leaks, left = {}, {}
  for _, t in ipairs(core_task.all()) do
    if not before.tasks[t] then
      left[#left + 1] = t
      leaks[#leaks + 1] = ("task %s, which waits for %s"):format(t:get_name(), t:state())
    end
  end
  local now = snapshot()
  if #left == 0 and now.timers > before.timers then
    leaks[#leaks + 1] = ("%d timer(s)"):format(now.timers - before.timers)
  end
  for kind, count in pairs(now.handles) do
    if count > (before.handles[kind] or 0) then
      leaks[#leaks + 1] = ("%d handle(s) of type %s"):format(count - (before.handles[kind] or 0), kind)
    end
  end
  return leaks, left
end

-- Ends what a spec left behind, so that the next one does not meet it.
local function end_left(before, left)
  for _, t in ipairs(left) do
    t:cancel "left over by a spec"
  end
  timeouts.move_on_after(DEADLINE, join.wait, left)
  collectgarbage() -- closes the connections that were dropped
  if time.mode() == "virtual" and host.statistics().timers > before.timers then
    time.sleep(DEADLINE) -- callbacks that were due later
  end
  settle()
end

local function check_leaks(before)
  settle()
  local leaks, left = leaks_since(before)
  if #leaks == 0 then
    return
  end
  end_left(before, left)
  error("left over: " .. table.concat(leaks, ", "), 0)
end

local function at_exit(f)
  return setmetatable({}, { __close = f })
end

-- Elements whose deadline passed. Busted sees only the CancelledError inside.
local overdue = {}

local function run_in_time(element, run, ...)
  do
    local scope <close> = timeouts.timeout(DEADLINE)
    local _ <close> = at_exit(function()
      overdue[element] = scope:expired() or nil
    end)
    run(...)
  end
  if overdue[element] then
    error("it swallowed the cancellation at its deadline", 0)
  end
end

-- The function of an `it`, with its clock, deadline and leak check around it.
local function guarded(element, mode)
  local run = element.run
  return function(...)
    if mode == "virtual" and host.statistics().timers == 0 then
      time.mode("virtual", 0)
    end
    local before, passed = snapshot(), false
    local _ <close> = at_exit(function()
      if not passed then
        end_left(before, select(2, leaks_since(before)))
      end
      if mode == "virtual" then
        time.mode("virtual", time.now())
      end
    end)
    run_in_time(element, run, ...)
    passed = true
    check_leaks(before)
  end
end

local function full_name(busted, element)
  local names = { element.name or element.descriptor }
  local parent = busted.context.parent(element)
  while parent and parent.descriptor ~= "file" and (parent.name or parent.descriptor) do
    table.insert(names, 1, parent.name or parent.descriptor)
    parent = busted.context.parent(parent)
  end
  return table.concat(names, " ")
end

local function place(element, trace)
  local at = element.trace or trace
  return at and at.short_src and ("%s:%s"):format(at.short_src, at.currentline) or "?"
end

local function print_problem(busted, kind, element, message, trace)
  if overdue[element] then
    message = ("it took more than %d s, and was cancelled here: %s"):format(DEADLINE, tostring(message))
  end
  io.stdout:write(("\n%s: %s\n  at %s\n"):format(kind, full_name(busted, element), place(element, trace)))
  io.stdout:write("  ", (tostring(message):gsub("\n", "\n  ")), "\n")
  if trace and trace.traceback and kind == "ERROR" then
    io.stdout:write("  ", (trace.traceback:gsub("^%s+", ""):gsub("\n", "\n  ")), "\n")
  end
end

-- Counts, and says what went wrong, as Busted tells it.
local function listen(busted, options)
  local totals = { passed = 0, failed = 0, skipped = 0 }
  local reasons = {}
  busted.subscribe({ "test", "start" }, function(element)
    if element.descriptor == "it" then
      element.run = guarded(element, options.mode)
    end
    return nil, true
  end)
  busted.subscribe({ "pending" }, function(element, _, message)
    reasons[element] = message
    return nil, true
  end)
  busted.subscribe({ "test", "end" }, function(element, _, status)
    if status == "success" then
      totals.passed = totals.passed + 1
    elseif status == "pending" then
      totals.skipped = totals.skipped + 1
      local reason = tostring(reasons[element] or "pending")
      io.stdout:write(("skipped: %s: %s\n"):format(full_name(busted, element), reason))
    elseif status == "failure" or status == "error" then
      totals.failed = totals.failed + 1
    end
    return nil, true
  end)
  for _, kind in ipairs { "failure", "error" } do
    busted.subscribe({ kind }, function(element, _, message, trace)
      print_problem(busted, kind:upper(), element, message, trace)
      if element.descriptor ~= "it" then
        totals.failed = totals.failed + 1
      end
      return nil, true
    end)
  end
  return totals
end

local function new_busted(options)
  local busted = require "busted.core"()
  require "busted"(busted)
  busted.randomseed = 0
  require "busted.modules.filter_loader"()(busted, {
    tags = {},
    excludeTags = {},
    filter = options.filter and { options.filter } or {},
    filterOut = {},
    list = false,
    nokeepgoing = false,
    suppressPending = false,
  })
  return busted
end

local function run_specs(options)
  host.slow_step(10) -- loading specs is no news
  load_modules()
  if options.mode == "virtual" then
    time.mode("virtual", 0)
  end
  local busted = new_busted(options)
  local totals = listen(busted, options)
  require "busted.modules.test_file_loader"(busted, { "lua" })(options.paths, { "_spec" }, {
    excludes = {},
    verbose = true,
    recursive = true,
  })
  require "busted.execute"(busted)(1, { seed = 0 })
  io.stdout:write(("\n%d passed, %d failed, %d skipped\n"):format(totals.passed, totals.failed, totals.skipped))
  io.stdout:flush()
  if totals.failed > 0 then
    test.failed = true
  end
end

local function parse(arguments)
  local options = { paths = {}, mode = "virtual" }
  for _, word in ipairs(arguments) do
    local name, value = word:match "^%-%-(%w+)=(.*)$"
    if name == "clock" and (value == "live" or value == "virtual") then
      options.mode = value
    elseif name == "filter" then
      options.filter = value
    elseif word:find "^%-" then
      return nil
    else
      table.insert(options.paths, word)
    end
  end
  if #options.paths == 0 then
    options.paths = { "spec" }
  end
  return options
end

--- Runs specs; the last line printed is their totals.
---@async
---@param arguments string[]
---@return integer status 1 when one failed
function test.main(arguments)
  local options = parse(arguments)
  if not options then
    io.stderr:write(usage, "\n")
    return 2
  end
  local status = script.run(run_specs, options)
  return test.failed and 1 or status
end

return test
