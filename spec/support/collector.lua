--- The garbage collector, for specs of what becomes of things that were dropped.

local async = require "strobe.async"

local collector = {}

-- Ends of tasks that the collector starts, and what these leave to collect.
local ROUNDS = 3

--- Collects what is garbage, and lets the cleanup that this begins go on; it may wait
--- for nothing but its turn.
---@async
function collector.collect()
  for _ = 1, ROUNDS do
    collectgarbage()
    collectgarbage() -- a finalizer keeps its value until the next round
    async.sleep(0)
    async.sleep(0)
  end
end

return collector
