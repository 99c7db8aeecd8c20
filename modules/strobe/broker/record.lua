--- The lines of a journal: `CRC NUMBER JSON`, a record each.
--
--   8fb3a1d2 3 {"op":"cancel","time":1618677817.119,"id":"mm/5/1"}
--
-- The CRC-32 is that of all that follows it, in hexadecimal. The number counts the records from 1. JSON has its fields
-- in one order, sizes and fees with up to 8 decimals, times and prices with the fewest digits that give the same number
-- back: the same records are the same bytes.

local amount = require "strobe.broker.amount"
local json = require "strobe.json"

local UNITS = amount.UNITS
local format = string.format

local record = {}

-- Whole, or with the decimals that it needs.
local function decimal(units)
  local sign = units < 0 and "-" or ""
  local whole, rest = math.abs(units) // UNITS, math.abs(units) % UNITS
  if rest == 0 then
    return format("%s%d", sign, whole)
  end
  return (format("%s%d.%08d", sign, whole, rest):gsub("0+$", ""))
end

local function digits(x)
  for _, form in ipairs { "%.15g", "%.16g" } do
    local text = format(form, x)
    if tonumber(text) == x then
      return text
    end
  end
  return format("%.17g", x)
end

local function quote(text)
  if text:find "^[%w%._/:@%- ]*$" then
    return '"' .. text .. '"'
  end
  return assert(json.encode(text))
end

local function list_fills(fills)
  local texts = {}
  for i, fill in ipairs(fills) do
    texts[i] = ("[%s,%s,%s]"):format(decimal(fill[1]), digits(fill[2]), decimal(fill[3]))
  end
  return "[" .. table.concat(texts, ",") .. "]"
end

-- Fields in their order, and how they are written.
local FIELDS = {
  { "op", quote }, { "version", digits }, { "session", digits }, { "cash", digits }, { "time", digits },
  { "id", quote }, { "unit", quote }, { "shared", tostring }, { "symbol", quote }, { "side", quote },
  { "kind", quote }, { "size", decimal }, { "price", digits }, { "fee", decimal }, { "ahead", decimal },
  { "fills", list_fills },
}

--- The line of a record, with its end.
---@param number integer
---@param value table see ledger.lua
---@param crc32 fun(data: string): integer
---@return string
function record.encode(number, value, crc32)
  local parts = {}
  for _, field in ipairs(FIELDS) do
    local name = field[1]
    if value[name] ~= nil then
      parts[#parts + 1] = '"' .. name .. '":' .. field[2](value[name])
    end
  end
  local body = ("%d {%s}"):format(number, table.concat(parts, ","))
  return ("%08x %s\n"):format(crc32(body), body)
end

-- Numbers of the text as they are in a record.
local function restore(value)
  for _, name in ipairs { "size", "fee", "ahead" } do
    value[name] = value[name] and amount.of(value[name])
  end
  value.session = math.tointeger(value.session)
  for _, fill in ipairs(value.fills or {}) do
    fill[1], fill[3] = amount.of(fill[1]), amount.of(fill[3])
  end
  return value
end

--- The record of a line.
---@param line string without its end
---@param number integer which it must have
---@param crc32 fun(data: string): integer
---@return table? record
---@return string? reason why it is none
function record.decode(line, number, crc32)
  local crc, body = line:match "^(%x%x%x%x%x%x%x%x) (.*)$"
  if not crc then
    return nil, "it is no record"
  elseif crc ~= ("%08x"):format(crc32(body)) then
    return nil, "its checksum is wrong"
  end
  local counted, text = body:match "^(%d+) (.*)$"
  if tonumber(counted) ~= number then
    return nil, ("it has the number %s, %d is missing"):format(tostring(counted), number)
  end
  local value = json.decode(text)
  if type(value) ~= "table" or type(value.op) ~= "string" then
    return nil, "it is no record"
  end
  return restore(value)
end

return record
