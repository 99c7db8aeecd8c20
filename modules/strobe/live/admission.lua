--- Which units a reload is about, and whether it may begin.

local mistake = require "strobe.mistake"
local refusals = require "strobe.live.refusal"
local runs = require "strobe.live.run"
local sources = require "strobe.live.source"

local admission = {}

-- The files of a unit's code that are not as they were.
local function changed_files(unit)
  local paths = {}
  for path, source in pairs(unit.run and unit.run.generation.graph.sources or {}) do
    if sources.read(path) ~= source.raw then
      paths[#paths + 1] = path
    end
  end
  return paths
end

local function list_of(names)
  return type(names) == "table" and names or { names }
end

--- Raises for a name that no unit has.
---@param runtime strobe.live.Runtime
---@param names? string|string[]
function admission.check_names(runtime, names)
  for _, name in ipairs(list_of(names)) do
    if not runtime.units[name] then
      mistake.raise("there is no unit '%s'", tostring(name))
    end
  end
end

local function named(runtime, names)
  local units = {}
  for i, name in ipairs(list_of(names)) do
    units[i] = runtime.units[name]
  end
  return units
end

--- The units that are named, or without a name all whose files have changed.
---@async
---@param runtime strobe.live.Runtime
---@param names? string|string[]
---@return strobe.live.RunningUnit[]
function admission.meant(runtime, names)
  if names then
    return named(runtime, names)
  end
  local changed = {}
  for _, unit in ipairs({ table.unpack(runtime.order) }) do
    changed[#changed + 1] = #changed_files(unit) > 0 and unit or nil
  end
  return changed
end

--- Those which are meant, and all that share a changed file with one of them.
---@async
---@param runtime strobe.live.Runtime
---@param names? string|string[]
---@return strobe.live.RunningUnit[]
function admission.all(runtime, names)
  local set, list = {}, {}
  for _, unit in ipairs(admission.meant(runtime, names)) do
    set[unit] = true
    for _, path in ipairs(changed_files(unit)) do
      for _, other in ipairs(runtime.order) do
        set[other] = set[other] or other.run and other.run.generation.graph.sources[path] ~= nil
      end
    end
  end
  for _, unit in ipairs(runtime.order) do
    list[#list + 1] = set[unit] and unit or nil
  end
  return list
end

-- A task cannot wait until its own unit stands still.
local function deadlock(units)
  local run = runs.current()
  for _, unit in ipairs(units) do
    if run and run.unit == unit then
      return refusals.new("deadlock", ("a task of unit %s waits for the reload of it"):format(unit.name))
    end
  end
end

--- Why a reload cannot even wait for its turn.
---@param runtime strobe.live.Runtime
---@param names? string|string[]
---@param options? strobe.live.ReloadOptions
---@return strobe.live.Refusal?
function admission.objection(runtime, names, options)
  if runtime.closed then
    return refusals.new("shutdown", "the process is ending")
  elseif options and options.nowait and runtime.lock:locked() then
    return refusals.new("barrier", "another reload is under way")
  end
  return deadlock(named(runtime, names))
end

--- Why a reload of these cannot begin, now that it has its turn.
---@param runtime strobe.live.Runtime
---@param units strobe.live.RunningUnit[]
---@return strobe.live.Refusal?
function admission.objection_inside(runtime, units)
  return admission.objection(runtime) or deadlock(units)
end

return admission
