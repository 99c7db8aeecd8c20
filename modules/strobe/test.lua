--- `strobe test`: Busted inside the runtime.
--
-- All specs run in one task, so `it` and `before_each` may wait. Each `it` runs
-- under the virtual clock, which starts at 0, has a deadline, and fails when it
-- leaves a task, a timer or a handle behind. math.random begins anew in each, and
-- with --shuffle-tasks each is run in several orders of its tasks.

local arguments = require "strobe.arguments"
local clock = require "strobe.testing.clock"
local host = require "strobe.core.host"
local join = require "strobe.core.join"
local leaks = require "strobe.testing.leaks"
local order = require "strobe.testing.order"
local script = require "strobe.script"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"
local uv = require "luv"

local test = {}

-- Seconds of loop time for one `it`.
local DEADLINE = 120

local usage = [[
usage: strobe test [--clock=live|virtual] [--filter=PATTERN] [--seed S]
                   [--shuffle-tasks N | --shuffle-seed S] [PATH...]
  PATH: a spec, or a folder of *_spec.lua (default: spec)
  PATTERN: a Lua pattern; only what has it in its full name is run
  --seed S: where math.random begins in each `it` (drawn anew for each run, and told when one fails)
  --shuffle-tasks N: each `it` is run N times, with the tasks that are ready in another order each time
  --shuffle-seed S: once, in the order of that number, as a failure tells it]]

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
  leaks.settle()
end

local function place(element, trace)
  local at = element.trace or trace
  return at and at.short_src and ("%s:%s"):format(at.short_src, at.currentline) or "?"
end

local function check_leaks(element, before)
  leaks.settle()
  local texts, left = leaks.since(before)
  if #texts == 0 then
    return
  end
  end_left(before, left)
  error(("%s: left over: %s"):format(place(element), table.concat(texts, ", ")), 0)
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
      clock.set_limit(nil)
      overdue[element] = scope:expired() or nil
    end)
    clock.set_limit(scope)
    run_caught(busted, element, run, ...)
  end
  if overdue[element] then
    error(place(element) .. ": it swallowed the cancellation at its deadline", 0)
  end
end

-- Runs an `it` once: with its clock, deadline and leak check.
local function run_guarded(busted, element, mode, run, ...)
  if mode == "virtual" and host.statistics().timers == 0 then
    time.mode("virtual", 0)
  end
  local before, passed = leaks.mark(), false
  local _ <close> = at_exit(function()
    if mode == "virtual" then
      time.stands(false)
    end
    if not passed then
      end_left(before, select(2, leaks.since(before)))
    end
    if mode == "virtual" then
      time.mode("virtual", time.now())
    end
  end)
  run_in_time(busted, element, run, ...)
  passed = true
  check_leaks(element, before)
end

-- The order in which the tasks of an `it` ran when it failed, by its element.
local failed_in = {}

-- The same in one order of its tasks, which a number stands for; nil: first in, first out.
local function run_ordered(busted, element, options, number, run, ...)
  math.randomseed(options.seed)
  order.take_fixed() -- of one that failed
  failed_in[element] = number
  do
    local shuffled <close> = number and order.shuffle(number) or nil -- luacheck: ignore
    run_guarded(busted, element, options.clock, run, ...)
  end
  failed_in[element] = nil
end

-- What stands around an `it`, once more.
local function run_hooks(busted, element, finally)
  local block = require "busted.block"(busted)
  local parent = busted.context.parent(element)
  if finally then
    finally()
  end
  local ended = block.dexecAll("after_each", parent, true)
  if not block.execAll("before_each", parent, true) or not ended then
    error(place(element) .. ": what stands around it failed, see above", 0)
  end
end

-- The function of an `it`, in every order that was asked for.
local function in_orders(busted, element, options)
  local run = element.run
  return function(...)
    local finally, set_finally = nil, element.env.finally
    element.env.finally = function(f)
      finally = f
      set_finally(f) -- Busted calls the last one
    end
    for i = 1, options.orders do
      local number = options.shuffle_seed and options.shuffle_seed + i - 1
      run_ordered(busted, element, options, number, run, ...)
      if i == options.orders or order.take_fixed() then
        return
      end
      run_hooks(busted, element, finally)
    end
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

-- How to see a failure again.
local function print_seeds(busted, element, options)
  local file = busted.getFile(element)
  local words = { "--seed", options.seed }
  if failed_in[element] then
    table.move({ "--shuffle-seed", failed_in[element] }, 1, 2, 3, words)
  end
  io.stdout:write(("  again: strobe test %s %s\n"):format(table.concat(words, " "), file and file.name or "PATH"))
end

-- Counts, and says what went wrong, as Busted tells it.
local function listen(busted, options)
  local totals = { passed = 0, failed = 0, skipped = 0 }
  local reasons = {}
  busted.subscribe({ "test", "start" }, function(element)
    if element.descriptor == "it" then
      element.run = in_orders(busted, element, options)
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
      if element.descriptor == "it" then
        print_seeds(busted, element, options)
      else
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
  if options.shuffle_tasks then
    local last = options.shuffle_seed + options.orders - 1
    io.stdout:write(("\ntasks were shuffled by the seeds %d to %d\n"):format(options.shuffle_seed, last))
  end
  io.stdout:write(("\n%d passed, %d failed, %d skipped\n"):format(totals.passed, totals.failed, totals.skipped))
  io.stdout:flush()
  if totals.failed > 0 then
    test.failed = true
  end
end

-- What is left to chance is drawn here, so that it can be told.
local function draw_seeds(options)
  options.seed = options.seed or math.random(0, 0x7FFFFFFF)
  options.orders = options.shuffle_tasks or 1
  if options.shuffle_tasks then
    options.shuffle_seed = options.seed
  end
end

local function parse(words)
  local options, message = arguments.read({
    clock = "virtual", filter = arguments.text, seed = arguments.integer,
    shuffle_tasks = arguments.integer, shuffle_seed = arguments.integer,
  }, words)
  if not options then
    return nil, message
  elseif options.clock ~= "virtual" and options.clock ~= "live" then
    return nil, ("--clock=%s: live or virtual expected"):format(options.clock)
  elseif options.shuffle_tasks and options.shuffle_tasks < 1 then
    return nil, ("--shuffle-tasks %d: at least 1 expected"):format(options.shuffle_tasks)
  elseif options.shuffle_tasks and options.shuffle_seed then
    return nil, "--shuffle-seed is one order, --shuffle-tasks is many: one of them expected"
  end
  draw_seeds(options)
  return options
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
