--- Start /bin/true COUNT times and wait for its end: one after another, and 16 at a time.
-- usage: strobe subprocess.lua [COUNT]
local async = require "strobe.async"
local measure = dofile((arg[0]:match("^.*/") or "") .. "measure.lua")

local AT_ONCE = 16
local count = tonumber(arg[1] or 160)

local function start_and_wait()
  async.create_subprocess_exec("/bin/true"):wait()
end

local wall = measure.best(function()
  for _ = 1, count do start_and_wait() end
end)
measure.result("subprocess_per_s", count / wall, "/s")

wall = measure.best(function()
  for _ = 1, count // AT_ONCE do
    local tasks = {}
    for i = 1, AT_ONCE do tasks[i] = async.create_task(start_and_wait) end
    async.gather(table.unpack(tasks))
  end
end)
measure.result("subprocess_batch_per_s", count // AT_ONCE * AT_ONCE / wall, "/s")
