--- What a service tells about itself: a table of texts, and the strings of its TXT record.
--
-- Source: RFC 6763 section 6.

local text = {}

local MOST = 1000 -- bytes: with the other records it fits in one packet

-- One string; nil and why not.
local function string_of(key, value)
  if type(key) ~= "string" or not key:find "^[\x20-\x3C\x3E-\x7E]+$" then
    return nil, ("a key of printable ASCII without '=' expected, got %s"):format(tostring(key))
  elseif type(value) ~= "string" and type(value) ~= "number" and value ~= true then
    return nil, ("%s: a text, a number or true expected, got %s"):format(key,
      type(value) == "boolean" and "false" or type(value))
  end
  local item = value == true and key or key .. "=" .. value
  if #item > 255 then
    return nil, ("%s: more than 255 bytes"):format(key)
  end
  return item
end

--- The strings for a table, sorted.
---@param values table<string, string|number|true>
---@return string[]?
---@return string? message what is wrong with it
function text.strings(values)
  local strings, size = {}, 0
  for key, value in pairs(values) do
    local item, message = string_of(key, value)
    if not item then
      return nil, message
    end
    strings[#strings + 1], size = item, size + 1 + #item
  end
  if size > MOST then
    return nil, ("more than %d bytes"):format(MOST)
  end
  table.sort(strings)
  return strings
end

--- The table of some strings: of a key that comes twice the first counts; keys are in lower case.
---@param strings string[]
---@return table<string, string|true>
function text.values(strings)
  local values = {}
  for _, item in ipairs(strings) do
    local key, equals, value = item:match "^([^=]+)(=?)(.*)$"
    key = key and key:lower()
    if key and values[key] == nil then
      values[key] = equals == "" or value
    end
  end
  return values
end

return text
