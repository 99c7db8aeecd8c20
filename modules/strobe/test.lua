--- `strobe test`: Busted inside the runtime.
--
-- All specs run in one task, so `it` and `before_each` may wait. Each `it` runs
-- under the virtual clock, which starts at 0, has a deadline, and fails when it
-- leaves a task, a timer or a handle behind.

local arguments = require "strobe.arguments"
local core_task = require "strobe.core.task"
local host = require "strobe.core.host"
local join = require "strobe.core.join"
local script = require "strobe.script"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"
local uv = require "luv"

local test = {}

-- Seconds of loop time for one `it`.
local DEADLINE = 120

local usage = [[
usage: strobe test [--clock=live|virtual] [--filter=PATTERN] [PATH...]
  PATH: a spec, or a folder of *_spec.lua (default: spec)
  PATTERN: a Lua pattern; only what has it in its full name is run]]

-- Busted unloads what a spec file loaded. Our modules hold the loop's state and
-- must be loaded once, before.
local function load_modules()
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

local function place(element, trace)
  local at = element.trace or trace
  return at and at.short_src and ("%s:%s"):format(at.short_src, at.currentline) or "?"
end

local function check_leaks(element, before)
  settle()
  local leaks, left = leaks_since(before)
  if #leaks == 0 then
    return
  end
  end_left(before, left)
  error(("%s: left over: %s"):format(place(element), table.concat(leaks, ", ")), 0)
end

local function at_exit(f)
  return setmetatable({}, { __close = f })
end

-- What a spec raised, and where that began, by its element.
local raised = {}

-- Runs the function of an `it` under a handler of our own. Busted's returns nothing,
-- and would make the error nil for the `<close>` values of the spec.
local function run_caught(busted, element, run, ...)
  local ok, e = xpcall(run, function(e)
    raised[element] = raised[element] or busted.getTrace(element, 3, e)
    raised[element].message = e
    return e
  end, ...)
  if not ok then
    error(e, 0)
  end
end

-- The message and the trace of what a spec raised; of anything else, as Busted has them.
local function as_raised(busted, element, message, trace)
  local own = raised[element]
  if not own then
    return message, trace
  end
  raised[element] = nil
  return busted.rewriteMessage(element, own.message, own), own
end

-- Elements whose deadline passed. Busted sees only the CancelledError inside.
local overdue = {}

local function run_in_time(busted, element, run, ...)
  do
    local scope <close> = timeouts.timeout(DEADLINE)
    local _ <close> = at_exit(function()
      overdue[element] = scope:expired() or nil
    end)
    run_caught(busted, element, run, ...)
  end
  if overdue[element] then
    error(place(element) .. ": it swallowed the cancellation at its deadline", 0)
  end
end

-- The function of an `it`, with its clock, deadline and leak check around it.
local function guarded(busted, element, mode)
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
    run_in_time(busted, element, run, ...)
    passed = true
    check_leaks(element, before)
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

-- The lines of a traceback but those of this file, which say nothing.
local function print_traceback(traceback)
  local lines = {}
  for line in traceback:gmatch "[^\n]+" do
    if line:find "^%s" and not line:find("modules/strobe/test.lua:", 1, true) then
      lines[#lines + 1] = "  " .. line .. "\n"
    end
  end
  if #lines > 0 then
    io.stdout:write("  stack traceback:\n", table.concat(lines))
  end
end

local function print_problem(busted, kind, element, message, trace)
  message, trace = as_raised(busted, element, message, trace)
  if overdue[element] then
    message = ("it took more than %d s, and was cancelled here: %s"):format(DEADLINE, tostring(message))
  end
  io.stdout:write(("\n%s: %s\n  at %s\n"):format(kind, full_name(busted, element), place(element, trace)))
  io.stdout:write("  ", (tostring(message):gsub("\n", "\n  ")), "\n")
  if trace and trace.traceback and kind == "ERROR" then
    print_traceback(trace.traceback)
  end
end

-- Counts, and says what went wrong, as Busted tells it.
local function listen(busted, options)
  local totals = { passed = 0, failed = 0, skipped = 0 }
  local reasons = {}
  busted.subscribe({ "test", "start" }, function(element)
    if element.descriptor == "it" then
      element.run = guarded(busted, element, options.clock)
    end
    return nil, true
  end)
  busted.subscribe({ "pending" }, function(element, _, message)
    reasons[element] = as_raised(busted, element, message)
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

local PATTERNS, SEARCH = { "_spec" }, { excludes = {}, verbose = true, recursive = true }

-- Loads the specs. Busted would fail at a path where there is none, so that is told
-- here; returns whether all went well.
local function load_specs(busted, paths)
  local load_files, _, find_files = require "busted.modules.test_file_loader"(busted, { "lua" })
  for _, path in ipairs(paths) do
    local reason = not uv.fs_stat(path) and "no such file or folder"
      or #find_files({ path }, PATTERNS, SEARCH) == 0 and "no *_spec.lua in this folder"
    if reason then
      io.stderr:write(("strobe test: %s: %s\n"):format(path, reason))
      return false
    end
  end
  load_files(paths, PATTERNS, SEARCH)
  return true
end

local function run_specs(options)
  host.slow_step(10) -- loading specs is no news
  load_modules()
  if options.clock == "virtual" then
    time.mode("virtual", 0)
  end
  local busted = new_busted(options)
  local totals = listen(busted, options)
  if not load_specs(busted, #options > 0 and options or { "spec" }) then
    test.failed = true
    return
  end
  require "busted.execute"(busted)(1, { seed = 0 })
  io.stdout:write(("\n%d passed, %d failed, %d skipped\n"):format(totals.passed, totals.failed, totals.skipped))
  io.stdout:flush()
  if totals.failed > 0 then
    test.failed = true
  end
end

local function parse(words)
  local options, message = arguments.read({ clock = "virtual", filter = arguments.text }, words)
  if options and options.clock ~= "virtual" and options.clock ~= "live" then
    return nil, ("--clock=%s: live or virtual expected"):format(options.clock)
  end
  return options, message
end

--- Runs specs; the last line printed is their totals.
---@async
---@param words string[] options and paths
---@return integer status 1 when one failed, 2 for a mistake in the words
function test.main(words)
  if words[1] == "--help" or words[1] == "-h" then
    print(usage)
    return 0
  end
  local options, message = parse(words)
  if not options then
    io.stderr:write("strobe test: ", message, "\n", usage, "\n")
    return 2
  end
  local status = script.run(run_specs, options)
  return test.failed and 1 or status
end

return test
