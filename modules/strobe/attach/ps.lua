--- `strobe ps`: the processes that can be attached to.

local arguments = require "strobe.arguments"
local clients = require "strobe.attach.client"
local directory = require "strobe.attach.directory"
local grid = require "strobe.grid"
local protocol = require "strobe.attach.protocol"
local quantity = require "strobe.quantity"
local terminal = require "strobe.core.terminal"
local TaskGroup = require("strobe.async.taskgroup").TaskGroup

-- Seconds for an answer; who takes longer is busy.
local PATIENCE = 0.5
local MIB = 1024 * 1024
local STDOUT = 1

local ps = {}

ps.usage = [[
usage: strobe ps [--json]
  the strobe processes of this user that have an attach socket (strobe live, a console, --attach): PID, uptime, units
  with their generations, tasks, how late the loop is (99 of 100 times), memory, command; busy: no answer within 500 ms,
  strobe dump PID tells why
options:
  --json   one JSON object a line]]

-- One that says nothing, or lets nobody in any more: the system knows its command line.
local function busy(pid)
  local file <close> = io.open(("/proc/%d/cmdline"):format(pid)) -- luacheck: ignore
  local text = file and file:read "a"
  return { pid = pid, busy = true, command = text and text:gsub("%z$", ""):gsub("%z", " ") or nil }
end

-- What a process tells of itself; {pid=, busy=true} if it does not, nil if there is none any more.
local function ask(entry)
  local client <close>, _, code = clients.connect(entry.pid, { timeout = PATIENCE })
  if not client then
    return code ~= "ESRCH" and busy(entry.pid) or nil
  end
  local told
  told, _, code = client:call("metrics", { word = "-" }, PATIENCE)
  if not told then
    return code ~= "ECONNRESET" and busy(entry.pid) or nil
  end
  return {
    pid = entry.pid, uptime = told.uptime, units = protocol.list(told.units), tasks = told.tasks,
    lag_p99 = told.lag_p99, rss = told.rss, command = told.command,
  }
end

--- What all processes tell of themselves, by number; who does not answer within 500 ms is busy.
---@async
---@return table[]
function ps.list()
  local jobs, list = {}, {}
  local group <close> = TaskGroup()
  for i, entry in ipairs(directory.list()) do
    jobs[i] = group:create_task(ask, entry)
  end
  for _, job in ipairs(jobs) do
    list[#list + 1] = job:await()
  end
  return list
end

-- --- As text -------------------------------------------------------------------------------------

local function units_text(units)
  local names = {}
  for i, unit in ipairs(units) do
    local state = unit.state ~= "running" and " " .. tostring(unit.state) or ""
    names[i] = ("%s:%s%s"):format(unit.unit, unit.gen and ("%d"):format(unit.gen) or "-", state)
  end
  return #names > 0 and table.concat(names, ",") or "-"
end

local COLUMNS = {
  { "PID" }, { "UP" }, { "UNITS", flexible = true }, { "TASKS", align = "right" },
  { "LAG", align = "right" }, { "MEMORY", align = "right" }, { "COMMAND", flexible = true },
}

local function row(told)
  if told.busy then
    return { ("%d"):format(told.pid), "busy", nil, nil, nil, nil, told.command }
  end
  return {
    ("%d"):format(told.pid), quantity.span(told.uptime), units_text(told.units), ("%d"):format(told.tasks),
    quantity.duration(told.lag_p99), ("%.1f MiB"):format(told.rss / MIB), told.command,
  }
end

--- A table for people.
---@param list table[]
---@param width? integer columns that there are; nil: as many as it takes
---@return string
function ps.text(list, width)
  local rows = {}
  for i, told in ipairs(list) do
    rows[i] = row(told)
  end
  return grid.text(COLUMNS, rows, { width = width or math.huge })
end

--- `strobe ps [--json]`
---@async
---@param words string[]
---@return integer status
function ps.main(words)
  local options, message = arguments.read({ json = false, help = false }, words)
  message = message or options[1] and ("it takes no word as '%s'"):format(options[1])
  if message then
    io.stderr:write("strobe: ps: ", message, "\n", ps.usage, "\n")
    return 2
  elseif options.help then
    print(ps.usage)
    return 0
  end
  local list = ps.list()
  if options.json then
    for _, told in ipairs(list) do
      print((protocol.encode(told):gsub("\n$", "")))
    end
  elseif #list == 0 then
    io.stderr:write("strobe: no process with an attach socket in ", table.concat(directory.candidates(), " or "), "\n")
  else
    print(ps.text(list, terminal.size(STDOUT)))
  end
  return 0
end

return ps
