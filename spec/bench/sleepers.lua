--- COUNT tasks sleep until one deadline, SECONDS after the start: bytes each, and the time
-- from the deadline to the last wake. All have to be created before the deadline.
-- usage: strobe sleepers.lua [COUNT [SECONDS]]
local async = require "strobe.async"
local measure = dofile((arg[0]:match("^.*/") or "") .. "measure.lua")

local count, seconds = tonumber(arg[1] or 1000000), tonumber(arg[2] or 15)

--- Starts n sleepers; the future gets the seconds by which the last one was late.
local function start(n, deadline)
  local left, done, tasks = n, async.Future(), {}
  local function sleeper()
    async.sleep_until(deadline)
    left = left - 1
    if left == 0 then done:set_result(async.time() - deadline) end
  end
  for i = 1, n do tasks[i] = async.create_task(sleeper) end
  return done, tasks
end

start(1000, async.time() + 0.1):await()
collectgarbage()
local before = measure.resident()
local deadline = async.time() + seconds
local done, tasks = start(count, deadline)
async.sleep(0) -- all of them have started to sleep
if async.time() >= deadline then
  error("the deadline passed before all were created: give more seconds")
end
local used = measure.resident() - before
local late = done:await()
measure.result("sleeper_bytes", used / #tasks, "B")
measure.result("wake_all_s", late, "s")
measure.result("wake_each_us", late / #tasks * 1e6, "us")
