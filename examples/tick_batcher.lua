-- A tick batcher: an async generator of ticks, a class that collects them, a timer
-- that reports each second what came. In Python: `async for`, a `@timer(1)` decorator
-- and `gather`; here a plain `for`, a function that wraps a function, and gather.

local async = require "strobe.async"

-- The market: three ticks a second on average, the same each time it is run.
local ticks = async.generator(function(yield, count)
  local random, price = 12345, 100.0
  for seq = 1, count do
    random = (random * 1103515245 + 12345) % 2 ^ 31
    async.sleep(0.1 + random % 500 / 1000)
    price = price + (random // 1000 % 21 - 10) / 100
    yield { seq = seq, price = price, size = 1 + random // 7 % 5 }
  end
end)

local TickBatcher = {}
TickBatcher.__index = TickBatcher

function TickBatcher.new()
  return setmetatable({ batch = {}, total = 0 }, TickBatcher)
end

function TickBatcher:sub(count)
  for tick in ticks(count) do
    table.insert(self.batch, tick)
  end
end

-- Takes what came since the last time.
function TickBatcher:take()
  local batch = self.batch
  self.batch, self.total = {}, self.total + #batch
  return batch
end

TickBatcher.run = async.timer(1)(function(self)
  local batch = self:take()
  local volume, value = 0, 0
  for _, tick in ipairs(batch) do
    volume, value = volume + tick.size, value + tick.size * tick.price
  end
  print(("%2.0f s: %d ticks, volume %d, vwap %.2f"):format(async.time() - self.start, #batch, volume, value / volume))
end)

async.run(function()
  local batcher = TickBatcher.new()
  batcher.start = async.time()
  local sub = async.create_task(batcher.sub, batcher, 20)
  local run = async.create_task(batcher.run, batcher)
  sub:await()
  async.sleep(1)
  run:cancel()
  print(("%d ticks in all"):format(batcher.total))
end)
