--- What the file of a unit returns, checked.

local refusals = require "strobe.live.refusal"

local contracts = {}

local functions = { "init", "migrate", "main", "on_event", "on_batch", "dispose", "on_rollback" }
local forms = { "main", "on_event", "on_batch" }
local known = { version = true, subscribe = true, unsafe = true, batch = true }
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
  local given = {}
  for _, name in ipairs(forms) do
    given[#given + 1] = unit[name] and name or nil
  end
  if #given ~= 1 then
    refuse(path, "exactly one of main, on_event and on_batch expected, got %s",
      #given == 0 and "none" or table.concat(given, " and "))
  end
end

local function check_batch(path, unit)
  local batch = unit.batch
  if batch == nil then
    return
  elseif type(batch) ~= "table" then
    refuse(path, "batch: {size=, wait=} expected, got %s", type(batch))
  elseif not unit.on_batch then
    refuse(path, "batch is for units with on_batch")
  end
  local size, wait = batch.size, batch.wait
  if size ~= nil and (math.type(size) ~= "integer" or size < 1) then
    refuse(path, "batch.size: a whole number of 1 or more expected, got %s", tostring(size))
  elseif wait ~= nil and not (type(wait) == "number" and wait >= 0 and wait < math.huge) then
    refuse(path, "batch.wait: seconds expected, got %s", tostring(wait))
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
---@return strobe.Unit unit
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
  check_batch(path, unit)
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
