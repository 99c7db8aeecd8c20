--- Reloads a unit that gets 100,000 events a second: none is lost, none comes twice; how long it has to wait for them,
-- and a second unit for its own. On a real clock.
-- usage: strobe live/reload.lua RELOADS [RATE]
package.path = (arg[0]:match("^.*/") or "") .. "?.lua;" .. package.path
local async = require "strobe.async"
local time = require "strobe.core.time"
local Folder = require "folder"
local measure = dofile((arg[0]:match("^.*/") or "") .. "../measure.lua")

local RATE, TABLES = tonumber(arg[2] or 100000), 200
local reloads = tonumber(arg[1])

-- It counts what does not follow on what came before.
local COUNTER = [[return {version = 1, subscribe = {"numbers"},
  init = function(ctx, st)
    st.book = st.book or {}
    for i = #st.book + 1, %d do st.book[i] = {price = i, size = 1} end
    st.last, st.wrong = st.last or 0, st.wrong or 0
  end,
  on_event = function(ctx, st, m)
    if m.data ~= st.last + 1 then st.wrong = st.wrong + 1 end
    st.last = m.data
    local level = st.book[m.data %% %d + 1]
    level.size = level.size + 1
  end} -- %d]]
-- It tells how late its events are.
local WITNESS = [[return {version = 1, subscribe = {"pings"}, on_event = function(ctx, st, m) m.data() end}]]

local function text_of(i)
  return COUNTER:format(TABLES - 2, TABLES - 2, i)
end

--- Offers numbers at the rate, and pings, until it is told to stop; returns how many numbers there were.
local function feed(runtime, state)
  local began, count = time.real(), 0
  while not state.stop do
    local due = math.floor((time.real() - began) * RATE)
    local sent = time.real()
    runtime:offer("pings", function() state.late = math.max(state.late, time.real() - sent) end)
    while count < due do
      count = count + 1
      runtime:offer("numbers", count)
    end
    async.sleep(0.001)
  end
  return count
end

local function percentile(sorted, part)
  return sorted[math.max(1, math.ceil(#sorted * part))]
end

local folder <close> = Folder.new {probation = {events = 50, seconds = 0}}
local runtime = folder.runtime
local unit = folder:start("counter", text_of(0))
folder:start("witness", WITNESS)
local state = {late = 0}
local feeding = async.create_task(feed, runtime, state)
local pauses, began = {}, time.real()
for i = 1, reloads do
  folder:write("counter", text_of(i))
  local report = runtime:reload("counter")[1]
  assert(report.verdict == "committed", report.error)
  pauses[i] = report.pause_us
end
local took = time.real() - began
state.stop = true
local count = feeding:await()
Folder.drain(unit)
local st = unit.run.st
assert(st.last == count, ("%d of %d events have come"):format(st.last, count))
assert(st.wrong == 0, ("%d events were lost or came twice"):format(st.wrong))
table.sort(pauses)
measure.result("reload_pause_p50_us", percentile(pauses, 0.5), "us")
measure.result("reload_pause_p99_us", percentile(pauses, 0.99), "us")
measure.result("reload_pause_max_us", pauses[#pauses], "us")
measure.result("reload_events_per_s", count / took, "events/s")
measure.result("reload_other_late_ms", state.late * 1e3, "ms")
