--- JSON by lua-cjson, with defaults that are safe.
--
-- Numbers come as floats (cjson knows no others) and are written with 14 digits;
-- NaN, infinities and hexadecimal are refused. Nesting is limited to 1,000. An
-- empty table is an object; `json.array {}` is an empty array.

local cjson = require("cjson.safe").new()

cjson.decode_max_depth(1000)
cjson.encode_max_depth(1000)
cjson.decode_invalid_numbers(false)
cjson.encode_invalid_numbers(false)

local json = {}

--- What JSON null is decoded to, and what encodes to it.
json.null = cjson.null

local Array = { __name = "json.array" }

-- Marked arrays that exist; while there are none, cjson does all the work.
local marked = setmetatable({}, { __mode = "k" })

--- Marks a list as an array, so that it is one even when empty.
---@param list? table
---@return table list
function json.array(list)
  list = setmetatable(list or {}, Array)
  marked[list] = true
  return list
end

local encode_value

local function encode_list(list)
  local parts = {}
  for i, value in ipairs(list) do
    parts[i] = encode_value(value)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encode_object(object)
  local parts = {}
  for key, value in pairs(object) do
    local name = assert(cjson.encode(tostring(key)))
    parts[#parts + 1] = name .. ":" .. encode_value(value)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode_value(value)
  if type(value) ~= "table" then
    return assert(cjson.encode(value))
  elseif getmetatable(value) == Array or #value > 0 then
    return encode_list(value)
  end
  return encode_object(value)
end

--- A value as JSON text.
---@param value any nil, boolean, number, string, table; json.null and json.array
---@return string? text
---@return string? message what cannot be encoded
---@return string? code "EINVAL"
function json.encode(value)
  local text, message
  if next(marked) then
    local ok, result = pcall(encode_value, value)
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
  local value, message = cjson.decode(text)
  if value == nil then
    local offset = math.tointeger(tonumber(message:match "at character (%d+)"))
    return nil, "json: " .. message, "EBADMSG", offset
  end
  return value
end

return json
