--- What an attached client costs a process: how late a second unit gets its events while the first one gets 100,000 a
-- second, and the processor time for each event when they come as fast as they are taken, for a machine that is idle in
-- between is slower at each. Alone, and beside one client that watches the stream, looks at all tasks once a second,
-- evaluates an expression ten times a second, or does nothing. On a real clock; clients are other processes.
-- usage: strobe attach/target.lua SECONDS [RATE]
package.path = (arg[0]:match("^.*/") or "") .. "../live/?.lua;" .. package.path
local async = require "strobe.async"
local attach = require "strobe.attach"
local live = require "strobe.live"
local program = require("strobe.core.host").program
local time = require "strobe.core.time"
local uv = require "luv"
local Folder = require "folder"
local here = arg[0]:match("^.*/") or ""
local measure = dofile(here .. "../measure.lua")

local SECONDS, RATE, ROUNDS = tonumber(arg[1]), tonumber(arg[2] or 100000), 8

local UNIT = [[return {version = 1, subscribe = {"ticks"}, on_event = function(ctx, st, m)
  st.count, st.turnover = (st.count or 0) + 1, (st.turnover or 0) + m.data.price * m.data.size
end}]]
local WITNESS = [[return {version = 1, subscribe = {"pings"}, on_event = function(ctx, st, m) m.data() end}]]

local ticks = {}
for i = 1, 1000 do
  ticks[i] = {ts = 1e9 + i, seq = i, is_trade = true, is_bid = i % 2 == 0, price = 100 + i % 7, size = i % 11}
end

-- Offers ticks for so long, as many as are taken.
local function saturate(runtime)
  local began, count, bench = time.real(), 0, runtime.units.bench
  while time.real() - began < SECONDS do
    for _ = 1, 200 do
      count = count + 1
      runtime:offer("ticks", ticks[count % 1000 + 1])
    end
    repeat
      async.sleep(0)
    until #bench.inbox == 0
  end
  return count
end

--- Offers ticks at the rate for so long, and pings; returns how many ticks there were, and how late each ping came.
local function feed(runtime)
  local began, count, late = time.real(), 0, {}
  while time.real() - began < SECONDS do
    local due, sent = math.floor((time.real() - began) * RATE), time.real()
    runtime:offer("pings", function() late[#late + 1] = time.real() - sent end)
    while count < due do
      count = count + 1
      runtime:offer("ticks", ticks[count % 1000 + 1])
    end
    async.sleep(0.001)
  end
  return count, late
end

local function start_client(what)
  local child = async.create_subprocess_exec(program, here .. "client.lua", ("%d"):format(uv.os_getpid()), what,
    {stdout = async.subprocess.PIPE})
  assert(child.stdout:readline():find("ready"))
  return child
end

local function percentile(list, part)
  table.sort(list)
  return list[math.max(1, math.ceil(#list * part))]
end

--- Microseconds of processor time for each event beside such a client, and how late the witness was.
local function run(folder, what)
  local child = what and start_client(what)
  local count, late = feed(folder.runtime)
  Folder.drain(folder.runtime.units.bench)
  local cpu_began = os.clock()
  local taken = saturate(folder.runtime)
  local each = (os.clock() - cpu_began) / taken
  if child then
    child:kill()
    child:wait()
  end
  return each * 1e6, percentile(late, 0.99) * 1e3, count / SECONDS
end

local folder <close> = Folder.new {log = function() end}
live.set_runtime(folder.runtime)
folder:start("bench", UNIT)
folder:start("witness", WITNESS)
local server <close> = assert(attach.serve {runtime = folder.runtime, rights = "rw"}) -- luacheck: ignore
run(folder) -- to warm up
-- By turns, as a machine gets slower and faster; the best of each counts.
local best = {}
for _ = 1, ROUNDS do
  for _, what in ipairs {"alone", "idle", "tail", "top", "watch"} do
    local each, late, rate = run(folder, what ~= "alone" and what or nil)
    local before = best[what] or {math.huge, math.huge, 0}
    best[what] = {math.min(each, before[1]), math.min(late, before[2]), math.max(rate, before[3])}
  end
end
for _, what in ipairs {"alone", "idle", "tail", "top", "watch"} do
  local each, late, rate = table.unpack(best[what])
  measure.result(("attach_%s_us_per_event"):format(what), each, "us")
  measure.result(("attach_%s_late_p99_ms"):format(what), late, "ms")
  measure.result(("attach_%s_percent"):format(what), (each / best.alone[1] - 1) * 100, "%")
  measure.result(("attach_%s_events_per_s"):format(what), rate, "events/s")
end
