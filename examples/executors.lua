-- Python ran blocking_io in the loop's thread pool, again by to_thread beside a sleep, and cpu_bound in a pool of
-- processes, since its threads take turns. Here threads run at once, each with a Lua state of its own, so one pool does
-- both; what a function uses is copied to its thread. Run it: strobe examples/executors.lua

local async = require "strobe.async"
local uv = require "luv"

local PARTS, NUMBERS = 8, 1000000

-- Blocks its thread, as reading a slow disk does. async.sleep would wait, and not block.
local function blocking_io(seconds)
  local began = uv.hrtime()
  uv.sleep(seconds * 1000)
  local file <close> = assert(io.open("/dev/urandom", "rb"))
  return #file:read(100), (uv.hrtime() - began) / 1e9 >= seconds
end

-- Keeps a processor busy. `square` is an upvalue, and goes with it.
local function square(n)
  return n * n
end

local function cpu_bound(first, last)
  local sum = 0
  for i = first, last do
    sum = sum + square(i)
  end
  return sum
end

local function in_the_default_pool()
  local loop = async.get_running_loop()
  local bytes = loop:run_in_executor(nil, blocking_io, 0):await()
  print("default pool", bytes, "bytes")
end

-- Both at once: the loop is free while the thread blocks.
local function beside_the_loop()
  local ticks = 0
  local ticking = async.create_task(async.every, 0.02, function()
    ticks = ticks + 1
  end)
  local bytes, blocked = async.to_thread(blocking_io, 0.2)
  ticking:cancel()
  print("to_thread", bytes, "bytes", "it blocked: " .. tostring(blocked), "the loop went on: " .. tostring(ticks > 0))
end

-- The parts of a sum, in order, on all processors.
local function on_all_processors()
  local pool <close> = async.ThreadPoolExecutor()
  local first, last, sum = {}, {}, 0
  for i = 1, PARTS do
    first[i], last[i] = (i - 1) * NUMBERS // PARTS, i * NUMBERS // PARTS - 1
  end
  for part in pool:map(cpu_bound, first, last) do
    sum = sum + part
  end
  print("pool:map", sum, "right: " .. tostring(sum == (NUMBERS - 1) * NUMBERS * (2 * NUMBERS - 1) // 6))
end

-- What cannot be copied is refused before anything runs, and an error comes back with its thread's traceback.
local function what_goes_wrong()
  local pool <close> = async.ThreadPoolExecutor(1)
  local log = io.stderr
  print("refused", select(2, pcall(pool.submit, pool, function()
    log:write "never"
  end)))
  local failed = pool:submit(function()
    error "no such part"
  end)
  print("raised", (select(2, pcall(failed.await, failed)):match "^[^\n]*"))
end

async.run(function()
  in_the_default_pool()
  beside_the_loop()
  on_all_processors()
  what_goes_wrong()
end)
