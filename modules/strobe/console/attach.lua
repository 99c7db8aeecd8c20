--- `strobe attach`: a console in a running process, or code that runs there.

local arguments = require "strobe.arguments"
local clients = require "strobe.attach.client"
local host = require "strobe.core.host"
local input = require "strobe.repl.input"
local refusal = require "strobe.console.commands.refusal"
local target = require "strobe.attach.target"
local tasks = require "strobe.async.task"
local terminal = require "strobe.core.terminal"
local uv = require "luv"

-- Exit statuses.
local DONE, FAILED, USAGE, ENDED, INTERRUPTED = 0, 1, 2, 3, 130
local STDIN, STDOUT = 0, 1
-- Seconds for the process to let us in.
local PATIENCE = 2
-- Columns of what commands print, where there is no terminal.
local WIDTH = 120

local attach = {}

attach.usage = [[
usage: strobe attach [PID] [options]
  a console in a running process: one that runs live units, that has a console itself, or that was started with
  --attach. PID may be left out if one process runs. The loop there goes on while somebody types here. What stdin holds
  is run as one input when it is no terminal. :q or Ctrl-D leaves, and the process goes on.
options:
  --ro      only to look on: nothing is run or changed
  -e CODE   runs CODE there (or a command as :ps), prints what comes of it, and leaves
exit status: 0, 1 an error or no such process, 2 usage, 3 the process has ended meanwhile, 130 interrupted]]

local function complain(status, text)
  io.stderr:write("strobe: attach: ", text, "\n")
  return status
end

-- --- Words -------------------------------------------------------------------------------------

-- Takes `-e CODE` out of the words, which arguments.read does not know.
local function take_code(words)
  local left, code = {}, nil
  local i = 1
  while i <= #words do
    if words[i] == "-e" and not code then
      i = i + 1
      code = words[i]
      if not code then
        return nil, "-e: the code is missing"
      end
    else
      left[#left + 1] = words[i]
    end
    i = i + 1
  end
  return left, code
end

local function read_words(words)
  local left, code = take_code(words)
  if not left then
    return nil, code
  end
  local options, message = arguments.read({ ro = false, help = false }, left)
  if not options or options.help then
    return options, message
  end
  options.pid, message = target.read(options)
  options.code = code
  return not message and options or nil, message
end

-- --- Connecting --------------------------------------------------------------------------------

local function name_of_terminal()
  local path = uv.fs_readlink "/proc/self/fd/0" or ""
  return path:match "^/dev/(pts/%d+)$" or path:match "^/dev/(tty%w*)$" or "strobe attach"
end

local function connect(options, on_event)
  local client, message, code = clients.connect(options.pid, { on_event = on_event, timeout = PATIENCE })
  if not client then
    return nil, message, code
  end
  local wanted = options.ro and "ro" or "rw"
  local opened
  opened, message = client:call("open", { rights = wanted, name = name_of_terminal() })
  if not opened then
    client:close()
    return nil, message
  elseif opened.rights ~= wanted then
    io.stderr:write(("strobe: process %d lets nobody change it: you may look on\n"):format(options.pid))
  end
  return client
end

-- --- One input -----------------------------------------------------------------------------------

local function print_event(event)
  if event.ev == "out" then
    io.stdout:write(event.text)
    io.stdout:flush()
  elseif event.ev == "dropped" then
    io.stderr:write(("strobe: %d lines were dropped\n"):format(event.n))
  end
end

local function print_refusal(answer)
  if answer.code == "incomplete" then
    return complain(FAILED, "the code is incomplete")
  elseif answer.code == "interrupted" then
    return complain(INTERRUPTED, answer.error)
  end
  io.stderr:write(answer.error or answer.code, "\n", answer.trace or "", answer.trace and "\n" or "")
  return FAILED
end

-- Ctrl-C interrupts what was begun; a second one ends this process at once, which is the host's doing.
local function interrupt_by_signal(client, id, future)
  host.on_signal(function()
    tasks.create_task(function()
      local done, message, code = client:interrupt(id)
      if not done and code == "ETIMEDOUT" then
        complain(INTERRUPTED, message)
        future:cancel()
      end
    end):set_name "interrupt"
  end)
end

--- Runs code in the process, and prints what comes of it.
---@async
---@param client strobe.attach.Client
---@param code string
---@return integer status
function attach.evaluate(client, code)
  local future, id = client:send("eval", { code = code })
  interrupt_by_signal(client, id, future)
  tasks.wait { future }
  local answer = not future:cancelled() and future:result()
  if future:cancelled() then
    return INTERRUPTED
  elseif not answer then
    return complain(ENDED, ("process %d: %s"):format(client.pid, client.ended))
  elseif not answer.ok then
    return print_refusal(answer)
  end
  for _, value in ipairs(answer.values) do
    print(value)
  end
  return DONE
end

-- --- One command -------------------------------------------------------------------------------

local function print_text(_, text)
  io.stdout:write((text:gsub("\n?$", "\n", 1)))
end

local function nothing() end

local function refuse()
  refusal.raise "this takes a console, as strobe attach opens one"
end

-- What commands ask of a console, when there is none.
local function bare_console(client)
  return {
    peer = client, near = false, inputs = {}, jobs = {}, write = print_text, above = print_text, clear = nothing,
    pin = nothing, quit = nothing, lend_terminal = refuse, set_input = refuse,
    settings = { depth = 4, items = 50, width = terminal.size(STDOUT) or WIDTH, trace = "short", color = false },
    run = function(_, text)
      return attach.evaluate(client, text) == DONE
    end,
  }
end

local function run_command(client, line)
  local text, message = require("strobe.console.commands").run(bare_console(client), line)
  if not text then
    return client.ended and complain(ENDED, ("process %d: %s"):format(client.pid, client.ended))
      or complain(FAILED, message)
  elseif text ~= "" then
    print_text(nil, text)
  end
  return DONE
end

-- --- The command -----------------------------------------------------------------------------

local function run_text(options, text)
  local client <close>, message = connect(options, print_event) -- luacheck: ignore
  if not client then
    return complain(FAILED, message)
  elseif input.state(text) == "command" then
    return run_command(client, text)
  end
  return attach.evaluate(client, text)
end

local function banner(hello)
  local units = #hello.units > 0 and ", units " .. table.concat(hello.units, " ") or ""
  return ("process %d, strobe %s%s; :help tells more, :q leaves it running"):format(hello.pid, hello.strobe, units)
end

local function run_console(options)
  local wanted = { near = false, prompt = ("%d> "):format(options.pid) }
  function wanted.connect(on_event)
    local client, message, code = connect(options, on_event)
    wanted.banner = client and banner(client.hello)
    return client, message, code
  end
  host.slow_step(math.huge) -- what this process takes itself is no news on its screen
  local status, message = require("strobe.console").run(wanted)
  return status or complain(FAILED, message)
end

local function run(options)
  if options.code then
    return run_text(options, options.code)
  elseif not terminal.size(STDIN) then
    return run_text(options, io.stdin:read "a")
  end
  return run_console(options)
end

--- `strobe attach [PID] [--ro] [-e CODE]`
---@async
---@param words string[]
---@return integer status
function attach.main(words)
  local options, message = read_words(words)
  if not options then
    return complain(USAGE, message .. "\n" .. attach.usage)
  elseif options.help then
    print(attach.usage)
    return DONE
  end
  local status
  if not options.pid then
    options.pid, message, status = target.only()
  end
  if not options.pid then
    return complain(status, message)
  end
  return run(options)
end

return attach
