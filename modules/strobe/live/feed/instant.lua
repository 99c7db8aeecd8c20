--- Times as exchanges write them, as seconds since 1970.
--
-- A number is in seconds, milliseconds, microseconds or nanoseconds: whichever lies within the years 1973 to 5138.
-- A text is a number, or RFC 3339 in UTC: "2021-02-22T15:51:44.208Z".

local RFC3339 = "^(%d%d%d%d)-(%d%d)-(%d%d)[Tt ](%d%d):(%d%d):(%d%d%.?%d*)[Zz]?$"

local instants = {}

local function of_number(value)
  if value ~= value or value < 0 or value >= 1e20 then
    return nil
  elseif value >= 1e17 then
    return value / 1e9
  elseif value >= 1e14 then
    return value / 1e6
  elseif value >= 1e11 then
    return value / 1e3
  end
  return value + 0.0
end

-- Days from 1970-01-01 in the calendar of today; years begin in March, so that the odd day is their last.
local function days_of(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 719469
end

local function of_date(text)
  local year, month, day, hour, minute, second = text:match(RFC3339)
  if not year then
    return nil
  end
  month, day = tonumber(month), tonumber(day)
  if month < 1 or month > 12 or day < 1 or day > 31 then
    return nil
  end
  return days_of(tonumber(year), month, day) * 86400 + hour * 3600 + minute * 60 + tonumber(second)
end

--- Seconds since 1970; nil for what is no time.
---@param value any
---@return number?
function instants.seconds(value)
  if type(value) == "string" then
    return of_date(value) or instants.seconds(tonumber(value))
  end
  return type(value) == "number" and of_number(value) or nil
end

return instants
