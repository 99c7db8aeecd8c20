--- Spawn and join an empty task COUNT times: one after another, and in batches of 100.
-- usage: strobe spawn.lua [COUNT]
local async = require "strobe.async"
local measure = dofile((arg[0]:match("^.*/") or "") .. "measure.lua")

local BATCH = 100
local count = tonumber(arg[1] or 50000)

local function empty() end

local wall = measure.best(function()
  for _ = 1, count do async.create_task(empty):await() end
end)
measure.result("spawn_ns", wall / count * 1e9, "ns")

wall = measure.best(function()
  for _ = 1, count // BATCH do
    local tasks = {}
    for i = 1, BATCH do tasks[i] = async.create_task(empty) end
    async.gather(table.unpack(tasks))
  end
end)
measure.result("spawn_batch_ns", wall / count * 1e9, "ns")
