-- A first script, in which Python would have `async def` and `await` in many places: here a call that waits just waits,
-- and the other tasks run meanwhile. `strobe init` puts it into a new folder as main.lua.
-- It takes two seconds; with `strobe --clock=virtual main.lua` the same two seconds take no time.

local async = require "strobe.async"

local prices = async.Queue(100)
local start = async.time()

-- Twenty prices, ten per second.
local function feed()
  local price = 100.0
  for _ = 1, 20 do
    async.sleep(0.1)
    price = price + math.random(-5, 5) / 10
    prices:put(price)
  end
  prices:shutdown()
end

-- Five at a time, or what came in a second; nil when the queue was shut down and is empty.
local function next_batch()
  return prices:batch { max = 5, within = 1 }
end

local function report()
  for batch in next_batch do
    print(("%.1f s  %d prices, the last one is %.2f"):format(async.time() - start, #batch, batch[#batch]))
  end
end

local group <close> = async.TaskGroup() -- its end waits for both, and if one fails, the other is cancelled
group:create_task(feed)
group:create_task(report)
