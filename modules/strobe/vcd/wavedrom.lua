--- A trace as WaveDrom JSON, for documents and the web.
--
-- WaveDrom has no time axis: one character of a wave is one period, and the trace is sampled at
-- the beginning of each. Spans in which nothing changes become one `|`.

local json = require "strobe.json"
local view = require "strobe.vcd.view"

local wavedrom = {}

-- Columns of a document that a person can read; what is later is left out, and the head says so.
local MOST_COLUMNS = 200

-- Periods without a change that are still drawn one by one.
local LONGEST_IDLE = 4

local function gcd(a, b)
  while b ~= 0 do
    a, b = b, a % b
  end
  return a
end

--- The longest period whose grid has all changes on it.
---@param vars strobe.vcd.Var[]
---@param from number ns
---@param to number ns
---@return integer ns at least 1
function wavedrom.period(vars, from, to)
  local period = 0
  for _, var in ipairs(vars) do
    for _, time in ipairs(view.times(var, from, to)) do
      period = gcd(math.floor(time - from + 0.5), period)
      if period == 1 then
        return 1
      end
    end
  end
  return period > 0 and period or math.max(1, math.floor(to - from))
end

-- The periods at whose beginning something is other than before, in order.
local function changed_periods(vars, from, to, period)
  local seen, list = { [0] = true }, { 0 }
  local function note(i)
    if i * period + from < to and not seen[i] then
      seen[i] = true
      list[#list + 1] = i
    end
  end
  for _, var in ipairs(vars) do
    for _, time in ipairs(view.times(var, from, to)) do
      if var.class == "event" then
        note(math.floor((time - from) / period))
        note(math.floor((time - from) / period) + 1)
      else
        note(math.ceil((time - from) / period))
      end
    end
  end
  table.sort(list)
  return list
end

-- The columns: a period's number, or false for a gap; and the period at which it was cut.
local function columns_of(changed, total)
  local columns = {}
  for k, i in ipairs(changed) do
    if #columns >= MOST_COLUMNS then
      return columns, i
    end
    columns[#columns + 1] = i
    local idle = (changed[k + 1] or total) - i - 1
    if idle > LONGEST_IDLE then
      columns[#columns + 1], columns[#columns + 2] = i, false
    else
      for j = 1, idle do
        columns[#columns + 1] = i + j
      end
    end
  end
  while #columns > MOST_COLUMNS do
    columns[#columns] = nil
  end
  return columns
end

-- The character of a value, and its label if it has one.
local function character(var, value)
  if var.class == "bits" and var.width == 1 then
    return value or "x"
  elseif value == nil then
    return "x"
  elseif var.class == "bits" and not value:find "[^x]" then
    return "x"
  elseif var.class == "bits" and not value:find "[^z]" then
    return "z"
  end
  return "=", view.label(var, value)
end

local function sampler(var, from, period)
  if var.class ~= "event" then
    return function(i)
      return character(var, view.value_at(var, from + i * period))
    end
  end
  local happened = {}
  for _, time in ipairs(var.changes.times) do
    happened[math.floor((time - from) / period)] = true
  end
  return function(i)
    return happened[i] and "1" or "0"
  end
end

local function text_of(text)
  return assert(json.encode(text))
end

local function signal(var, columns, from, period)
  local sample = sampler(var, from, period)
  local wave, data, before = {}, {}, nil
  for k, i in ipairs(columns) do
    local letter, label = ".", nil
    if i then
      letter, label = sample(i)
    end
    local now = label and letter .. label or letter
    if not i then
      wave[k] = "|"
    elseif now == before then
      wave[k] = "."
    else
      wave[k], before = letter, now
      data[#data + 1] = label and text_of(label) or nil
    end
  end
  local tail = #data > 0 and (',"data":[%s]'):format(table.concat(data, ",")) or ""
  return ('{"name":%s,"wave":"%s"%s}'):format(text_of(var.name), table.concat(wave), tail)
end

-- Signals in groups by scope, as they follow one another.
local function groups(vars, columns, from, period)
  local list, scope = {}, nil
  for _, var in ipairs(vars) do
    if var.scope ~= scope then
      scope = var.scope
      list[#list + 1] = { name = scope }
    end
    local group = list[#list]
    group[#group + 1] = signal(var, columns, from, period)
  end
  local parts = {}
  for _, group in ipairs(list) do
    local signals = table.concat(group, ",\n  ")
    parts[#parts + 1] = group.name == "" and signals or ("[%s,\n  %s]"):format(text_of(group.name), signals)
  end
  return table.concat(parts, ",\n ")
end

local function head(from, period, cut)
  local text = ("one period is %d ns, from %d ns"):format(period, from)
  if cut then
    text = text .. (", cut at %d ns"):format(from + cut * period)
  end
  return text_of(text)
end

--- A trace as WaveDrom JSON. Equal traces make equal bytes.
---@param trace strobe.vcd.Trace
---@param options? {from?: number, to?: number, signals?: string[], period?: integer} times in ns;
--- period: unless given, the longest that has all changes on its grid
---@return string? json
---@return string? message which name is none
---@return string? code
function wavedrom.json(trace, options)
  options = options or {}
  local shown, message, code = view.of(trace, options)
  if not shown then
    return nil, message, code
  end
  local vars, from, to = shown.vars, shown.from, shown.to
  local period = options.period or wavedrom.period(vars, from, to)
  if period <= 0 then
    error("wavedrom.json: period: a time above 0 expected", 2)
  end
  local changed = changed_periods(vars, from, to, period)
  local columns, cut = columns_of(changed, math.ceil((to - from) / period))
  return ('{"signal":[\n %s],\n"config":{"hscale":1},\n"head":{"text":%s}}\n'):format(
    groups(vars, columns, from, period), head(from, period, cut))
end

return wavedrom
