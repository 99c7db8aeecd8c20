--- `strobe reload`: new code for the units of a running process.

local arguments = require "strobe.arguments"
local clients = require "strobe.attach.client"
local json = require "strobe.json"
local reports = require "strobe.live.report"
local target = require "strobe.attach.target"

local COMMITTED, MISSING, USAGE, REFUSED, ROLLED_BACK = 0, 1, 2, 3, 4

local reload = {}

reload.usage = [[
usage: strobe reload [PID] [UNIT] [options]
  gives a unit of a running process the code that is in its files now; without UNIT all whose files have changed. Digits
  alone are a PID, which may be left out if one process runs. Prints the report.
options:
  --nowait   refused at once when another reload is under way
  --proven   waits until the new code has proven itself (50 events and 30 s), or was rolled back
  --json     the reports as JSON objects, one a line
exit status: 0 committed, 1 no such process or unit, 2 usage, 3 refused, 4 rolled back]]

local function fail(status, message)
  io.stderr:write("strobe: reload: ", message, "\n")
  return status
end

-- PID and UNIT of the words.
local function read_words(words)
  local pid, unit
  for _, word in ipairs(words) do
    if word:find "^%d+$" and not pid and not unit then
      pid = math.tointeger(tonumber(word))
    elseif not unit then
      unit = word
    else
      return nil, ("'%s' is one word too many"):format(word)
    end
  end
  return { pid = pid, unit = unit }
end

local function print_reports(list, as_json)
  for _, report in ipairs(list) do
    report = json.without_nulls(report)
    print(as_json and reports.json(report) or reports.text(report))
  end
  io.stdout:flush()
end

local function status_of(code)
  if code == "not_found" or code == "ECONNRESET" or code == "ESRCH" or code == "ETIMEDOUT" then
    return MISSING
  end
  return code:find "^rolled_back:" and ROLLED_BACK or REFUSED
end

local function ask(client, unit, options)
  local answer, message, code, refused = client:call("open", { rights = "rw", name = "strobe reload" })
  if answer then
    answer, message, code, refused = client:call("reload", {
      unit = unit, nowait = options.nowait, proven = options.proven,
    })
  end
  local list = (answer or refused or {}).reports
  if not list then
    return fail(status_of(code), refused and refused.remedy and message .. "\n  remedy: " .. refused.remedy or message)
  elseif #list == 0 then
    io.stderr:write "strobe: reload: no file of a unit has changed\n"
  end
  print_reports(list, options.json)
  return answer and COMMITTED or status_of(code)
end

--- `strobe reload [PID] [UNIT] [--nowait] [--proven] [--json]`
---@async
---@param words string[]
---@return integer status
function reload.main(words)
  local options, message = arguments.read({ nowait = false, proven = false, json = false, help = false }, words)
  local what
  if options then
    what, message = read_words(options)
  end
  if not what then
    return fail(USAGE, message .. "\n" .. reload.usage)
  elseif options.help then
    print(reload.usage)
    return COMMITTED
  end
  local pid, why, status = what.pid, nil, nil
  if not pid then
    pid, why, status = target.only()
  end
  if not pid then
    return fail(status, why)
  end
  local client <close>, problem = clients.connect(pid) -- luacheck: ignore
  if not client then
    return fail(MISSING, problem)
  end
  return ask(client, what.unit, options)
end

return reload
