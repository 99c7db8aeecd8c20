--- Takes much memory, lets go of it, and falls quiet but for a look every few milliseconds, until
-- Lua's objects are few again: prints their MiB at the most and in the end, then the resident
-- memory before, at the most and in the end.
-- usage: strobe scavenger_program.lua tasks|tables
local async = require "strobe.async"
local host = require "strobe.core.host"

local TASKS, TABLES = 20000, 200000

local function resident()
  local file <close> = io.open "/proc/self/statm"
  if not file then
    return 0
  end
  local _, pages = file:read("n", "n")
  return pages * 4 / 1024
end

local function heap()
  return collectgarbage "count" / 1024
end

local take = {}

-- Each task holds a little, and all end at once.
function take.tasks()
  local gate, list = async.Event(), {}
  for i = 1, TASKS do
    list[i] = async.create_task(function()
      local own = { i, tostring(i), {} }
      gate:wait()
      return own
    end)
  end
  async.sleep(0)
  local most_heap, most_resident = heap(), resident()
  gate:set()
  async.wait(list)
  return most_heap, most_resident
end

-- One task builds a large table and drops it.
function take.tables()
  local list = {}
  for i = 1, TABLES do
    list[i] = { i, tostring(i), {} }
  end
  assert(#list == TABLES)
  return heap(), resident()
end

host.scavenge_after(0.01)
local before = resident()
local most_heap, most_resident = take[arg[1]]()
local rounds = host.statistics().scavenged
while host.statistics().scavenged == rounds or heap() > most_heap / 4 do
  async.sleep(0.02)
end
print(("%.1f %.1f %.1f %.1f %.1f"):format(most_heap, heap(), before, most_resident, resident()))
