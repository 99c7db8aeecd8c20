--- The loop's time.

local core = require "strobe.core.time"

local time = {}

--- Waits; returns the further arguments. sleep(0) lets the other ready tasks run
--- once. asyncio.sleep
---@async
---@param seconds number below 0 is 0; math.huge waits until cancelled
---@param ... any
---@return any ...
time.sleep = core.sleep

--- Waits until `time()` is at least `when`.
---@async
---@param when number seconds of loop time
time.sleep_until = core.sleep_until

--- The loop's clock: seconds, monotonic; live, scaled or virtual as started with.
--- loop.time
---@return number
time.time = core.now

--- Seconds since 1970 on the loop's clock: a virtual one began in 2020. time.time
---@return number
time.wall_time = core.wall

return time
