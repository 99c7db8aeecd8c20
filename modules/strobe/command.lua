--- The command line: what `strobe …` does. The host's main task runs `main`.

local compiler = require "strobe.compiler"
local core_task = require "strobe.core.task"
local host = require "strobe.core.host"
local report = require "strobe.report"
local time = require "strobe.core.time"
local uv = require "luv"

local command = {}

local usage = [[
usage: strobe                        the console: type Lua, see what comes of it (--help tells more)
       strobe FILE|- [args]          run a script, or the standard input
       strobe -i FILE [args]         run a script, then the console
       strobe run NAME|FILE [args]   run a script that comes with strobe
       strobe -e CODE                run a line
       strobe test [PATH...]         run specs with Busted (virtual clock by default)
       strobe live UNIT... --feed URL   strategies whose code changes while they run (--help tells more)
       strobe check FILE...          whether units' files would load
       strobe reload [PID] [UNIT]    new code for the units of a running process (--help tells more)
       strobe ps                     the processes that can be attached to, and what they do
       strobe attach [PID]           a console in a running process, or -e CODE (--help tells more)
       strobe top [PID]              what a running process does, each second
       strobe debug FILE [args]      a script in an editor's debugger, by DAP (--help tells more)
       strobe dump PID               the stacks of a process's tasks, also when it is stuck
       strobe init [DIR]             settings for editors, and a first script, in this folder or DIR
       strobe trace FILE.vcd [...]   a trace of a circuit as a timing diagram (--help tells more)
       strobe help [NAME]            this text, or the reference of a command, module, class or function
       strobe help asyncio[.NAME]    what stands for a name of Python's asyncio
       strobe help --markdown [DIR]  the whole reference as Markdown, in DIR (reference)
       strobe help --stubs [DIR]     the reference as stubs for editors, in DIR (library)
options:
  --clock=live|virtual|xN   what time it is: the system's, as fast as possible, N times as fast
  --seed N                  start math.random from N
  --debug                   report more: where tasks were made, swallowed cancellations, steps over 0.1 s
  --trace FILE              what tasks and loop did last, for chrome://tracing and Perfetto
  --attach=rw|ro|off        what strobe attach and top may do in this process: all, look on, nothing
  --no-eval                 nobody may run code by strobe attach
  --no-color                no colours (also: NO_COLOR)
  --version                 the version
  --dev                     first of all: Lua modules from the folder modules/, not those inside
                            (STROBE_MODULES=DIR: from another one)
]]

local function fail(message)
  io.stderr:write("strobe: ", message, "\n")
  return 2
end

local options = {}

-- The clock and the seed that were asked for, if they were.
local clock, seed

--- Sets the clock as --clock does.
---@param value string "live", "virtual" or "xN"
---@return string? message when it is none of them
function command.set_clock(value)
  clock = value
  local speed = value:match "^x(%d+%.?%d*)$"
  if value == "live" or value == "virtual" then
    time.mode(value)
  elseif speed and tonumber(speed) > 0 then
    time.mode("scaled", tonumber(speed))
  else
    return ("--clock=%s: live, virtual or xN (as x10) expected"):format(value)
  end
end
options["--clock"] = command.set_clock

options["--trace"] = function(path)
  local file, message = io.open(path, "w") -- to know before the script runs
  if not file then
    return "--trace: " .. message
  end
  file:close()
  local trace = require "strobe.async.trace"
  trace.start()
  require("strobe.script").at_exit(function()
    trace.stop()
    trace.report(path)
  end)
end

options["--attach"] = function(value)
  return require("strobe.attach.door").ask(value)
end

options["--seed"] = function(value)
  seed = math.tointeger(tonumber(value))
  if not seed then
    return ("--seed %s: a whole number expected"):format(value)
  end
  math.randomseed(seed)
end

local flags = {
  ["--debug"] = function()
    host.slow_step(0.1)
    require("strobe.async.loop").set_debug(true)
  end,
  ["--no-eval"] = function()
    require("strobe.attach.door").refuse_eval()
  end,
  ["--no-color"] = function()
    uv.os_setenv("NO_COLOR", "1")
  end,
}

