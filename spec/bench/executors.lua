--- Executors: jobs through threads, what copying costs, work on all processors, memory of a worker.
-- usage: strobe executors.lua [JOBS [FIB]]      jobs of each kind; the size of the work that is all CPU
local async = require "strobe.async"
local core = require "strobe.core.executor"
local measure = dofile((arg[0]:match("^.*/") or "") .. "measure.lua")
local uv = require "luv"

local jobs = tonumber(arg[1] or 10000)
local size = tonumber(arg[2] or 27)

local WORKERS, AT_ONCE, RECORDS = 16, 100, 10000

local function tick()
  return {symbol = "btc_usd", price = 42000.25, size = 0.5, seq = 12345, is_bid = true, ts = 1700000000.125}
end

local function nothing() end

local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

local function identity(value)
  return value
end

-- One after another, each awaited: the way there and back.
local function in_a_row(f, value)
  return measure.best(function()
    for _ = 1, jobs do async.to_thread(f, value) end
  end) / jobs
end

local function at_once(ex)
  return measure.best(function()
    for _ = 1, jobs // AT_ONCE do
      local futures = {}
      for i = 1, AT_ONCE do futures[i] = ex:submit(nothing) end
      async.gather(table.unpack(futures))
    end
  end) / jobs
end

local function in_chunks(ex, list)
  return measure.best(function()
    local count = 0
    for _ in ex:map(identity, list, {chunksize = 100}) do count = count + 1 end
    assert(count == jobs)
  end) / jobs
end

local function report_jobs(ex)
  local list = {}
  for i = 1, jobs do list[i] = i end
  measure.result("to_thread_us", in_a_row(nothing) * 1e6, "us")
  measure.result("to_thread_table_us", in_a_row(identity, tick()) * 1e6, "us")
  measure.result("jobs_per_s", 1 / at_once(ex), "jobs/s")
  measure.result("map_calls_per_s", 1 / in_chunks(ex, list), "calls/s")
end

-- Packed and unpacked, in one thread.
local function report_copies()
  local small, text, records = tick(), ("x"):rep(1 << 20), {}
  for i = 1, RECORDS do records[i] = tick() end
  local wall = measure.best(function()
    for _ = 1, jobs do core.copy(small) end
  end)
  measure.result("copy_table_us", wall / jobs * 1e6, "us")
  wall = measure.best(function() core.copy(records) end)
  measure.result("copy_records_per_s", RECORDS / wall, "records/s")
  wall = measure.best(function()
    for _ = 1, 20 do core.copy(text) end
  end)
  measure.result("copy_mb_per_s", 20 * #text / 1e6 / wall, "MB/s")
end

-- The same work by one after another here, and by the pool.
local function report_speed_up(ex)
  local cores, list = uv.available_parallelism(), {}
  for i = 1, 4 * cores do list[i] = size end
  local alone = measure.best(function()
    for _, n in ipairs(list) do fib(n) end
  end)
  local together = measure.best(function()
    for _ in ex:map(fib, list, {buffersize = #list}) do end
  end)
  measure.result("cpu_jobs_per_s", #list / together, "jobs/s")
  measure.result("speed_up", alone / together, "x")
end

local function report_memory()
  collectgarbage()
  local before = measure.resident()
  local ex <close> = async.ThreadPoolExecutor(WORKERS)
  local futures = {}
  for i = 1, WORKERS do
    futures[i] = ex:submit(function() require "luv".sleep(200) end)
  end
  async.gather(table.unpack(futures))
  measure.result("worker_bytes", (measure.resident() - before) / WORKERS, "bytes")
end

async.get_running_loop().slow_callback_duration = 100
report_memory()
do
  local ex <close> = async.ThreadPoolExecutor(uv.available_parallelism())
  report_jobs(ex)
  report_speed_up(ex)
end
report_copies()
