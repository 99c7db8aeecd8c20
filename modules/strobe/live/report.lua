--- A report of a reload as a person reads it, and as a line of JSON.

local json = require "strobe.json"
local printable = require("strobe.async.stack").printable

local reports = {}

-- What a report has, in the order in which it is written.
local fields = {
  "unit", "from", "to", "verdict", "files", "rebuilt", "carried", "version", "pause_us", "backlog_max",
  "tasks_cancelled", "kept", "remade", "skipped", "warnings", "error", "place", "remedy",
}
local lists = { files = true, rebuilt = true, carried = true, kept = true, remade = true,
  warnings = true, cut = true }

local function encode(name, value)
  if name == "version" then -- the first may be missing
    return ("[%s,%s]"):format(value and value[1] or "null", value and value[2] or "null")
  elseif lists[name] and (value == nil or #value == 0) then
    return "[]"
  end
  return (json.encode(value == nil and json.null or value))
end

-- The fields that are known come first, and always.
local function names_of(report)
  local names, known, more = {}, {}, {}
  for i, name in ipairs(fields) do
    names[i], known[name] = name, true
  end
  for name in pairs(report) do
    more[#more + 1] = not known[name] and name or nil
  end
  table.sort(more)
  return table.move(more, 1, #more, #names + 1, names)
end

--- As one line of JSON, without its newline.
---@param report strobe.live.Report
---@return string
function reports.json(report)
  local parts = {}
  for _, name in ipairs(names_of(report)) do
    parts[#parts + 1] = ('"%s":%s'):format(name, encode(name, report[name]) or "null")
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- --- As text -------------------------------------------------------------------------------------

local styles = { committed = "32", rejected = "31", rolled_back = "33", superseded = "33" }

--- A verdict, in its colour if that is asked for.
---@param verdict string
---@param color? boolean
---@return string
function reports.verdict(verdict, color)
  local style = color and styles[verdict:match "^[%a_]+"]
  return style and ("\27[%sm%s\27[0m"):format(style, verdict) or verdict
end

local function milliseconds(report)
  return ("paused %.2f ms"):format((report.pause_us or 0) / 1000)
end

local function names(list)
  return #list > 0 and (" (%s)"):format(table.concat(list, ", ")) or ""
end

local outcomes = {}

function outcomes.committed(report)
  if report.from == 0 then
    return ("generation %d starts%s"):format(report.to, names(report.files))
  end
  local waited = report.backlog_max and report.backlog_max > 0 and (", %d events waited"):format(report.backlog_max)
  return ("generation %d takes over from %d%s, %s%s"):format(report.to, report.from, names(report.files),
    milliseconds(report), waited or "")
end

function outcomes.rejected(report)
  if report.from == 0 then
    return "it does not start"
  end
  return ("generation %d goes on%s"):format(report.from, names(report.files))
end

function outcomes.rolled_back(report)
  if report.verdict == "rolled_back:failed" then
    return ("generation %d failed, and %d too: it stands still"):format(report.from, report.to)
  end
  return ("generation %d takes over again from %d, %d events processed again"):format(report.to, report.from,
    report.replayed or 0)
end

-- A path below the folder without it.
local function shortened(text, folder)
  if not folder then
    return text
  end
  return (text:gsub(folder:gsub("%p", "%%%0") .. "/", ""))
end

-- What is wrong, and where; the place is not said twice.
local function add_error(lines, report, folder)
  local text = report.error
  if not text then
    return
  end
  text = shortened(text, folder):gsub("\n+$", "")
  local place = report.place and shortened(report.place, folder)
  if place and text:sub(1, #place) ~= place then
    text = place .. ": " .. text
  end
  for line in text:gmatch "[^\n]+" do
    lines[#lines + 1] = "  " .. printable((line:gsub("\t", "  ")))
  end
end

local changes = {
  { "carried", "  not loaded again: " }, { "kept", "  kept: " }, { "remade", "  made anew: " },
}

local function add_changes(lines, report)
  local version = report.version or {}
  if version[1] and version[2] and version[1] ~= version[2] then
    lines[#lines + 1] = ("  the state of version %d became one of version %d"):format(version[1], version[2])
  end
  for _, change in ipairs(changes) do
    local list = report[change[1]]
    lines[#lines + 1] = list and #list > 0 and change[2] .. table.concat(list, ", ") or nil
  end
  for _, seq in ipairs(report.cut or {}) do
    lines[#lines + 1] = ("  the handler of event %d was cut short"):format(seq)
  end
  if (report.skipped or 0) > 0 then
    lines[#lines + 1] = ("  %d events of streams no longer subscribed were skipped"):format(report.skipped)
  end
end

--- As lines of text: the verdict, what changed, what is wrong and where, what to do about it.
---@param report strobe.live.Report
---@param options? {color?: boolean, folder?: string} the folder whose files are named without it
---@return string without a newline at its end
function reports.text(report, options)
  options = options or {}
  local kind = report.verdict:match "^[%a_]+"
  local outcome = outcomes[kind]
  local lines = { ("%s: %s%s"):format(report.unit, reports.verdict(report.verdict, options.color),
    outcome and ", " .. outcome(report) or "") }
  if kind == "committed" then
    add_changes(lines, report)
  end
  add_error(lines, report, options.folder)
  for _, warning in ipairs(report.warnings or {}) do
    lines[#lines + 1] = "  warning: " .. printable(shortened(warning, options.folder))
  end
  lines[#lines + 1] = report.remedy and "  remedy: " .. report.remedy or nil
  return table.concat(lines, "\n")
end

return reports
