--- The state of a unit: plain data, copied whole when its code changes.
--
-- nil, booleans, numbers, strings, and tables of them; tables may be shared, hold themselves, and be nested to any
-- depth. A metatable has to be declared under a name, so that a copy gets the one which the new code has declared.

local copying = require "strobe.core.copy"
local refusals = require "strobe.live.refusal"

local WARN_TABLES, MOST_TABLES = 10000, 200000

local state = { warn_tables = WARN_TABLES, most_tables = MOST_TABLES }

local plain = { ["nil"] = true, boolean = true, number = true, string = true }
local keys = { string = true, number = true, boolean = true }

local function key_text(key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then
    return "." .. key
  end
  return ("[%s]"):format(type(key) == "string" and ("%q"):format(key) or tostring(key))
end

-- "st.book.bids": of a table that was met on the way.
local function path_of(parents, at)
  local parts = {}
  while parents[at] do
    local parent = parents[at]
    table.insert(parts, 1, key_text(parent.key))
    at = parent.table
  end
  return "st" .. table.concat(parts)
end

local function refuse(parents, at, key, what)
  refusals.raise("state_type", ("%s%s is %s"):format(path_of(parents, at), key == nil and "" or key_text(key), what))
end

local article = { ["function"] = "a function", thread = "a coroutine", userdata = "a userdata" }

-- declared: names by metatable of the old code, known: metatables by name of the new one.
local function check_metatable(parents, at, declared, known)
  local metatable = debug.getmetatable(at) -- the real one, also if it is protected
  if metatable == nil then
    return
  end
  local name = declared[metatable]
  if not name then
    refuse(parents, at, nil, "a table with a metatable; declare it with live.type(name, metatable)")
  elseif not known[name] then
    refuse(parents, at, nil, ("of type '%s', which the new code does not declare with live.type"):format(name))
  end
end

-- Looks at what a table has; nested ones are put on the list of what is to be done.
local function look(seen, parents, pending, from)
  for key, value in next, from do
    if not keys[type(key)] then
      refuse(parents, from, nil, ("a table with a %s as a key"):format(type(key)))
    elseif type(value) == "table" then
      if not seen[value] then
        seen[value], parents[value] = true, { table = from, key = key }
        pending[#pending + 1] = value
      end
    elseif not plain[type(value)] then
      refuse(parents, from, key, article[type(value)])
    end
  end
end

-- Raises a Refusal which names the path of what cannot be copied.
local function check(value, declared, known)
  local seen, parents, pending, count = { [value] = true }, {}, { value }, 0
  while #pending > 0 do
    local table_ = table.remove(pending)
    count = count + 1
    if count > MOST_TABLES then
      refusals.raise("state_size", ("st has more than %d tables"):format(MOST_TABLES))
    end
    check_metatable(parents, table_, declared, known)
    look(seen, parents, pending, table_)
  end
end

---@class strobe.live.Types what was declared by live.type
---@field names table<table, string> by metatable
---@field metatables table<string, table> by name
---@field homes table<string, string> the files that declare them, by name

---@return strobe.live.Types
function state.types()
  return { names = {}, metatables = {}, homes = {} }
end

--- Declares one.
---@param types strobe.live.Types
---@param name string
---@param metatable table
---@param home? string the file that does
function state.declare(types, name, metatable, home)
  types.names[metatable], types.metatables[name], types.homes[name] = name, metatable, home
end

--- A deep copy. Raises a Refusal which names the path of what cannot be copied.
---@param value table
---@param from? strobe.live.Types of the code whose state it is
---@param to? strobe.live.Types of the code that gets the copy
---@return table copy
---@return integer tables how many it has
function state.copy(value, from, to)
  to = to or from
  local declared, known = from and from.names or {}, to and to.metatables or {}
  local copy, tables = copying.copy(value, declared, known, MOST_TABLES)
  if not copy then
    check(value, declared, known)
  end
  return copy, tables
end

--- Raises a Refusal for what could not be copied.
---@param value table
---@param types? strobe.live.Types of the code whose state it is
function state.check(value, types)
  check(value, types and types.names or {}, types and types.metatables or {})
end

--- Whether two values are the same data. They hold no cycles.
---@param a any
---@param b any
---@return boolean
function state.equal(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  for key, value in pairs(a) do
    if not state.equal(value, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

return state
