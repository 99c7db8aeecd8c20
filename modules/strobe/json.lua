--- JSON by lua-cjson, with defaults that are safe.
--
-- Numbers come as floats (cjson knows no others) and are written with 14 digits;
-- NaN, infinities and hexadecimal are refused. Nesting is limited to 1,000. An
-- empty table is an object; `json.array {}` is an empty array.

local cjson = require("cjson.safe").new()
local mistake = require "strobe.mistake"

local MOST_DEEP = 1000

cjson.decode_max_depth(MOST_DEEP)
cjson.encode_max_depth(MOST_DEEP)
cjson.decode_invalid_numbers(false)
cjson.encode_invalid_numbers(false)

local decode = cjson.decode

local json = {}

--- What JSON null is decoded to, and what encodes to it.
---@type lightuserdata
json.null = cjson.null

local Array = { __name = "json.array" }

-- Marked arrays that exist; while there are none, cjson does all the work.
local marked = setmetatable({}, { __mode = "k" })

--- Marks a list as an array, so that it is one even when empty.
---@param list? table
---@return table list
function json.array(list)
  list = setmetatable(mistake.expect("json.array", "list", "table", list or {}), Array)
  marked[list] = true
  return list
end

-- How many elements a table has as a list; nil when it is an object. As cjson: one
-- with many more holes than elements is refused.
local function length(value)
  local count, most = 0, 0
  for key in pairs(value) do
    if type(key) ~= "number" or key < 1 or key % 1 ~= 0 then
      return nil
    end
    count, most = count + 1, math.max(most, key)
  end
  if most > 10 and most > 2 * count then
    error("Cannot serialise table: excessively sparse array", 0)
  end
  return most
end

local function encode_plain(value)
  local text, message = cjson.encode(value)
  return text or error(message, 0)
end

local encode_value

local function encode_list(list, count, depth)
  local parts = {}
  for i = 1, count do
    parts[i] = encode_value(list[i], depth)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encode_object(object, depth)
  local parts = {}
  for key, value in pairs(object) do
    if type(key) ~= "string" and type(key) ~= "number" then
      error("Cannot serialise " .. type(key) .. ": table key must be a number or string", 0)
    end
    local name = encode_plain(tostring(key))
    parts[#parts + 1] = name .. ":" .. encode_value(value, depth)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode_value(value, depth)
  if type(value) ~= "table" then
    return encode_plain(value)
  elseif depth >= MOST_DEEP then
    error(("Cannot serialise, excessive nesting (%d)"):format(depth + 1), 0)
  end
  local count, is_array = length(value), marked[value]
  if is_array and not count then
    error("Cannot serialise array: it has keys that are no indices", 0)
  elseif is_array or (count or 0) > 0 then
    return encode_list(value, count, depth + 1)
  end
  return encode_object(value, depth + 1)
end

--- A value as JSON text.
---@param value any nil, boolean, number, string, table; json.null and json.array
---@return string? text
---@return string? message what cannot be encoded
---@return string? code "EINVAL"
function json.encode(value)
  local text, message
  if next(marked) then
    local ok, result = pcall(encode_value, value, 0)
    text, message = ok and result, result
  else
    text, message = cjson.encode(value)
  end
  if not text then
    return nil, "json: " .. message, "EINVAL"
  end
  return text
end

--- The value of a JSON text.
---@param text string
---@return any value nil on failure; JSON null is json.null
---@return string? message
---@return string? code "EBADMSG"
---@return integer? offset the byte at which it went wrong, from 1
function json.decode(text)
  local value, message = decode(text)
  if value ~= nil then
    return value
  elseif type(text) ~= "string" then
    error(("json.decode: a string expected, got %s"):format(type(text)), 2)
  end
  local offset = math.tointeger(tonumber(message:match "at character (%d+)"))
  return nil, "json: " .. message, "EBADMSG", offset
end

--- Takes what is null out of a decoded value, in place: for those to whom null and absent are the same. A list that has
--- nulls gets holes.
---@param value table
---@return table value
function json.without_nulls(value)
  mistake.expect("json.without_nulls", "value", "table", value)
  for key, inner in next, value do
    if inner == json.null then
      value[key] = nil
    elseif type(inner) == "table" then
      json.without_nulls(inner)
    end
  end
  return value
end

return json
