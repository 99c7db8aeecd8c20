--- What of a trace is looked at: which variables, from when to when, and what each was meanwhile.

local mistake = require "strobe.mistake"

local view = {}

local unit_ns = { s = 1e9, ms = 1e6, us = 1e3, ["µs"] = 1e3, ns = 1 }

--- A time with its unit in nanoseconds: "1.5ms", "200 us", "1e6" (ns).
---@param text string
---@return integer? ns
function view.time(text)
  local number, unit = text:match "^%s*([%d.eE+-]+)%s*([µ%a]*)$"
  local factor = unit == "" and 1 or unit_ns[unit]
  number = tonumber(number)
  return number and factor and math.floor(number * factor + 0.5) or nil
end

--- A variable's name with its scopes: "board.led".
---@param var strobe.vcd.Var
---@return string
function view.full_name(var)
  return var.scope == "" and var.name or var.scope .. "." .. var.name
end
local full_name = view.full_name

-- The full name goes before the first that is called so in any scope.
local function find(trace, name)
  local found
  for _, var in ipairs(trace.vars) do
    if full_name(var) == name then
      return { var }
    elseif var.name == name then
      found = found or { var }
    end
  end
  return found or {}
end

-- "clk*" as a Lua pattern.
local function pattern_of(glob)
  return "^" .. glob:gsub("%p", "%%%0"):gsub("%%%*", ".*"):gsub("%%%?", ".") .. "$"
end

-- All of which the full name or the name fits.
local function find_all(trace, glob)
  local pattern, list = pattern_of(glob), {}
  for _, var in ipairs(trace.vars) do
    if full_name(var):find(pattern) or var.name:find(pattern) then
      list[#list + 1] = var
    end
  end
  return list
end

local function names_of(trace)
  local names = {}
  for i = 1, math.min(#trace.vars, 20) do
    names[i] = full_name(trace.vars[i])
  end
  return table.concat(names, ", ") .. (#trace.vars > 20 and ", …" or "")
end

--- The variables of these names, with or without their scopes, in that order and each once; all without names. In a
--- name `*` stands for anything, `?` for one character.
---@param trace strobe.vcd.Trace
---@param names? string[]
---@return strobe.vcd.Var[]?
---@return string? message
function view.select(trace, names)
  if not names then
    return trace.vars
  end
  local vars, seen = {}, {}
  for _, name in ipairs(names) do
    local found = (name:find "[*?]" and find_all or find)(trace, name)
    if #found == 0 then
      return nil, ("there is no signal '%s'; there are: %s"):format(name, names_of(trace))
    end
    for _, var in ipairs(found) do
      vars[#vars + 1] = not seen[var] and var or nil
      seen[var] = true
    end
  end
  return vars
end

-- The index of the last change up to a time; 0 when there is none.
local function last_until(times, time)
  local low, high = 0, #times
  while low < high do
    local middle = (low + high + 1) // 2
    if times[middle] <= time then
      low = middle
    else
      high = middle - 1
    end
  end
  return low
end

--- The value at a time; nil before the first.
---@param var strobe.vcd.Var
---@param time number ns
---@return any
function view.value_at(var, time)
  return var.changes.values[last_until(var.changes.times, time)]
end

--- What a variable was, piece by piece, as `for from, to, value in …`: value nil is unknown.
---@param var strobe.vcd.Var
---@param from number ns
---@param to number ns
---@return fun(): number?, number?, any
function view.pieces(var, from, to)
  local times, values = var.changes.times, var.changes.values
  local i = last_until(times, from)
  local at = from
  return function()
    if at >= to then
      return nil
    end
    local began, value = at, values[i]
    -- Pieces differ, and last: what did not settle at a time is left out.
    repeat
      i = i + 1
    until not times[i] or times[i + 1] ~= times[i] and values[i] ~= value
    at = math.min(times[i] or to, to)
    return began, at, value
  end
end

--- The times at which it changed or happened, within bounds.
---@param var strobe.vcd.Var
---@param from number ns
---@param to number ns
---@return number[]
function view.times(var, from, to)
  local times, list = var.changes.times, {}
  for i = last_until(times, from - 1) + 1, #times do
    if times[i] > to then
      break
    end
    list[#list + 1] = times[i]
  end
  return list
end

--- The bounds of what is shown.
---@param trace strobe.vcd.Trace
---@param options {from?: number, to?: number}
---@return number from, number to `to` is later
function view.bounds(trace, options)
  local from = options.from or 0
  if not options.from then
    from = math.huge
    for _, var in ipairs(trace.vars) do
      from = math.min(from, var.changes.times[1] or from)
    end
    from = from < math.huge and from or 0
  end
  local to = options.to or trace.finish
  return from, to > from and to or from + 1
end

---@class strobe.vcd.Shown what of a trace is drawn
---@field vars strobe.vcd.Var[]
---@field from number ns
---@field to number ns

--- What options choose of a trace.
---@param trace strobe.vcd.Trace
---@param options? {from?: number, to?: number, signals?: string[]} ns; names as of `view.select`
---@return strobe.vcd.Shown?
---@return string? message which name is none
---@return string? code "ENOENT"
function view.of(trace, options)
  options = mistake.options("vcd", options)
  local vars, message = view.select(trace, options.signals)
  if not vars then
    return nil, message, "ENOENT"
  end
  local from, to = view.bounds(trace, options)
  return { vars = vars, from = from, to = to }
end

local digits = {}
for i = 0, 15 do
  local bits = ""
  for bit = 3, 0, -1 do
    bits = bits .. (i >> bit & 1)
  end
  digits[bits] = ("%X"):format(i)
end

--- A value as a label: vectors in hexadecimal, of at most 3 bits as they are; a digit with
--- unknown bits is x.
---@param var strobe.vcd.Var
---@param value any
---@return string
function view.label(var, value)
  if value == nil then
    return "x"
  elseif var.class == "real" then
    return ("%.6g"):format(value)
  elseif var.class ~= "bits" or var.width <= 3 then
    return tostring(value)
  elseif not value:find "[^x]" or not value:find "[^z]" then
    return value:sub(1, 1)
  end
  local padded = ("0"):rep(-#value % 4) .. value
  return (padded:gsub("....", function(nibble)
    return digits[nibble] or nibble:find "^0*z+$" and "z" or "x"
  end))
end

return view
