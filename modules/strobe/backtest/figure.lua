--- Numbers, times and spans as people read them.

local figures = {}

-- Times before this (1973) count from the start of the run, not from 1970.
local EPOCH = 1e8
local MINUTE, HOUR, DAY = 60, 3600, 86400
local MINUS = "−"
-- Amounts below are written with a power of ten.
local SMALL = 1e-4
-- Figures of a price: what an exchange prints, and an average that is not longer.
local PRICE_FIGURES = 8

figures.NONE = "–"

--- Whether such a time is a date.
---@param time number
---@return boolean
function figures.is_date(time)
  return time >= EPOCH
end

local function group(digits)
  local grouped = digits:reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (grouped:gsub("^,", ""))
end

--- A number with so many decimals, thousands set apart, and a minus sign that is one.
---@param value number
---@param decimals integer
---@return string
function figures.fixed(value, decimals)
  local text = ("%.*f"):gsub("%*", tostring(decimals)):format(math.abs(value))
  local whole, rest = text:match "^(%d+)(.*)$"
  if not whole then
    return tostring(value) -- inf, nan
  end
  local is_zero = not text:find "[1-9]"
  return (value < 0 and not is_zero and MINUS or "") .. group(whole) .. rest
end

-- Decimals that show four figures of a small number, and cents of others.
local function decimals_of(value)
  local size = math.abs(value)
  if size == 0 or size >= 1 or size ~= size then
    return 2
  end
  return math.min(12, math.ceil(-math.log(size, 10)) + 3)
end

-- "1.121e−7": digits of what is very small are not counted.
local function scientific(value)
  local sign, digits, power = ("%.3e"):format(value):match "^(-?)([%d.]+)e%-0*(%d+)$"
  return (sign == "-" and MINUS or "") .. digits .. "e" .. MINUS .. power
end

--- An amount of money: cents, or four figures when it is small.
---@param value? number
---@return string
function figures.amount(value)
  if not value then
    return figures.NONE
  elseif value ~= 0 and math.abs(value) < SMALL then
    return scientific(value)
  end
  return figures.fixed(value, decimals_of(value))
end

--- The same with its sign, when it has one.
---@param value? number
---@return string
function figures.change(value)
  local text = figures.amount(value)
  return value and value > 0 and text:find "[1-9]" and "+" .. text or text
end

--- A price or a size: eight figures, without zeros at the end.
---@param value? number
---@return string
function figures.exact(value)
  if not value then
    return figures.NONE
  elseif value == 0 or math.abs(value) == math.huge or value ~= value then
    return figures.fixed(value, 0)
  end
  local before = math.floor(math.log(math.abs(value), 10)) + 1
  local text = figures.fixed(value, math.min(16, math.max(0, PRICE_FIGURES - before)))
  return text:find("%.") and (text:gsub("0+$", ""):gsub("%.$", "")) or text
end

---@param value? number 0.5 is 50 %
---@return string
function figures.percent(value)
  return value and figures.fixed(value * 100, math.abs(value) < 0.1 and 2 or 1) .. " %" or figures.NONE
end

---@param value? number
---@return string
function figures.ratio(value)
  return value and figures.fixed(value, math.abs(value) < 1 and 3 or 2) or figures.NONE
end

---@param value? integer
---@return string
function figures.count(value)
  return value and figures.fixed(value, 0) or figures.NONE
end

--- A span: "0.42 s", "12.5 s", "3 min 20 s", "2 h 05 min", "4 d 3 h".
---@param seconds? number
---@return string
function figures.span(seconds)
  if not seconds then
    return figures.NONE
  elseif seconds < 10 then
    return ("%.2f s"):format(seconds)
  elseif seconds < MINUTE then
    return ("%.1f s"):format(seconds)
  elseif seconds < HOUR then
    return ("%d min %02d s"):format(seconds // MINUTE, seconds % MINUTE // 1)
  elseif seconds < DAY then
    return ("%d h %02d min"):format(seconds // HOUR, seconds % HOUR // MINUTE)
  end
  return ("%d d %d h"):format(seconds // DAY, seconds % DAY // HOUR)
end

-- "1:02:03" since the start.
local function elapsed(time)
  local whole = time // 1
  local text = ("%d:%02d"):format(whole % HOUR // MINUTE, whole % MINUTE)
  if whole >= HOUR then
    text = ("%d:%02d:%02d"):format(whole // HOUR, whole % HOUR // MINUTE, whole % MINUTE)
  end
  return text
end

-- A fraction with so many digits, rounded together with the second.
local function split(time, digits)
  local unit = 10 ^ digits
  local rounded = math.floor(time * unit + 0.5)
  return rounded // unit, digits > 0 and ("." .. ("%0" .. digits .. "d"):format(math.floor(rounded % unit))) or ""
end

--- A time of day (UTC), or since the start.
---@param time number
---@param digits? integer of the fraction of a second (0)
---@return string
function figures.clock(time, digits)
  local whole, fraction = split(time, digits or 0)
  if figures.is_date(time) then
    return os.date("!%H:%M:%S", math.floor(whole)) .. fraction
  end
  return elapsed(whole) .. fraction
end

--- A date and a time of day (UTC), or since the start.
---@param time number
---@param digits? integer of the fraction of a second (0)
---@return string
function figures.date(time, digits)
  if figures.is_date(time) then
    local whole = split(time, digits or 0)
    return os.date("!%Y-%m-%d ", math.floor(whole)) .. figures.clock(time, digits)
  end
  return figures.clock(time, digits)
end

return figures
