--- Task switch: 100 tasks each do sleep(0) COUNT times.
-- usage: strobe switch.lua [COUNT [times|trace]]: what it costs to measure how long tasks run, or to record events
local async = require "strobe.async"
local measure = dofile((arg[0]:match("^.*/") or "") .. "measure.lua")

local TASKS = 100
local count = tonumber(arg[1] or 5000)
if arg[2] == "times" then
  async.get_running_loop():set_task_times(true)
elseif arg[2] == "trace" then
  async.trace.start()
end

local switcher = async.fn(function()
  for _ = 1, count do async.sleep(0) end
end)

local wall = measure.best(function()
  local switchers = {}
  for i = 1, TASKS do switchers[i] = switcher() end
  async.gather(table.unpack(switchers))
end)
measure.result("switch_ns", wall / (TASKS * count) * 1e9, "ns")
