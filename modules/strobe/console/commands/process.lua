--- :metrics :log :clock :advance :step — figures of the process, its log, its time.

local grid = require "strobe.grid"
local layout = require "strobe.console.commands.layout"
local quantity = require "strobe.quantity"
local refusal = require "strobe.console.commands.refusal"
local request = require "strobe.console.commands.request"
local stack = require "strobe.async.stack"

-- --- :metrics --------------------------------------------------------------------------------------

local function value_text(name, value)
  if type(value) == "boolean" then
    return value and "yes" or "no"
  elseif type(value) ~= "number" then
    return tostring(value)
  elseif name:find "bytes$" then
    return quantity.bytes(value)
  elseif name:find "_us$" then
    return quantity.duration(value / 1e6)
  elseif value % 1 ~= 0 then
    return ("%.6g"):format(value)
  end
  return quantity.count(value)
end

-- A histogram of times: the classes that were hit.
local function add_classes(rows, prefix, classes)
  for _, class in ipairs(classes) do
    if class.count > 0 then
      local most = class.up_to_us and "<= " .. quantity.duration(class.up_to_us / 1e6) or "more"
      rows[#rows + 1] = { ("%s %s"):format(prefix, most), quantity.count(class.count) }
    end
  end
end

-- Tables within tables as "a.b.c"; in the order of their names.
local function flatten(rows, prefix, figures)
  local keys = {}
  for key in pairs(figures) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    if type(a) == type(b) then
      return a < b
    end
    return type(a) == "number"
  end)
  for _, key in ipairs(keys) do
    local name = type(key) == "number" and ("%s[%d]"):format(prefix, key)
      or prefix == "" and key or prefix .. "." .. key
    if key == "classes" then
      add_classes(rows, prefix, figures[key])
    elseif type(figures[key]) == "table" then
      flatten(rows, name, figures[key])
    else
      rows[#rows + 1] = { name, value_text(name, figures[key]) }
    end
  end
  return rows
end

local function summary(answer)
  return grid.list({
    { "process", ("%d  %s"):format(answer.pid, answer.command) },
    { "up", quantity.duration(answer.uptime) },
    { "tasks", quantity.count(answer.tasks) },
    { "memory", quantity.bytes(answer.rss) },
    { "loop late", answer.lag_p99 and ("%s at the most, 99 of 100 times"):format(quantity.duration(answer.lag_p99)) },
  })
end

local function metrics(console, text)
  local answer = request.ask(console, "metrics")
  local rows = {}
  for _, row in ipairs(flatten({}, "", answer.metrics)) do
    rows[#rows + 1] = row[1]:find(text, 1, true) and row or nil
  end
  local told = #rows > 0 and grid.text({ { "COUNTER", flexible = true }, { "VALUE", align = "right" } }, rows,
    layout.of(console)) or ("no counter has '%s' in its name"):format(text)
  return text == "" and summary(answer) .. "\n\n" .. told or told
end

-- --- :log ------------------------------------------------------------------------------------------

local STYLES = { debug = "2", warning = "33", error = "31" }
local LEVELS = { debug = true, info = true, warning = true, error = true }

local function log_line(line, settings)
  local whole = math.floor(line.time)
  local lines = {}
  for part in line.text:gmatch "[^\n]+" do
    lines[#lines + 1] = stack.printable((part:gsub("\t", "  ")))
  end
  local level = grid.styled(("%-7s"):format(line.level), settings.color and STYLES[line.level])
  local unit = line.unit and stack.printable(line.unit) .. ": " or ""
  return ("%s.%03d %s %s%s"):format(os.date("%H:%M:%S", whole), math.floor((line.time - whole) * 1000), level, unit,
    table.concat(lines, "\n  "))
end

local function log(console, text)
  if text ~= "" then
    if not LEVELS[text] then
      refusal.raise "debug, info, warning or error expected: :log [LEVEL]"
    end
    local answer = request.ask(console, "loglevel", { level = text })
    return ("the log takes lines from %s on (it was %s)"):format(answer.level, answer.was)
  end
  local answer = request.ask(console, "log")
  local lines = {}
  for i, line in ipairs(answer.lines) do
    lines[i] = log_line(line, layout.of(console))
  end
  return #lines > 0 and table.concat(lines, "\n") or "the log is empty"
end

-- --- :clock, :advance, :step -------------------------------------------------------------------------

local MODES = {
  live = "live: it is that of the machine",
  virtual = "virtual: it jumps when every task waits",
  scaled = "scaled: it is faster or slower than that of the machine",
}

local function mode_text(answer)
  if answer.stands then
    return "virtual, and stands: :advance, :step and :clock run move it"
  end
  return MODES[answer.mode] or answer.mode
end

local function clock_text(answer, console)
  local wall = math.floor(answer.wall)
  return grid.list({
    { "clock", mode_text(answer) },
    { "loop time", ("%.6f s"):format(answer.time) },
    { "date", ("%s.%03d UTC"):format(os.date("!%Y-%m-%d %H:%M:%S", wall), math.floor((answer.wall - wall) * 1000)) },
    { "timers", answer.timers and quantity.count(answer.timers) },
    { "units see", answer.units and ("%s.%03d UTC"):format(os.date("!%Y-%m-%d %H:%M:%S", answer.units // 1),
      math.floor(answer.units % 1 * 1000)) },
  }, layout.of(console))
end

local STANDS = { run = false, stop = true }

local function clock(console, text)
  if text == "" then
    return clock_text(request.ask(console, "clock"), console)
  elseif STANDS[text] == nil then
    refusal.raise ":clock, :clock stop or :clock run expected"
  end
  return clock_text(request.ask(console, "advance", { stands = STANDS[text] }), console)
end

local UNITS = { ns = 1e-9, us = 1e-6, ["µs"] = 1e-6, ms = 1e-3, s = 1, m = 60, h = 3600, d = 86400 }

-- "90", "90s", "1.5h", "1h30m": seconds.
local function seconds_of(text)
  local whole = tonumber(text)
  if whole then
    return whole
  end
  local seconds, from = 0, 1
  while from <= #text do
    local number, unit, next = text:match("^%s*(%d+%.?%d*)%s*([%aµ]+)()", from)
    if not number or not UNITS[unit] then
      return nil
    end
    seconds, from = seconds + tonumber(number) * UNITS[unit], next
  end
  return from > 1 and seconds or nil
end

local function moved(answer)
  return ("%s on: it is %.6f s"):format(quantity.duration(answer.moved), answer.time)
end

local function advance(console, text)
  local seconds = seconds_of(text)
  if not seconds or seconds < 0 then
    refusal.raise "a time expected, as 90, 90s, 500ms or 1h30m: :advance T"
  end
  return moved(request.ask(console, "advance", { seconds = seconds }))
end

local function step(console)
  local answer = request.ask(console, "step")
  return answer.moved and moved(answer) or "no timer runs: there is nothing to step to"
end

return {
  {
    name = "metrics", arguments = "[WORD]", rights = "ro", run = metrics,
    help = "figures of the process, and counters with WORD",
  },
  {
    name = "log", arguments = "[LEVEL]", rights = "ro", run = log,
    help = "the last 200 lines of the log, or sets its level\n"
      .. "With debug, info, warning or error: takes lines from that level on; that needs the rights rw.",
  },
  {
    name = "clock", arguments = "[stop|run]", rights = "ro", run = clock,
    help = "what time it is for the process, and how it passes\n"
      .. "stop and run are for a virtual clock, and need the rights rw: stopped, it moves by :advance and :step alone.",
  },
  {
    name = "advance", arguments = "T", rights = "rw", run = advance,
    help = "moves a virtual clock on, as :advance 1h30m\n"
      .. "What is due by then runs. The clock stands from then on.",
  },
  {
    name = "step", arguments = "", rights = "rw", run = step,
    help = "moves a virtual clock on to the next timer\nThe clock stands from then on: :clock run lets it go on.",
  },
}