-- A signal ends what a command waits for, unless that has another use for it.
local function end_by_signal(run, arguments)
  local me, signal = core_task.current(), nil
  host.on_signal(function(number)
    signal = number
    me:cancel "signal"
  end)
  local ok, status = pcall(run, arguments)
  if signal then
    return 128 + signal
  elseif not ok then
    error(status, 0)
  end
  return status
end

local commands = {}

function commands.run(arguments)
  return require("strobe.script").run_named(arguments)
end

function commands.test(arguments)
  if clock then
    table.insert(arguments, 1, "--clock=" .. clock)
  end
  if seed then
    table.insert(arguments, 1, "--seed=" .. seed)
  end
  return require("strobe.test").main(arguments)
end

function commands.live(arguments)
  if seed then
    table.insert(arguments, 1, "--seed=" .. seed)
  end
  return require("strobe.live.command").main(arguments)
end

-- Those that tell their own usage.
local described = {
  attach = "strobe.console.attach",
  check = "strobe.live.check",
  debug = "strobe.debug.command",
  dump = "strobe.attach.dump",
  init = "strobe.project",
  live = "strobe.live.command",
  ps = "strobe.attach.ps",
  reload = "strobe.attach.reload",
  repl = "strobe.console.start",
  top = "strobe.attach.top",
  trace = "strobe.trace",
}

function commands.debug(arguments)
  local own = { clock and "--clock=" .. clock }
  if seed then
    own[#own + 1] = "--seed=" .. seed
  end
  return require("strobe.debug.command").main(arguments, own)
end

function commands.attach(arguments)
  if arguments[1] == "--dap" then
    return require("strobe.debug.command").attach(arguments)
  end
  return end_by_signal(require("strobe.console.attach").main, arguments)
end

for name, module in pairs(described) do
  commands[name] = commands[name] or function(arguments)
    return end_by_signal(require(module).main, arguments)
  end
end

commands["-i"] = function(arguments)
  return require("strobe.console.start").main_after(arguments)
end

function commands.help(arguments)
  return require("strobe.help").main(usage, arguments, described)
end

commands["-e"] = function(arguments)
  return require("strobe.script").run_code(arguments)
end

local words = {
  ["--version"] = function()
    print(("strobe %s (%s)"):format(host.version, _VERSION))
    return 0
  end,
  ["--help"] = commands.help,
  ["-h"] = commands.help,
  ["--norc"] = function(arguments)
    return commands.repl { "--norc", table.unpack(arguments) }
  end,
}


-- Takes the options before the first word; returns the index of that word.
local function parse(arguments)
  local i = 1
  while i <= #arguments do
    local word = arguments[i]
    local name, value = word:match "^(%-%-[%w-]+)=(.*)$"
    name = name or word
    if flags[name] and not value then
      flags[name]()
    elseif options[name] then
      if not value then
        i = i + 1
        value = arguments[i]
      end
      if not value then
        return nil, name .. ": a value is missing"
      end
      local message = options[name](value)
      if message then
        return nil, message
      end
    elseif word:find "^%-%-" and not words[word] then
      return nil, ("unknown option %s; see 'strobe help'"):format(word)
    else
      return i
    end
    i = i + 1
  end
  return i
end

local function dispatch(arguments, i)
  local word = arguments[i]
  if not word then
    return commands.repl {}
  end
  local rest = table.move(arguments, i + 1, #arguments, 1, {})
  local run = commands[word] or words[word]
  if run then
    return run(rest)
  elseif word:find "^%-." and word ~= "-" then
    return fail(("unknown option %s; see 'strobe help'"):format(word))
  end
  table.insert(rest, 1, word)
  return require("strobe.script").run_file(rest)
end

--- Runs the command line and returns the exit status.
---@async
---@param ... string the arguments behind the program's name
---@return integer
function command.main(...)
  report.install()
  compiler.install()
  local arguments = { ... }
  local i, message = parse(arguments)
  if not i then
    return fail(message)
  end
  return dispatch(arguments, i)
end

return command
