--- A trace as lines of text, for a quick look in a terminal: ▁ low, ▔ high, ─ z, ░ x, █ for
--- what changes more often than a column shows.

local diagram = require "strobe.vcd.diagram"
local view = require "strobe.vcd.view"

local terminal = {}

local COLUMNS, LEAST = 100, 20 -- of all, and of the waves

local levels = { ["0"] = "▁", ["1"] = "▔", z = "─" }

-- A text of ASCII in exactly so many columns.
local function fit(text, room)
  if #text > room then
    text = room > 1 and text:sub(1, room - 1) .. "…" or ("·"):rep(room)
  end
  return text .. (" "):rep(room - utf8.len(text))
end

-- The column a time is in.
local function column_at(time, from, to, count)
  return math.min(count, math.floor((time - from) * count / (to - from)) + 1)
end

-- For each column: the value at its end, how often it changed in it.
local function columns_of(var, from, to, count)
  local columns = {}
  for i = 1, count do
    columns[i] = { changes = 0 }
  end
  for began, ended, value in view.pieces(var, from, to) do
    local first, last = column_at(began, from, to, count), column_at(ended, from, to, count)
    columns[first].changes = columns[first].changes + (began > from and 1 or 0)
    for i = first, last do
      columns[i].value = value
    end
  end
  return columns
end

local function draw_wire(columns)
  local line = {}
  for i, column in ipairs(columns) do
    line[i] = column.changes > 1 and "█" or levels[column.value] or "░"
  end
  return table.concat(line)
end

-- A value begins with |, then comes as much of its label as there is room for.
local function draw_label(columns, var)
  local line, i = {}, 1
  while i <= #columns do
    local stop = i
    while columns[stop + 1] and columns[stop + 1].changes == 0 do
      stop = stop + 1
    end
    local label = view.label(var, columns[i].value):gsub("[^ -~]", "?")
    local mark = columns[i].changes > 1 and "█" or "|"
    line[#line + 1] = mark .. fit(label, stop - i)
    i = stop + 1
  end
  return table.concat(line)
end

local function draw_events(var, from, to, count)
  local line = {}
  for i = 1, count do
    line[i] = " "
  end
  for _, time in ipairs(view.times(var, from, to)) do
    local i = column_at(time, from, to, count)
    line[i] = line[i] == " " and "↑" or "█"
  end
  return table.concat(line)
end

local bars = { "▁", "▂", "▃", "▄", "▅", "▆", "▇" }

local function draw_real(columns)
  local low, high, line = math.huge, -math.huge, {}
  for _, column in ipairs(columns) do
    local value = column.value or 0 / 0
    low, high = value < low and value or low, value > high and value or high
  end
  for i, column in ipairs(columns) do
    local part = high > low and ((column.value or 0 / 0) - low) / (high - low) or column.value and 0.5 or 0 / 0
    line[i] = part >= 0 and part <= 1 and bars[1 + math.floor(part * (#bars - 1) + 0.5)] or "░"
  end
  return table.concat(line)
end

local function draw(var, from, to, count)
  if var.class == "event" then
    return draw_events(var, from, to, count)
  end
  local columns = columns_of(var, from, to, count)
  if var.class == "real" then
    return draw_real(columns)
  end
  return var.class == "bits" and var.width == 1 and draw_wire(columns) or draw_label(columns, var)
end

local function axis(from, to, count)
  local line = {}
  local used = 0
  for _, tick in ipairs(diagram.ticks(from, to, math.max(1, count // 16))) do
    local at = math.floor((tick.time - from) / (to - from) * count)
    local size = utf8.len(tick.label) + 1
    if at >= used and at + size <= count then
      line[#line + 1] = (" "):rep(at - used) .. "╵" .. tick.label
      used = at + size
    end
  end
  return table.concat(line)
end

--- Draws a trace as text.
---@param trace strobe.vcd.Trace
---@param options? {from?: number, to?: number, signals?: string[], width?: integer}
--- width: columns in all, 100 unless given; the others as of `diagram.svg`
---@return string? text
---@return string? message
---@return string? code
function terminal.text(trace, options)
  options = options or {}
  local shown, message, code = view.of(trace, options)
  if not shown then
    return nil, message, code
  end
  local from, to, width, room = shown.from, shown.to, options.width or COLUMNS, 0
  for _, var in ipairs(shown.vars) do
    room = math.max(room, #view.full_name(var))
  end
  room = math.min(room, math.max(width // 3, LEAST))
  local count = math.max(LEAST, width - room - 1)
  local lines = { (" "):rep(room + 1) .. axis(from, to, count) }
  for _, var in ipairs(shown.vars) do
    local name = view.full_name(var):gsub("[^ -~]", "?")
    lines[#lines + 1] = fit(name, room) .. " " .. draw(var, from, to, count)
  end
  return table.concat(lines, "\n") .. "\n"
end

return terminal
