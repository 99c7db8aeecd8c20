--- A console: somebody types Lua and commands, and sees what comes of them, while the process goes on. It joins a front
-- (strobe.console.screen, or strobe.console.plain), a peer, which is this process or another one, and the commands.
--
-- An input at work in the foreground is a task of its own. It asks the peer to evaluate, or is a command. Nobody waits
-- for a prompt but who types.

local Alarm = require "strobe.alarm"
local Completion = require "strobe.console.completion"
local Event = require("strobe.async.event").Event
local History = require "strobe.console.history"
local answers = require "strobe.console.answer"
local commands = require "strobe.console.commands"
local contexts = require "strobe.async.context"
local core_task = require "strobe.core.task"
local evaluations = require "strobe.repl.evaluation"
local highlight = require "strobe.console.highlight"
local host = require "strobe.core.host"
local input = require "strobe.repl.input"
local interrupt = require "strobe.core.interrupt"
local output = require "strobe.output"
local rc = require "strobe.console.rc"
local tasks = require "strobe.async.task"
local terminal = require "strobe.core.terminal"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"
local warnings = require "strobe.async.warnings"
local watchdog = require "strobe.core.watchdog"

-- Seconds for an interrupted command to end; for a process to answer when it is interrupted from afar.
local PATIENCE, FAR_PATIENCE = 1, 2

-- Exit statuses.
local GONE = 3
-- Seconds for which the loop may stand still until all stacks are printed.
local STALL = 2

local STDIN, STDOUT = 0, 1

---@class strobe.console.Options
---@field connect fun(on_event: fun(event: table)): strobe.attach.Client?, string?, string? the peer; may wait
---@field near? boolean it is this process
---@field prompt? string "> "
---@field banner? string first line
---@field norc? boolean ~/.config/strobe/repl.lua is passed over

---@class strobe.console.Settings
---@field depth integer of tables that are printed
---@field items integer of each table that are printed
---@field width? integer columns of what is printed; nil: the terminal's
---@field trace "short"|"full" with frames of strobe itself
---@field color boolean

---@class strobe.Console a `<close>` value
---@field peer strobe.attach.Client
---@field near boolean
---@field settings strobe.console.Settings
---@field inputs {text: string, ok: boolean}[] what was typed, commands too
---@field jobs table<integer, table> inputs in the background that have ended, by number
---@field key? fun(console: strobe.Console, timeout?: number): string? the next key; nil without a terminal
---@field front strobe.console.Screen
---@field private completion strobe.console.Completion
---@field job? {task: strobe.Task, text: string, id?: integer} the input in the foreground
---@field private pins {key: any, text: string}[]
local Console = {}
Console.__index = Console
Console.__name = "console"

local consoles = { Console = Console }

-- --- Showing -------------------------------------------------------------------------------------

--- Prints text as it is, as what the input at work prints.
---@param text string
function Console:write(text)
  self.front:print(text)
end

--- Prints above the prompt, as what comes from the background.
---@param text string lines
function Console:above(text)
  self.front:above("console", text:gsub("\n?$", "\n", 1))
end

local function show_pins(console)
  local lines = {}
  for i, pin in ipairs(console.pins) do
    lines[i] = pin.text
  end
  console.front:pin(lines)
end

--- Has a line stand above the prompt, or no more.
---@param key any whose line it is
---@param text? string
function Console:pin(key, text)
  local pins = self.pins
  for i, pin in ipairs(pins) do
    if pin.key == key then
      if text then
        pin.text = text
      else
        table.remove(pins, i)
      end
      return show_pins(self)
    end
  end
  if text then
    pins[#pins + 1] = { key = key, text = text }
    show_pins(self)
  end
end

--- Text for the prompt, as if it had been typed.
---@param text string
function Console:set_input(text)
  self.front:set_input(text)
end

--- Clears the screen.
function Console:clear()
  self.front:clear()
end

--- Gives the terminal to another program, as long as f runs.
---@async
---@param f function
---@return any ...
function Console:lend_terminal(f)
  return self.front:lend(f)
end

local function key(console, timeout)
  return console.front:key(timeout)
end

--- Ends the console.
---@param status? integer exit status (0)
function Console:quit(status)
  self.status = self.status or status or 0
  self.over:set()
end

-- --- Evaluating ----------------------------------------------------------------------------------

local function eval_fields(console, text)
  local settings = console.settings
  return {
    code = text, depth = settings.depth, items = settings.items, width = settings.width,
    trace = settings.trace == "full" and "full" or nil,
  }
end

-- Virtual time stands still while somebody types.
local function hold_time(console)
  if time.mode() == "virtual" and not console.holding then
    console.holding = true
    time.hold()
  end
end

local function release_time(console)
  if console.holding then
    console.holding = false
    time.release()
  end
end

--- Lets virtual time pass while something is at work.
---@return any passing a `<close>` value
function Console:pass_time()
  local held = self.holding
  if held then
    release_time(self)
  end
  return setmetatable({}, { __close = function()
    if held and not self.closed then
      hold_time(self)
    end
  end })
end

local function lost(console)
  return ("the process does not answer any more: %s"):format(console.peer.ended or "the connection was closed")
end

-- Waits for the answer of an evaluation, which is the one in the foreground.
local function follow(console, future, id)
  local job = console.job or {}
  job.id = id
  local passing <close> = not time.stands() and console:pass_time() -- luacheck: ignore
  local _ <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      job.id = nil
    end,
  })
  local ok, answer = pcall(future.await, tasks.shield(future))
  if not ok then
    console.peer:send("interrupt", { target = id, why = "ctrl-c" })
    error(answer, 0)
  end
  return answer or { ok = false, code = "gone", error = lost(console) }
