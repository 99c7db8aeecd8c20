--- Header fields that we send, and lists that we are sent. RFC 9110, section 5
--
-- Headers are given as a table: the name, in any case, and a string, a number, or a list of them for
-- a field on several lines.

local fields = {}

local TOKEN = "^[%w!#$%%&'*+.^_`|~-]+$"

-- Names that were looked at: what they are in lower case, or false when they are none. Few are in use.
local known, known_count, MOST_KNOWN = {}, 0, 1000

--- A field's name in lower case; false when it is no name.
---@param name any
---@return string|false
function fields.lower(name)
  local lower = known[name]
  if lower ~= nil then
    return lower
  end
  lower = type(name) == "string" and name:find(TOKEN) and name:lower() or false
  if known_count < MOST_KNOWN and type(name) == "string" then
    known[name], known_count = lower, known_count + 1
  end
  return lower
end

-- The text says where, and `level` whose mistake it is, as error() counts.
local function check_field(where, name, value, level)
  local kind = math.type(value) or type(value)
  local good = kind == "string" and not value:find "[\r\n%z]" or kind == "integer" or kind == "float"
  if not good or not fields.lower(name) then
    local text = "%s: header %q: a name without blanks, and a value of one line expected"
    error(text:format(where, tostring(name)), level > 0 and level + 1 or 0)
  end
end

--- Raises, at the caller's caller, for a header that would not be one line.
---@param where string the public function
---@param headers? table<string, string|number|(string|number)[]>
function fields.check(where, headers)
  for name, values in pairs(headers or {}) do
    for _, value in ipairs(type(values) == "table" and values or { values }) do
      check_field(where, name, value, 3)
    end
  end
end

local function by_name(a, b)
  return tostring(a) < tostring(b)
end

-- Appends the lines of one field.
local function add(parts, name, values)
  if type(values) ~= "table" then
    check_field("http", name, values, 0)
    parts[#parts + 1] = name .. ": " .. values .. "\r\n"
    return
  end
  for _, value in ipairs(values) do
    check_field("http", name, value, 0)
    parts[#parts + 1] = name .. ": " .. value .. "\r\n"
  end
end

--- Headers as lines, in the order of their names; raises for one that would be more than its line.
---@param headers? table<string, string|number|(string|number)[]>
---@param left_out? string a name in lower case
---@return string
function fields.text(headers, left_out)
  local names, parts = {}, {}
  for name in pairs(headers or {}) do
    names[#names + 1] = name
  end
  if #names > 1 then
    table.sort(names, by_name)
  end
  for _, name in ipairs(names) do
    if not left_out or fields.lower(name) ~= left_out then
      add(parts, name, headers[name])
    end
  end
  return table.concat(parts)
end

--- Whether a field that is a list has a word, in any case.
---@param value? string
---@param word string lower case
---@return boolean
function fields.has_word(value, word)
  if not value then
    return false
  end
  for part in value:gmatch "[^,]+" do
    if part:match "^%s*(.-)%s*$":lower() == word then
      return true
    end
  end
  return false
end

return fields
