--- What the file of a unit returns, checked.

local refusals = require "strobe.live.refusal"

local contracts = {}

local functions = { "init", "migrate", "main", "on_event", "dispose", "on_rollback" }
local known = { version = true, subscribe = true, unsafe = true }
for _, name in ipairs(functions) do
  known[name] = true
end
known.parameters = true

local function refuse(path, text, ...)
  refusals.raise("contract", text:format(...), path .. ":1")
end

local function check_functions(path, unit)
  for _, name in ipairs(functions) do
    if unit[name] ~= nil and type(unit[name]) ~= "function" then
      refuse(path, "%s: a function expected, got %s", name, type(unit[name]))
    end
  end
  if (unit.main == nil) == (unit.on_event == nil) then
    refuse(path, "exactly one of main and on_event expected")
  end
end

local function check_subscribe(path, subscribe)
  if type(subscribe) ~= "table" then
    refuse(path, "subscribe: a list of streams expected, got %s", type(subscribe))
  end
  local seen, count = {}, 0
  for _ in pairs(subscribe) do
    count = count + 1
  end
  for i = 1, count do
    local stream = subscribe[i]
    if type(stream) ~= "string" or stream == "" then
      refuse(path, "subscribe[%d]: a stream's name expected, got %s", i, tostring(stream))
    elseif seen[stream] then
      refuse(path, "subscribe[%d]: '%s' is in the list already", i, stream)
    end
    seen[stream] = true
  end
end

-- What a trader turns: shown in reports, so plain.
local function check_parameters(path, parameters)
  if type(parameters) ~= "table" then
    refuse(path, "parameters: a table expected, got %s", type(parameters))
  end
  for name, value in pairs(parameters) do
    local kind = type(value)
    if type(name) ~= "string" or kind ~= "number" and kind ~= "string" and kind ~= "boolean" then
      refuse(path, "parameters.%s: numbers, strings and booleans by name expected, got %s", tostring(name), kind)
    end
  end
end

--- Checks one. Raises a Refusal.
---@param path string of the unit's file
---@param unit any what it returned
---@param is_unsafe? boolean what its text says about that
---@return strobe.live.Contract unit
---@return string[] warnings
function contracts.check(path, unit, is_unsafe)
  if type(unit) ~= "table" then
    refusals.raise("empty", ("%s returned %s, not the unit's table"):format(path, type(unit)), path .. ":1")
  elseif math.type(unit.version) ~= "integer" or unit.version < 1 then
    refuse(path, "version: a whole number of 1 or more expected, got %s", tostring(unit.version))
  elseif unit.unsafe ~= nil and type(unit.unsafe) ~= "boolean" then
    refuse(path, "unsafe: a boolean expected, got %s", type(unit.unsafe))
  end
  if (unit.unsafe == true) ~= (is_unsafe == true) then
    refuse(path, "unsafe: write `unsafe = true` in this file, or leave it out; it is read before the code runs")
  end
  check_functions(path, unit)
  check_subscribe(path, unit.subscribe or {})
  check_parameters(path, unit.parameters or {})
  local warnings = { unit.unsafe and "unsafe = true: the new code is not on probation" or nil }
  for name in pairs(unit) do
    if not known[name] then
      warnings[#warnings + 1] = ("the contract has no field '%s'"):format(tostring(name))
    end
  end
  table.sort(warnings)
  return unit, warnings
end

return contracts
