--- `strobe ps`: the processes that can be attached to.

local arguments = require "strobe.arguments"
local clients = require "strobe.attach.client"
local directory = require "strobe.attach.directory"
local protocol = require "strobe.attach.protocol"
local stack = require "strobe.async.stack"
local TaskGroup = require("strobe.async.taskgroup").TaskGroup

-- Seconds for an answer; who takes longer is busy.
local PATIENCE = 0.5
local MIB = 1024 * 1024

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

local SPANS = { { 86400, "d" }, { 3600, "h" }, { 60, "m" } }

-- "3d 4h", "12m 5s", "7s"
local function duration(seconds)
  for i, span in ipairs(SPANS) do
    if seconds >= span[1] then
      local below = SPANS[i + 1] or { 1, "s" }
      return ("%d%s %d%s"):format(seconds // span[1], span[2], seconds % span[1] // below[1], below[2])
    end
  end
  return ("%ds"):format(seconds // 1)
end

local function units_text(units)
  local names = {}
  for i, unit in ipairs(units) do
    local state = unit.state ~= "running" and " " .. tostring(unit.state) or ""
    names[i] = ("%s:%s%s"):format(unit.unit, unit.gen and ("%d"):format(unit.gen) or "-", state)
  end
  return #names > 0 and table.concat(names, ",") or "-"
end

local function row(told)
  if told.busy then
    return { ("%d"):format(told.pid), "busy", "-", "-", "-", "-", stack.printable(told.command or "-") }
  end
  return {
    ("%d"):format(told.pid), duration(told.uptime), units_text(told.units), ("%d"):format(told.tasks),
    told.lag_p99 and ("%.1f ms"):format(told.lag_p99 * 1000) or "-", ("%.1f MiB"):format(told.rss / MIB),
    stack.printable(told.command),
  }
end

--- A table for people.
---@param list table[]
---@return string
function ps.text(list)
  local rows, widths = { { "PID", "UP", "UNITS", "TASKS", "LAG", "MEMORY", "COMMAND" } }, {}
  for _, told in ipairs(list) do
    rows[#rows + 1] = row(told)
  end
  for _, cells in ipairs(rows) do
    for i, cell in ipairs(cells) do
      widths[i] = math.max(widths[i] or 0, utf8.len(cell) or #cell)
    end
  end
  local lines = {}
  for i, cells in ipairs(rows) do
    for j = 1, #cells - 1 do
      cells[j] = cells[j] .. (" "):rep(widths[j] - (utf8.len(cells[j]) or #cells[j]))
    end
    lines[i] = table.concat(cells, "  ")
  end
  return table.concat(lines, "\n")
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
    print(ps.text(list))
  end
  return 0
end

return ps
