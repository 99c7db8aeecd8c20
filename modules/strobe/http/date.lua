--- Dates of HTTP: RFC 9110, section 5.6.7. Pure: they know no clock but what they are given.

local date = {}

local DAY = 86400

local days = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" }
local long_days = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" }
local months = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

local function numbers_of(names)
  local numbers = {}
  for i, name in ipairs(names) do
    numbers[name] = i
  end
  return numbers
end

local is_day, is_long_day, month_of = numbers_of(days), numbers_of(long_days), numbers_of(months)

-- Seconds since 1970 of what the four digits of a year can say.
local FIRST, LAST = -62135596800, 253402300799

-- Days from 1970 to a day of the Gregorian calendar. Years begin with March here, so
-- that the leap day is the last.
local function days_to(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 719469
end

-- The day of the Gregorian calendar so many days after 1970.
local function day_after(count)
  local n = count + 719468
  local century = (4 * n + 3) // 146097
  local rest = n - 146097 * century // 4
  local year = (4 * rest + 3) // 1461
  rest = rest - 1461 * year // 4
  local month = (5 * rest + 2) // 153
  local day = rest - (153 * month + 2) // 5 + 1
  year, month = year + 100 * century, month + 3
  if month > 12 then
    year, month = year + 1, month - 12
  end
  return year, month, day
end

--- The date as it is to be sent, IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT". What is
--- before the year 1 or after 9999 becomes the nearest date that there is.
---@param seconds number since 1970
---@return string
function date.format(seconds)
  local at = math.floor(math.max(FIRST, math.min(LAST, seconds)))
  local count, second = at // DAY, at % DAY
  local year, month, day = day_after(count)
  return ("%s, %02d %s %04d %02d:%02d:%02d GMT"):format(days[(count + 3) % 7 + 1], day, months[month], year,
    second // 3600, second // 60 % 60, second % 60)
end

local function days_in(year, month)
  return month == 12 and 31 or days_to(year, month + 1, 1) - days_to(year, month, 1)
end

-- Seconds since 1970, or nil when there is no such date. A leap second is the one before.
local function seconds_of(year, month_name, day, hour, minute, second)
  local month = month_of[month_name]
  year, day = math.tointeger(tonumber(year)), math.tointeger(tonumber(day))
  hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second)
  if not month or year == 0 or day < 1 or day > days_in(year, month) or hour > 23 or minute > 59 or second > 60 then
    return nil
  end
  return days_to(year, month, day) * DAY + hour * 3600 + minute * 60 + math.min(second, 59)
end

local function parse_imf(text)
  local name, day, month, year, hour, minute, second =
    text:match "^(%a%a%a), (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$"
  return is_day[name] and seconds_of(year, month, day, hour, minute, second)
end

-- The two digits of a year stand for one that is at most 50 years ahead.
local function parse_rfc850(text, now)
  local name, day, month, year, hour, minute, second =
    text:match "^(%a+), (%d%d)%-(%a%a%a)%-(%d%d) (%d%d):(%d%d):(%d%d) GMT$"
  if not is_long_day[name] then
    return nil
  end
  local this_year = day_after(math.floor(now) // DAY)
  year = this_year - this_year % 100 + tonumber(year)
  local seconds = seconds_of(year, month, day, hour, minute, second)
  if year > this_year + 50 or seconds and seconds > now + 50 * 365.2425 * DAY then
    return seconds_of(year - 100, month, day, hour, minute, second)
  end
  return seconds
end

local function parse_asctime(text)
  local name, month, day, hour, minute, second, year =
    text:match "^(%a%a%a) (%a%a%a) ([ %d]%d) (%d%d):(%d%d):(%d%d) (%d%d%d%d)$"
  return is_day[name] and seconds_of(year, month, day, hour, minute, second)
end

--- Reads any of the three formats: IMF-fixdate, RFC 850's and asctime's. That the day
--- of the week is right is not checked.
---@param text string
---@param now? number seconds since 1970, for years of two digits (2020-01-01)
---@return number? seconds since 1970; nil when it is no date
function date.parse(text, now)
  return parse_imf(text) or parse_rfc850(text, now or 1577836800) or parse_asctime(text) or nil
end

return date
