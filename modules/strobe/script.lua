--- Running a script: its top level is a task; when that ends, the rest is cancelled.

local core_task = require "strobe.core.task"
local error_classes = require "strobe.async.error"
local host = require "strobe.core.host"
local join = require "strobe.core.join"
local output = require "strobe.output"
local report = require "strobe.report"
local tasks = require "strobe.async.task"

local script = {}

local signal_names = { [2] = "SIGINT", [15] = "SIGTERM" }

local last_calls = {}

--- Calls f() when the script has ended, by os.exit too.
---@param f fun()
function script.at_exit(f)
  table.insert(last_calls, f)
end

local function call_last()
  while #last_calls > 0 do
    table.remove(last_calls)()
  end
end

-- os.exit(code, true) would close the state under the loop's feet.
local function guard_exit()
  local exit = os.exit
  os.exit = function(code) -- luacheck: ignore
    pcall(call_last)
    output.flush()
    exit(code)
  end
end

-- One line for each circle of tasks that wait for each other.
local function print_cycles()
  local printable = require("strobe.async.stack").printable
  for _, circle in ipairs(require("strobe.async.graph").cycles()) do
    local names = {}
    for i, t in ipairs(circle) do
      names[i] = printable(t:get_name())
    end
    names[#names + 1] = names[1]
    io.stderr:write(("  in a circle, each waits for the next: %s\n"):format(table.concat(names, " -> ")))
  end
end

-- One line for each task that will never go on.
local function print_deadlock(except)
  local printable = require("strobe.async.stack").printable
  io.stderr:write "strobe: every task is blocked for ever:\n"
  for _, t in ipairs(core_task.all()) do
    if t ~= except then
      local place = report.where(t) or "?"
      io.stderr:write(("  %s waits for %s at %s\n"):format(printable(t:get_name()), t:state(), place))
    end
  end
  print_cycles()
end

local function others(me)
  local list = {}
  for _, t in ipairs(core_task.all()) do
    list[#list + 1] = t ~= me and t or nil
  end
  return list
end

-- Ends what the script left behind, and what that leaves behind in turn.
local function end_others()
  local me = core_task.current()
  local left = others(me)
  while #left > 0 do
    tasks.cancel_and_wait(left)
    left = others(me)
  end
end

local function watch_signals(state)
  host.on_signal(function(number)
    state.signal = number
    state.task:cancel(signal_names[number])
    if state.finishing then
      output.abandon()
    end
  end)
end

-- When nobody reads what it prints, it ends as by a signal; the task that printed, by the error.
local function watch_output(state)
  output.install(function()
    if not state.broken and core_task.current() ~= state.task then
      state.task:cancel "SIGPIPE"
    end
    state.broken = true
  end)
end

local function watch_deadlock(state, me)
  host.on_deadlock(function()
    if not state.deadlock then
      state.deadlock = true
      print_deadlock(me)
      for _, t in ipairs(others(me)) do
        t:cancel "deadlock"
      end
    end
  end)
end

local function exit_status(state, ok, e)
  if state.deadlock then
    return 1
  elseif state.signal and not error_classes.is(e, error_classes.Interrupted) then
    return 128 + state.signal
  elseif ok then
    state.broken = false
    return 0
  end
  state.broken = state.broken or output.is_broken(e)
  if state.broken then
    return 1
  end
  local failure = not state.task:cancelled() and state.task:failure()
  if failure then
    io.stderr:write("strobe: ", report.failure_text(failure), "\n")
  elseif error_classes.is(e, error_classes.CancelledError) then
    io.stderr:write("strobe: the script was cancelled\n")
  end
  return 1
end

-- Seconds that the reader of what is left to be written has when a signal ended the script.
local GRACE = 1

local function finish_output(state)
  state.finishing = true
  if not state.signal then
    return output.finish(state.broken)
  end
  require("strobe.async.timeout").move_on_after(GRACE, output.finish, state.broken)
  output.abandon()
end

--- Runs a chunk as the script: returns the exit status after all has ended.
---@async
---@param chunk function
---@param ... any its arguments
---@return integer
function script.run(chunk, ...)
  local me = core_task.current()
  me:set_name "strobe"
  guard_exit()
  local state = { task = core_task.spawn(chunk, ...) }
  state.task:set_name "main"
  tasks.set_script(state.task)
  watch_signals(state)
  watch_output(state)
  watch_deadlock(state, me)
  join.wait { state.task }
  local ok, e = pcall(state.task.result, state.task)
  local status = exit_status(state, ok, e)
  end_others()
  -- Generators that were dropped in the middle are closed by the collector.
  collectgarbage()
  end_others()
  report.flush()
  call_last()
  status = finish_output(state) or status
  return state.signal and 128 + state.signal or status
end

-- With a socket for strobe attach and its like as long as it runs, if --attach asks for one.
local function reachable(chunk)
  local door = package.loaded["strobe.attach.door"]
  if not door or not door.asked() then
    return chunk
  end
  return function(...)
    local server <close> = door.open {} -- luacheck: ignore
    return chunk(...)
  end
end

local function run_text(text, name, arguments)
  local chunk, message = load(text, name, "t")
  if not chunk then
    io.stderr:write("strobe: ", message, "\n")
    return 1
  end
  return script.run(reachable(chunk), table.unpack(arguments))
end

-- A first line that begins with # is for the shell; its newline stays.
local function without_shebang(text)
  return (text:gsub("^\u{FEFF}", ""):gsub("^#[^\n]*", ""))
end

local function set_arg(name, arguments)
  arg = table.move(arguments, 1, #arguments, 1, { [0] = name }) -- luacheck: ignore
end

local function read_file(path)
  if path == "-" then
    return io.stdin:read "a"
  end
  local file, message = io.open(path, "rb")
  if not file then
    return nil, message
  end
  local text, reason = file:read "a"
  file:close()
  return text, reason and ("%s: %s"):format(path, reason)
end

local function names_in(folder)
  local names = {}
  for _, path in ipairs(host.embedded()) do
    names[#names + 1] = path:match("^" .. folder .. "/(.+)%.lua$")
  end
  return names
end

--- Reads and compiles a script, and gives it its arguments.
---@param path string
---@param arguments string[] without the file
---@return function? chunk
---@return string? message
function script.load(path, arguments)
  local text, message = read_file(path)
  if not text then
    return nil, "cannot read the script: " .. message
  end
  set_arg(path, arguments)
  return load(without_shebang(text), path == "-" and "=stdin" or "@" .. path, "t")
end

--- `strobe FILE [args]`
---@async
---@param arguments string[] the file, then its arguments
---@return integer status
function script.run_file(arguments)
  local path = table.remove(arguments, 1)
  local text, message = read_file(path)
  if not text then
    io.stderr:write("strobe: cannot read the script: ", message, "\n")
    for _, name in ipairs(names_in "scripts") do
      if name == path then
        io.stderr:write(("strobe: a script of that name comes with strobe: strobe run %s\n"):format(path))
      end
    end
    return 1
  end
  set_arg(path, arguments)
  return run_text(without_shebang(text), path == "-" and "=stdin" or "@" .. path, arguments)
end

local function bundled(path)
  local folder = os.getenv "STROBE_MODULES"
  return folder and read_file(folder .. "/../" .. path) or host.embedded(path)
end

--- A script that comes with strobe, as a module: it is called with "strobe.NAME".
---@param name string e.g. "batcher"
---@return any what it returns
function script.module(name)
  local path = ("scripts/%s.lua"):format(name)
  local text = bundled(path) or error(("no script named '%s' comes with strobe"):format(name), 2)
  return assert(load(text, "@" .. path, "t"))("strobe." .. name)
end

--- `strobe run NAME|FILE [args]`: a script inside strobe, else a file.
---@async
---@param arguments string[]
---@return integer status
function script.run_named(arguments)
  local name = table.remove(arguments, 1)
  if not name then
    io.stderr:write("usage: strobe run NAME|FILE [args]; names: ", table.concat(names_in "scripts", " "), "\n")
    return 2
  end
  local path = ("scripts/%s.lua"):format(name)
  local text = bundled(path)
  if not text then
    return script.run_file(table.move(arguments, 1, #arguments, 2, { name }))
  end
  set_arg(name, arguments)
  return run_text(without_shebang(text), "@" .. path, arguments)
end

--- `strobe -e CODE [args]`
---@async
---@param arguments string[]
---@return integer status
function script.run_code(arguments)
  local code = table.remove(arguments, 1)
  if not code then
    io.stderr:write "usage: strobe -e CODE [args]\n"
    return 2
  end
  set_arg("-e", arguments)
  return run_text(code, "=(command line)", arguments)
end

return script
