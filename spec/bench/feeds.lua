--- Feeds: how fast a recording is read, ticks go through a unit, and a back-test goes.
-- usage: strobe feeds.lua [TICKS]
local Runtime = require "strobe.live.runtime"
local feeds = require "strobe.live.feed"
local recordings = require "strobe.live.feed.recording"
local time = require "strobe.core.time"
local uv = require "luv"
local measure = dofile((arg[0]:match("^.*/") or "") .. "measure.lua")

local ROUNDS, CHUNK = 3, 256 * 1024
local ticks = math.tointeger(tonumber(arg[1])) or 200000

local UNIT = [[
return {
  version = 1, subscribe = { "btc_usd" },
  on_event = function(ctx, st, m)
    local tick = m.data
    st.count = (st.count or 0) + 1
    st.average = (st.average or tick.price) * 0.99 + tick.price * 0.01
  end,
}]]

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

--- So many ticks as CSV, five of which share a millisecond.
local function csv(count)
  local lines = {"book,ts,seq,is_trade,is_bid,price,size"}
  for i = 1, count do
    lines[i + 1] = ("btc_usd,%.3f,%d,%s,%s,%.8f,%.4f"):format(1618677817 + i // 5 / 1000, i,
      i % 3 == 0 and "t" or "f", i % 2 == 0 and "t" or "f", 0.00001306 + i % 997 / 1e8, i % 9973 / 8)
  end
  return table.concat(lines, "\n") .. "\n"
end

--- The fastest of some rounds, which tell what they took: real seconds, and those of the processor.
local function report(name, round)
  local wall, cpu = math.huge, math.huge
  for _ = 1, ROUNDS do
    local real_seconds, cpu_seconds = round()
    wall, cpu = math.min(wall, real_seconds), math.min(cpu, cpu_seconds)
  end
  measure.result(name .. "_per_s", ticks / wall, "ticks/s")
  measure.result(name .. "_per_cpu_s", ticks / cpu, "ticks/cpu-s")
end

local function nothing() end

--- The lines alone, without anything that waits.
local function parse(text)
  local recording = recordings.new("ticks.csv", "replay", {}, nothing)
  local count = 0
  local function hand()
    count = count + 1
  end
  local began, cpu = time.real(), os.clock()
  for from = 1, #text, CHUNK do
    assert(recording:feed(text:sub(from, from + CHUNK - 1), hand))
  end
  assert(recording:finish(hand))
  assert(count == ticks, "ticks are missing")
  return time.real() - began, os.clock() - cpu
end

--- A unit gets all events of a feed.
local function run(folder, url)
  local runtime <close> = Runtime.new {root = folder, log = nothing}
  runtime:add_feed(assert(feeds.open(url)), {held = true})
  assert(runtime:start("unit", folder .. "/unit.lua").verdict == "committed")
  local began, cpu = time.real(), os.clock()
  runtime:run_feeds()
  assert(runtime:wait_feeds())
  assert(runtime.units.unit.run.st.count == ticks, "ticks are missing")
  return time.real() - began, os.clock() - cpu
end

local folder = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/strobe-feeds-XXXXXX"))
local path <const> = folder .. "/ticks.csv"
local guard <close> = setmetatable({}, {__close = function() -- luacheck: ignore
  os.remove(path)
  os.remove(folder .. "/unit.lua")
  uv.fs_rmdir(folder)
end})
local text = csv(ticks)
write(path, text)
write(folder .. "/unit.lua", UNIT)

report("parse", function() return parse(text) end)
time.mode "virtual"
report("synthetic", function() return run(folder, ("synthetic:1?rate=max&count=%d"):format(ticks)) end)
report("backtest", function() return run(folder, "replay:" .. path) end)
