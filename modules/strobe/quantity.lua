--- Quantities as people read them: three digits, and the unit that suits them.

local quantity = {}

local SMALL = { { 1, "s" }, { 1e-3, "ms" }, { 1e-6, "µs" }, { 1e-9, "ns" } }
local LARGE = { { 86400, "d", 3600, "h" }, { 3600, "h", 60, "m" }, { 60, "m", 1, "s" } }
local BYTES = { { 1024 ^ 3, "GiB" }, { 1024 ^ 2, "MiB" }, { 1024, "KiB" } }

-- "1.23", "12.3", "123"
local function three_digits(number)
  local decimals = number < 9.995 and 2 or number < 99.95 and 1 or 0
  return ("%." .. decimals .. "f"):format(number)
end

--- "2d 3h", "4m 5s", "1.23 s", "350 µs"; "-" when it is not known.
---@param seconds? number
---@return string
function quantity.duration(seconds)
  if not seconds or seconds ~= seconds then
    return "-"
  elseif seconds == math.huge then
    return "for ever"
  elseif seconds < 0 then
    return "-" .. quantity.duration(-seconds)
  elseif seconds < 59.95 then
    for _, unit in ipairs(SMALL) do
      if seconds >= unit[1] * 0.9995 then
        return ("%s %s"):format(three_digits(seconds / unit[1]), unit[2])
      end
    end
    return "0 s"
  end
  seconds = math.floor(seconds + 0.5)
  for _, unit in ipairs(LARGE) do
    if seconds >= unit[1] then
      return ("%d%s %d%s"):format(seconds // unit[1], unit[2], seconds % unit[1] // unit[3], unit[4])
    end
  end
end

--- "7 s", "4m 5s", "2d 3h": a time in whole seconds.
---@param seconds number
---@return string
function quantity.span(seconds)
  seconds = math.floor(seconds)
  return seconds < 60 and ("%d s"):format(seconds) or quantity.duration(seconds)
end

--- "1,234,567"; "-" when it is not known.
---@param number? number a whole one
---@return string
function quantity.count(number)
  if not number then
    return "-"
  end
  local sign, digits = ("%.0f"):format(number):match "^(-?)(%d+)$"
  if not digits then
    return tostring(number)
  end
  return sign .. digits:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "")
end

--- "512 B", "1.21 KiB", "34.5 MiB"; "-" when it is not known.
---@param bytes? number
---@return string
function quantity.bytes(bytes)
  if not bytes then
    return "-"
  elseif bytes < 0 then
    return "-" .. quantity.bytes(-bytes)
  end
  for _, unit in ipairs(BYTES) do
    if bytes >= unit[1] then
      return ("%s %s"):format(three_digits(bytes / unit[1]), unit[2])
    end
  end
  return ("%.0f B"):format(bytes)
end

--- "0.25/s", "12.3/s", "1,234/s"; "-" when it is not known.
---@param rate? number a second
---@return string
function quantity.rate(rate)
  if not rate then
    return "-"
  elseif rate == 0 then
    return "0/s"
  elseif rate < 99.95 then
    return three_digits(rate) .. "/s"
  end
  return quantity.count(math.floor(rate + 0.5)) .. "/s"
end

--- "70%", "0.4%", "<0.1%"; "-" when it is not known.
---@param part? number of 1
---@return string
function quantity.percent(part)
  if not part then
    return "-"
  end
  local percent = part * 100
  if percent > 0 and percent < 0.05 then
    return "<0.1%"
  end
  return percent > 0 and percent < 9.95 and ("%.1f%%"):format(percent) or ("%.0f%%"):format(percent)
end

--- "1 task", "2 tasks", "1,234 tasks"
---@param number number
---@param noun string
---@param plural? string
---@return string
function quantity.noun(number, noun, plural)
  return ("%s %s"):format(quantity.count(number), number == 1 and noun or plural or noun .. "s")
end

return quantity
