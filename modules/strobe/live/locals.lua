--- Tables in the local variables of modules, such as a cache: they are not preserved over a reload, and a report that
--- does not say so would let somebody look for what is gone.
--
-- Best effort: seen are the variables that functions reach which the module returns, or which such functions use in
-- turn. Whether a table has changed is told by a sum over what it holds, up to so many entries.

local locals = {}

-- Entries of a table, with those nested in it, that are looked at; functions of a module.
local ENTRIES, FUNCTIONS = 1000, 1000

---@class strobe.live.Local
---@field name string
---@field path string
---@field line integer
---@field sum integer of what it held when the module was loaded
---@field private f function whose variable it is
---@field private index integer

-- A number that is the same for equal strings, or for the same object.
local function number_of(value)
  local text = type(value) == "table" and "table" or type(value) == "function" and ("%p"):format(value)
    or ("%s %s"):format(math.type(value) or type(value), tostring(value))
  local h = 5381
  for i = 1, math.min(#text, 64) do
    h = h * 33 ~ text:byte(i)
  end
  return h + #text
end

-- The order in which entries are met does not matter.
local function sum_of(root)
  local sum, left, pending, seen = 0, ENTRIES, { root }, { [root] = true }
  while #pending > 0 do
    local t = table.remove(pending)
    for key, value in next, t do
      left = left - 1
      if left < 0 then
        return sum
      end
      sum = sum + number_of(key) * 31 ~ number_of(value)
      if type(value) == "table" and not seen[value] then
        seen[value] = true
        pending[#pending + 1] = value
      end
    end
  end
  return sum
end

-- The line that declares a local, as far as the text shows it.
local function line_of(text, name, otherwise)
  local number = 0
  for line in (text .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    local declared = line:match "^%s*local%s+([^=]+)"
    if declared and declared:find("%f[%w_]" .. name .. "%f[^%w_]") then
      return number
    end
  end
  return otherwise
end

local function add_functions(value, pending)
  if type(value) == "function" then
    pending[#pending + 1] = value
  elseif type(value) == "table" then
    for _, field in next, value do
      pending[#pending + 1] = type(field) == "function" and field or nil
    end
  end
end

-- What it holds now; nil may be a table later.
local function sum_now(variable)
  local _, value = debug.getupvalue(variable.f, variable.index)
  return type(value) == "table" and sum_of(value) or 0
end

-- Whether the variable can be one of the module's tables.
local function is_data(value, ignored)
  return value == nil or type(value) == "table" and not ignored[value] and getmetatable(value) == nil
end

-- Notes the variables of a function that are tables, once each; functions go on the list.
local function look_at(f, info, context)
  for index = 1, info.nups do
    local name, value = debug.getupvalue(f, index)
    local id = debug.upvalueid(f, index)
    if name ~= "_ENV" and not context.seen[id] and is_data(value, context.ignored) then
      context.seen[id] = true
      local variable = { name = name, path = context.source.path, f = f, index = index }
      variable.line, variable.sum = line_of(context.source.text, name, info.linedefined), sum_now(variable)
      table.insert(context.list, variable)
    end
    add_functions(value, context.pending)
  end
end

--- Notes the tables of a module that was executed just now.
---@param source strobe.live.Source
---@param value any what it returned
---@param ignored table<table, true> tables that are no data of the module's, as what it requires
---@return strobe.live.Local[]
function locals.of(source, value, ignored)
  local context = { source = source, ignored = ignored, list = {}, seen = {}, pending = {} }
  add_functions(value, context.pending)
  local looked = 0
  while #context.pending > 0 and looked < FUNCTIONS do
    local f = table.remove(context.pending)
    local info = not context.seen[f] and debug.getinfo(f, "Su")
    context.seen[f] = true
    if info and info.source == "@" .. source.path then
      looked = looked + 1
      look_at(f, info, context)
    end
  end
  return context.list
end

--- Those which have changed since, in the order of their lines.
---@param list strobe.live.Local[]
---@return strobe.live.Local[]
function locals.changed(list)
  local changed = {}
  for _, variable in ipairs(list) do
    changed[#changed + 1] = sum_now(variable) ~= variable.sum and variable or nil
  end
  table.sort(changed, function(a, b)
    return a.line < b.line or a.line == b.line and a.name < b.name
  end)
  return changed
end

return locals
