--- Generations that have been replaced and can still be reached after the collector has come round twice by itself: a
--- task or timer that goes on in old code keeps all of it. Nothing forces a collection.

local core_task = require "strobe.core.task"
local report = require "strobe.report"

-- Rounds of the collector. The one that is under way when a generation is added may have passed it by.
local ROUNDS = 3

-- Counts the collector's rounds while somebody asks.
local collector = { rounds = 0, armed = false, asked = 0 }

local function arm()
  setmetatable({}, {
    __gc = function()
      collector.rounds = collector.rounds + 1
      collector.armed = collector.rounds < collector.asked
      if collector.armed then
        arm()
      end
    end,
  })
end

local function ask()
  collector.asked = collector.rounds + ROUNDS
  if not collector.armed then
    collector.armed = true
    arm()
  end
end

---@class strobe.live.Leftovers
---@field private waiting table<strobe.live.Generation, table> held weakly
---@field private warn fun(unit: string, text: string)
local Leftovers = {}
Leftovers.__index = Leftovers

---@param warn fun(unit: string, text: string)
---@return strobe.live.Leftovers
function Leftovers.new(warn)
  return setmetatable({
    waiting = setmetatable({}, { __mode = "k" }), due = math.huge, warn = warn,
  }, Leftovers)
end

--- A generation that nobody should need any more.
---@param generation strobe.live.Generation
---@param unit strobe.live.RunningUnit
function Leftovers:add(generation, unit)
  ask()
  self.due = math.min(self.due, collector.asked)
  self.waiting[generation] = { unit = unit.name, number = generation.number, due = collector.asked }
end

-- The tasks that are still in its code, in words.
local function holders(generation)
  local runs = require "strobe.live.run" -- which knows the runtime, and that us
  local names = {}
  for _, task in ipairs(core_task.all()) do
    local run = task:get_context():get(runs.variable)
    if run and run.generation == generation then
      names[#names + 1] = ("%s at %s"):format(task:get_name(), report.where(task) or "?")
    end
  end
  return #names > 0 and table.concat(names, ", ") or "something that is kept, a port, or a callback"
end

-- Warns once of each whose time has come.
local function look(leftovers)
  leftovers.due = math.huge
  for generation, info in pairs(leftovers.waiting) do
    if info.due <= collector.rounds and not info.told then
      info.told = true
      leftovers.warn(info.unit, ("gen %d is still held after two rounds of the collector, by %s"):format(info.number,
        holders(generation)))
    elseif not info.told then
      leftovers.due = math.min(leftovers.due, info.due)
    end
  end
end

--- Looks, if the collector has come round often enough.
function Leftovers:glance()
  if collector.rounds >= self.due then
    look(self)
  end
end

--- How many there are whose time has come.
---@return integer
function Leftovers:count()
  local count = 0
  for _, info in pairs(self.waiting) do
    count = count + (info.due <= collector.rounds and 1 or 0)
  end
  return count
end

--- Those of a unit whose time has come, and what holds each, in words.
---@param unit string its name
---@return {gen: integer, by: string}[] the oldest first
function Leftovers:list(unit)
  local list = {}
  for generation, info in pairs(self.waiting) do
    if info.unit == unit and info.due <= collector.rounds then
      list[#list + 1] = { gen = info.number, by = holders(generation) }
    end
  end
  table.sort(list, function(a, b)
    return a.gen < b.gen
  end)
  return list
end

return Leftovers
