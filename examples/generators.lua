-- Async generators: for loops that wait, send, delegation, closing; and the trap of a table that is used again.
-- In Python: `async def` with `yield`, `async for`, `agen.asend(x)`, `aclosing(…)`; there is no async `yield from`.
-- Here the body gets `yield` as a function; a plain `for` loops, and leaving it early closes the generator at once.

local async = require "strobe.async"

print "-- a loop that waits"
local countdown = async.generator(function(yield, from)
  for i = from, 1, -1 do
    async.sleep(1)
    yield(i)
  end
end)
local start = async.time()
for i in countdown(3) do
  print(("%.0f s: %d"):format(async.time() - start, i))
end

print "-- leaving early closes it: its cleanup has run before the next line does"
local lines = async.generator(function(yield)
  -- Python's `try … finally`.
  local file <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      async.sleep(0.5) -- which may wait
      print "closed"
    end,
  })
  for number = 1, math.huge do
    yield("line " .. number)
  end
end)
for line in lines() do
  print(line)
  if line == "line 2" then
    break
  end
end

print "-- send: a value goes in where one came out"
local average = async.generator(function(yield)
  local sum, count = 0, 0
  local value = yield "ready"
  while value do
    sum, count = sum + value, count + 1
    value = yield(sum / count)
  end
  return "the end"
end)
local running = average()
print(running:next(), running:send(10), running:send(20), running:send(60))
running:close()

print "-- delegation: yield.from hands on what others yield, and what is sent to them"
local days = async.generator(function(yield)
  local first = yield.from(countdown(2)) -- another generator
  yield.from(ipairs { "a", "b" }) -- any iterator
  yield(first)
end)
local seen = {}
for value, more in days() do
  seen[#seen + 1] = more or value
end
print(table.concat(seen, " "))

print "-- one table for all items: fast, but whoever keeps it sees it change"
local ticks = async.generator(function(yield, count)
  local tick = {} -- not made anew for each of a million ticks
  for seq = 1, count do
    tick.seq, tick.price = seq, 100 + seq
    yield(tick)
  end
end)

local total, kept, copies = 0, {}, {}
for tick in ticks(3) do
  total = total + tick.price -- right: used at once
  kept[#kept + 1] = tick -- wrong: three times the same table
  copies[#copies + 1] = { seq = tick.seq, price = tick.price } -- right: a copy of one's own
end

local function prices(list)
  local found = {}
  for i, tick in ipairs(list) do
    found[i] = ("%d"):format(tick.price)
  end
  return table.concat(found, " ")
end

print("total: " .. total)
print("kept: " .. prices(kept))
print("copies: " .. prices(copies))