end

--- Evaluates text as if it had been typed, and prints what comes of it.
---@async
---@param text string
---@return boolean ok
---@return table answer
function Console:run(text)
  local answer = follow(self, self.peer:send("eval", eval_fields(self, text)))
  if answer.code == "incomplete" then
    answer.error = "the input is not complete"
  end
  self.front:print(answers.text(answer, self.settings.color))
  return answer.ok, answer
end

local function run_command(console, text)
  local said, message = commands.run(console, text)
  if said and said ~= "" then
    console.front:print(said:gsub("\n?$", "\n", 1))
  elseif message then
    console.front:print(message .. "\n")
  end
  return said ~= nil
end

local function perform(console, text, kind)
  local run = kind == "command" and run_command or console.run
  local entry = { text = text, ok = false }
  table.insert(console.inputs, entry)
  entry.ok = run(console, text)
end

-- The input in the foreground is no longer there, or not any more.
local function leave(console, job)
  if console.job == job then
    console.job = nil
    interrupt.evaluation(nil)
    console.front:ready()
  end
end

local function start(console, text, kind)
  local job = { text = text }
  console.job = job
  job.task = contexts.Context():run(tasks.create_task, perform, console, text, kind)
  job.task:set_name("console input")
  job.task:add_done_callback(function()
    if job.task:cancelled() then
      console.front:print "cancelled\n"
    end
    leave(console, job)
  end)
end

-- --- Inputs --------------------------------------------------------------------------------------

local function warn_of_history(console, message)
  if message and not console.warned then
    console.warned = true
    console.front:note(("history: it is not kept: %s"):format(message))
  end
end

local function remember(console, text)
  local _, message = console.history:append(text)
  warn_of_history(console, message)
end

local function submit(console, text)
  console.gave_up = 0
  remember(console, text)
  local kind = input.state(text)
  if kind == "blank" then
    return console.front:ready()
  end
  start(console, text, kind)
end

-- A text which Enter submits; the others get one more line.
local function is_complete(text)
  return input.state(text) ~= "incomplete"
end

local function give_up(console, empty)
  console.gave_up = empty and console.gave_up + 1 or 0
  if console.gave_up == 2 then
    console.front:note ":q or Ctrl-D leaves"
  end
end

-- --- Interrupting --------------------------------------------------------------------------------

local function after(seconds, f)
  local alarm
  alarm = Alarm.new(function()
    alarm:close()
    f()
  end):unref()
  alarm:set(seconds)
end

local function tell_of_silence(console, job)
  if console.job == job then
    console.front:note(("no answer from process %d for %d s: strobe dump %d tells what it does"):format(
      console.peer.pid, FAR_PATIENCE, console.peer.pid))
  end
end

local function interrupt_evaluation(console, job)
  console.peer:send("interrupt", { target = job.id, why = "ctrl-c" })
  if not console.near then
    after(FAR_PATIENCE, function()
      tell_of_silence(console, job)
    end)
  end
end

local function interrupt_command(console, job)
  job.task:cancel "ctrl-c"
  after(PATIENCE, function()
    if console.job == job then
      console.front:note(("%s has not ended within %d s of its cancellation: it goes on"):format(job.text, PATIENCE))
      leave(console, job)
    end
  end)
end

--- Ctrl-C: ends the input at work, or gives up what was typed.
function Console:interrupt()
  local job = self.job
  if job and job.id then
    interrupt_evaluation(self, job)
  elseif not self.front.lent then -- else the key is for who has the terminal
    self.front:interrupt() -- also for a command that waits for a key
    if job then
      interrupt_command(self, job)
    end
  end
end

-- Ctrl-Z: an evaluation goes on in the background.
local function suspend(console)
  local job = console.job
  if job and job.id then
    console.peer:send("background", { target = job.id })
  end
end

-- --- What comes unasked --------------------------------------------------------------------------

local events = {}

function events.out(console, event)
  if event.id and console.job and console.job.id == event.id then
    console.front:print(event.text)
  else
    console.front:above("out", event.text)
  end
end

function events.job(console, event)
  console.jobs[event.job] = event
  console.front:above("job", answers.job_text(event) .. "\n")
end

function events.bye() end -- see watch_peer
events.hello = events.bye

local function on_event(console, event)
  local f = events[event.ev]
  if not console.front then -- it is not there yet
    return
  elseif f then
    f(console, event)
  else
    commands.take(console, event)
  end
end

-- The process at the other end has ended.
local function watch_peer(console)
  local why = console.peer:wait_end()
  if not console.over:is_set() then
    console.front:note(("process %d: %s"):format(console.peer.pid, why))
    console:quit(GONE)
  end
