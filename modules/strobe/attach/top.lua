--- `strobe top`: what a process does, each second: its units and feeds, how late its loop is, and the tasks that take
--- the most time.

local arguments = require "strobe.arguments"
local clients = require "strobe.attach.client"
local Event = require("strobe.async.event").Event
local host = require "strobe.core.host"
local Page = require "strobe.attach.page"
local target = require "strobe.attach.target"
local tasks = require "strobe.async.task"
local terminal = require "strobe.core.terminal"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"
local uv = require "luv"

-- Seconds that the op top measures, which is the time between two pages; and for an answer beyond that.
local SPAN, PATIENCE = 1, 2
local MOST_TASKS = 100
-- Of a page that goes to no terminal.
local WIDTH, HEIGHT = 120, 60
local DONE, FAILED, USAGE, ENDED = 0, 1, 2, 3
local STDIN, STDOUT = 0, 1
local ENDING_KEYS = "[qQ\3\4]"

local top = {}

top.usage = [[
usage: strobe top [PID]
  what a running process does, each second: units with their rates and inboxes, feeds, how late the loop is, and the
  tasks that take the most time. PID may be left out if one process runs. q ends it. Without a terminal: one page.
exit status: 0, 1 no such process, 2 usage, 3 the process has ended meanwhile]]

local function complain(status, text)
  io.stderr:write("strobe: top: ", text, "\n")
  return status
end

-- --- Asking ------------------------------------------------------------------------------------

-- What it tells at once: of units, not of tasks.
local function first_sample(client)
  local metrics, message, code = client:call("metrics", nil, PATIENCE)
  return metrics and { metrics = metrics, top = { tasks = {}, seconds = SPAN } }, message, code
end

-- What the process tells after a second, in which the tasks did what is told of them.
local function sample(client)
  local streams = client:send "streams"
  local told, message, code = client:call("top", { n = MOST_TASKS }, SPAN + PATIENCE)
  local metrics
  if told then
    metrics, message, code = client:call("metrics", nil, PATIENCE)
  end
  if not metrics then
    return nil, message, code
  end
  local _, answer = timeouts.move_on_after(PATIENCE, streams.await, streams)
  return { metrics = metrics, top = told, feeds = answer and answer.feeds }
end

-- --- A terminal --------------------------------------------------------------------------------

---@class strobe.attach.Screen a `<close>` value
local Screen = {}
Screen.__index = Screen

-- Keys come as they are typed; on_key gets them.
local function open_screen(on_key)
  local screen = setmetatable({ input = assert(uv.new_tty(STDIN, true)) }, Screen)
  screen.input:set_mode(1)
  screen.input:read_start(function(_, bytes)
    on_key(bytes)
  end)
  io.stdout:write "\27[H\27[J"
  return screen
end

function Screen.show(_, lines)
  io.stdout:write("\27[H", table.concat(lines, "\27[K\r\n"), "\27[K\27[J")
  io.stdout:flush()
end

function Screen:__close()
  self.input:set_mode(0)
  self.input:close()
  print()
end

local function size()
  local columns, rows = terminal.size(STDOUT)
  return columns and columns > 0 and columns or 80, rows and rows > 0 and rows or 24
end

-- --- Pages -------------------------------------------------------------------------------------

local function silence(client, since)
  return ("no answer for %.0f s: 'strobe dump %d' lets it print what it does"):format(time.real() - since, client.pid)
end

-- Shows page after page; returns when the process has ended.
local function watch(client, screen)
  local page, answered = Page.new(), time.real()
  while true do
    local width, height = size()
    local took, _, code = (page.last and sample or first_sample)(client)
    if took then
      answered = time.real()
      page:take(took)
    elseif code == "ECONNRESET" then
      return
    end
    local lines = page:lines(width, height - 1)
    lines[#lines + 1] = took and "q ends it" or silence(client, answered)
    screen:show(lines)
    if not took then
      time.sleep(SPAN)
    end
  end
end

local function run_on_terminal(client)
  local over, status = Event(), nil
  local function finish(with)
    status = status or with
    over:set()
  end
  host.on_signal(function(number)
    finish(128 + number)
  end)
  do
    local screen <close> = open_screen(function(bytes)
      if not bytes or bytes:find(ENDING_KEYS) then
        finish(DONE)
      end
    end)
    local watching = tasks.create_task(watch, client, screen)
    watching:set_name "top"
    watching:add_done_callback(function()
      finish(ENDED)
    end)
    over:wait()
    tasks.cancel_and_wait { watching }
    if not watching:cancelled() then
      watching:result() -- raises what went wrong
    end
  end
  return status
end

-- One page: what two looks have in between.
local function print_page(client)
  local page = Page.new()
  for _, look in ipairs { first_sample, sample } do
    local took, message, code = look(client)
    if not took then
      return code == "ECONNRESET" and ENDED or FAILED, message
    end
    page:take(took)
  end
  for _, line in ipairs(page:lines(WIDTH, HEIGHT)) do
    print(line)
  end
  return DONE
end

local function is_terminal()
  return terminal.size(STDIN) ~= nil and terminal.size(STDOUT) ~= nil and os.getenv "TERM" ~= "dumb"
end

local function run(pid)
  local client <close>, message = clients.connect(pid) -- luacheck: ignore
  if not client then
    return complain(FAILED, message)
  end
  client:call("open", { rights = "ro", name = "strobe top" })
  local status, problem
  if is_terminal() then
    host.slow_step(math.huge) -- what this process takes itself is no news on its screen
    status, problem = run_on_terminal(client)
  else
    status, problem = print_page(client)
  end
  if status == ENDED then
    problem = ("process %d: %s"):format(pid, client.ended or "it has ended")
  end
  return problem and complain(status, problem) or status
end

--- `strobe top [PID]`
---@async
---@param words string[]
---@return integer status
function top.main(words)
  local options, message = arguments.read({ help = false }, words)
  local pid, status
  if options then
    pid, message = target.read(options)
  end
  if message then
    return complain(USAGE, message .. "\n" .. top.usage)
  elseif options.help then
    print(top.usage)
    return DONE
  end
  if not pid then
    pid, message, status = target.only()
  end
  if not pid then
    return complain(status, message)
  end
  return run(pid)
end

return top
