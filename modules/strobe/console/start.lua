--- `strobe`, `strobe repl` and `strobe -i FILE`: the console of a new process. Without a keyboard it is a script.

local errors = require "strobe.async.error"
local host = require "strobe.core.host"
local report = require "strobe.report"
local script = require "strobe.script"
local tasks = require "strobe.async.task"
local terminal = require "strobe.core.terminal"
local time = require "strobe.core.time"

local start = {}

start.usage = [[
usage: strobe                 the console: type Lua, see what comes of it while tasks run
       strobe repl [--norc]   the same
       strobe -i FILE [args]  run a script, then the console

What is typed may wait: async.sleep(1) does. Variables, local ones too, stay from line to line; _ is the last value.
Names of modules are there without require: async, net, ws, http, json, live, gpio, …
A line that begins with : is a command; :help lists them. Tab completes. Ctrl-C ends what is at work, Ctrl-Z moves it to
the background, Ctrl-D leaves.

First of all ~/.config/strobe/repl.lua runs (--norc: it does not): repl.command(name, f, help), settings.depth = 6, …
What was typed is kept in ~/.local/state/strobe/history; a line that begins with a blank is not.

When standard input is no terminal, it is run as a script. With TERM=dumb, or when standard output is no terminal, there
is no editor and no escape byte.
]]

local STDIN = 0

local function has_keyboard()
  return terminal.size(STDIN) ~= nil
end

-- Loads what a console takes, some at a time: a slow machine is not to say that this took long.
local function load_all()
  for _, name in ipairs { "editor", "console.screen", "live.runtime", "attach.ops", "attach.near" } do
    require("strobe." .. name)
    time.sleep(0)
  end
end

local function open_console(options)
  load_all()
  local near, door = require "strobe.attach.near", require "strobe.attach.door"
  local server <close> = door.open {} -- luacheck: ignore
  return require("strobe.console").run {
    near = true, norc = options.norc,
    banner = ("strobe %s, %s; :help tells more, Ctrl-D leaves"):format(host.version, _VERSION),
    connect = function(on_event)
      return near.connect { on_event = on_event, name = "console", server = server }
    end,
  }
end

-- Runs f as a script, whose exit status it returns.
local function run_as_script(f)
  local status
  local outcome = script.run(function()
    status = f()
  end)
  return outcome ~= 0 and outcome or status or 0
end

local function read_options(arguments)
  local options = {}
  for _, word in ipairs(arguments) do
    if word == "--norc" then
      options.norc = true
    elseif word == "--help" or word == "-h" then
      options.help = true
    else
      return nil, ("strobe repl: %s: --norc expected"):format(word)
    end
  end
  return options
end

--- `strobe repl`: returns the exit status.
---@async
---@param arguments string[]
---@return integer
function start.main(arguments)
  local options, message = read_options(arguments)
  if not options then
    io.stderr:write(message, "\n")
    return 2
  elseif options.help then
    io.stdout:write(start.usage)
    return 0
  elseif not has_keyboard() then
    return script.run_file { "-" }
  end
  return run_as_script(function()
    return open_console(options)
  end)
end

-- The file of -i: Ctrl-C ends it, not the process.
local function run_first(chunk, arguments)
  local task = tasks.create_task(chunk, table.unpack(arguments))
  task:set_name "main"
  host.on_interrupt(function()
    task:cancel "ctrl-c"
  end)
  tasks.wait { task }
  host.on_interrupt(nil)
  local ok, e = pcall(task.result, task)
  if not ok and not task:cancelled() then
    io.stderr:write("strobe: ", report.failure_text(task:failure()), "\n")
  elseif not ok and errors.is(e, errors.CancelledError) then
    io.stderr:write "strobe: the script was cancelled\n"
  end
end

-- Its failure is the script's.
local function run_standard_input()
  local chunk, message = script.load("-", {})
  if not chunk then
    io.stderr:write("strobe: ", message, "\n")
    return 1
  end
  chunk()
end

--- `strobe -i FILE [args]`: returns the exit status.
---@async
---@param arguments string[]
---@return integer
function start.main_after(arguments)
  local path = table.remove(arguments, 1)
  if not path then
    io.stderr:write "usage: strobe -i FILE [args]\n"
    return 2
  end
  local chunk, message = script.load(path, arguments)
  if not chunk then
    io.stderr:write("strobe: ", message, "\n")
    return 1
  end
  return run_as_script(function()
    run_first(chunk, arguments)
    return has_keyboard() and open_console {} or run_standard_input()
  end)
end

return start
