--- What the strobe programs share: best of five, resident memory, the result line.
local async = require "strobe.async"

local ROUNDS = 5

local measure = {}

--- Runs work() once to warm up, then five times. May wait.
---@param work fun()
---@return number wall least seconds
---@return number cpu least seconds of processor time
function measure.best(work)
  work()
  local wall, cpu = math.huge, math.huge
  for _ = 1, ROUNDS do
    local wall_start, cpu_start = async.time(), os.clock()
    work()
    wall = math.min(wall, async.time() - wall_start)
    cpu = math.min(cpu, os.clock() - cpu_start)
  end
  return wall, cpu
end

--- Resident memory of this process in bytes.
---@return number
function measure.resident()
  for line in io.lines("/proc/self/status") do
    local kilobytes = line:match("^VmRSS:%s+(%d+)")
    if kilobytes then return kilobytes * 1024 end
  end
  error("no VmRSS in /proc/self/status")
end

---@param name string
---@param value number
---@param unit string
function measure.result(name, value, unit)
  print(("RESULT %s %.6g %s"):format(name, value, unit))
end

return measure