end

-- A line from the background that was not shown: `:log` tells it.
local function keep_lost(console, line)
  if console.near then
    console.peer.session.journal:add("info", line)
  end
end

-- Whether who prints is the input in the foreground.
local function is_foreground(console)
  local job = console.job
  if not job then
    return false
  end
  local evaluation = evaluations.current()
  return evaluation and evaluation.id == job.id and evaluation.foreground or core_task.current() == job.task
end

-- What this process prints goes where it does not spoil the prompt.
local function divert_output(console)
  output.divert(function(text)
    if is_foreground(console) then
      console.front:print(text)
    else
      console.front:above(core_task.current_id() or "callbacks", text)
    end
  end)
end

-- --- Opening and closing -------------------------------------------------------------------------

local function has_screen()
  return terminal.size(STDIN) ~= nil and terminal.size(STDOUT) ~= nil and (os.getenv "TERM" or "dumb") ~= "dumb"
end

local function wants_color()
  return has_screen() and (os.getenv "NO_COLOR" or "") == ""
end

local function front_options(console)
  return {
    prompt = console.options.prompt or "> ", more = console.options.more or ">> ",
    is_complete = is_complete, highlight = highlight.ranges, color = console.settings.color,
    on_submit = function(text)
      submit(console, text)
    end,
    on_eof = function()
      console:quit()
    end,
    on_interrupt = function(empty)
      give_up(console, empty)
    end,
    on_suspend = function()
      suspend(console)
    end,
    on_complete = function(event)
      console.completion:complete(event)
    end,
    on_edit = function(event)
      console.completion:edited(event)
    end,
    on_lost = function(line)
      keep_lost(console, line)
    end,
    on_resize = function(columns)
      console.settings.width = columns
    end,
    on_hangup = function()
      console:quit(128 + 1)
    end,
  }
end

local function open_front(console)
  local options = front_options(console)
  if has_screen() then
    local screen, message = require("strobe.console.screen").open(options)
    if screen then
      console.key = key
      return screen
    end
    io.stderr:write("strobe: the terminal cannot be edited on: ", message, "\n")
  end
  return require("strobe.console.plain").open(options)
end

local function open_history(console)
  console.history = History.new(console.key and History.default_path() or nil)
  if console.key then
    local entries, message = console.history:load()
    console.front:set_history(entries)
    warn_of_history(console, message)
  end
end

local function take_signals(console)
  host.end_by_hangup()
  host.on_signal(function(number)
    console:quit(128 + number)
  end)
  host.on_interrupt(function()
    console:interrupt()
  end, function()
    console.front:redraw()
  end)
end

-- A stuck loop, and what is probably a mistake, are told where somebody sits in front.
local function look_for_trouble(console)
  if console.near and not watchdog.alive() then
    watchdog.stall(STALL)
    console.stop_warnings = warnings.open()
  end
end

local function new(options)
  local color = wants_color()
  return setmetatable({
    options = options, near = options.near == true, over = Event(), inputs = {}, jobs = {}, pins = {}, gave_up = 0,
    settings = { depth = 4, items = 50, trace = "short", color = color },
  }, Console)
end

local function connect(console)
  local peer, message, code = console.options.connect(function(event)
    on_event(console, event)
  end)
  console.peer = peer
  return peer, message, code
end

local function open(console)
  hold_time(console)
  console.completion = Completion.new(console)
  console.front = open_front(console)
  if console.near and console.key then
    divert_output(console)
  end
  take_signals(console)
  look_for_trouble(console)
  open_history(console)
  console.watcher = tasks.create_task(watch_peer, console)
  console.watcher:set_name "console peer"
end

--- Gives the terminal back and ends what it has at work. Twice is harmless.
---@async
function Console:close()
  if self.closed then
    return
  end
  self.closed = true
  output.divert(nil)
  host.on_interrupt(nil)
  if self.stop_warnings then
    watchdog.stall(nil)
    self.stop_warnings()
  end
  release_time(self)
  if self.front then
    self.completion:close()
    self.history:flush()
    self.front:close()
  end
  local job = self.job
  self.job = nil
  if job and not job.task:done() then
    timeouts.move_on_after(PATIENCE, tasks.cancel_and_wait, { job.task })
  end
  if self.peer then
    self.peer:close()
  end
  if self.watcher then
    tasks.cancel_and_wait { self.watcher }
  end
end

Console.__close = Console.close

local function run_rc(console)
  if not console.options.norc then
    local message = rc.run(console, rc.default_path())
    if message then
      io.stderr:write("strobe: ", message, "\n")
    end
  end
end

--- Runs a console, from its first prompt to its end.
---@async
---@param options strobe.console.Options
---@return integer? status exit status; nil when there is no peer
---@return string? message
---@return string? code
function consoles.run(options)
  local console <close> = new(options)
  local peer, message, code = connect(console)
  if not peer then
    return nil, message, code
  end
  run_rc(console)
  open(console)
  if options.banner then
    console.front:print(options.banner .. "\n")
  end
  console.front:ready()
  console.over:wait()
  return console.status
end

return consoles
