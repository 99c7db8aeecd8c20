--- Ticks through a unit: offered, numbered, handed to it, acknowledged.
-- usage: strobe live/ticks.lua COUNT
package.path = (arg[0]:match("^.*/") or "") .. "?.lua;" .. package.path
local async = require "strobe.async"
local Folder = require "folder"
local measure = dofile((arg[0]:match("^.*/") or "") .. "../measure.lua")

local count = tonumber(arg[1])

local ON_EVENT = [[on_event = function(ctx, st, m)
  local tick = m.data
  st.count, st.turnover = (st.count or 0) + 1, (st.turnover or 0) + tick.price * tick.size
end]]
local ON_BATCH = [[on_batch = function(ctx, st, batch)
  local turnover = st.turnover or 0
  for i = 1, #batch do
    local tick = batch[i].data
    turnover = turnover + tick.price * tick.size
  end
  st.count, st.turnover = (st.count or 0) + #batch, turnover
end]]

local ticks = {}
for i = 1, 1000 do
  ticks[i] = {ts = 1e9 + i, seq = i, is_trade = true, is_bid = i % 2 == 0, price = 100 + i % 7, size = i % 11}
end

--- Offers the ticks, `burst` in each turn of the loop.
local function offer(runtime, unit, burst)
  for i = 1, count do
    runtime:offer("ticks", ticks[i % 1000 + 1])
    if i % burst == 0 then async.sleep(0) end
  end
  Folder.drain(unit)
end

--- What a unit with this body takes in a second of time, and of the processor's.
local function run(name, body, burst, probation)
  local folder <close> = Folder.new {probation = probation}
  local text = ('return {version = 1, subscribe = {"ticks"}, %s}'):format(body)
  local unit = folder:start("bench", text)
  if probation then
    folder:write("bench", text .. " ")
    assert(folder.runtime:reload("bench")[1].verdict == "committed")
  end
  local began = unit.run.st.count or 0
  local wall, cpu = measure.best(function()
    offer(folder.runtime, unit, burst)
    assert(unit.run.st.count == began + count, "ticks are missing")
    began = began + count
  end)
  assert(not probation or unit.probation, "the probation is over")
  measure.result(name .. "_per_s", count / wall, "ticks/s")
  measure.result(name .. "_per_cpu_s", count / cpu, "ticks/cpu-s")
end

local endless = {events = math.maxinteger, journal = math.maxinteger, bytes = math.maxinteger}
run("live_event", ON_EVENT, 1000)
run("live_single", ON_EVENT, 1)
run("live_journal", ON_EVENT, 1000, endless)
run("live_batch", ON_BATCH, 1000)
