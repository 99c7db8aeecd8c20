--- A unit that gets so many ticks a second, while somebody sits at the console of its process.
-- usage: strobe -i console/flow.lua RATE
package.path = (arg[0]:match("^.*/") or "") .. "../live/?.lua;" .. package.path
local async = require "strobe.async"
local live = require "strobe.live"
local time = require "strobe.core.time"
local Folder = require "folder"

local RATE = tonumber(arg[1])

local UNIT = [[return {version = 1, subscribe = {"ticks"}, on_event = function(ctx, st, m)
  st.count, st.turnover = (st.count or 0) + 1, (st.turnover or 0) + m.data.price * m.data.size
end}]]

local function feed(runtime)
  local began, count = time.real(), 0
  while true do
    local due = math.floor((time.real() - began) * RATE)
    while count < due do
      count = count + 1
      runtime:offer("ticks", {ts = count, seq = count, price = 100 + count % 7, size = count % 11})
    end
    async.sleep(0.001)
  end
end

-- Globals: they are there as long as the console is.
_G.bench_folder = Folder.new {log = function() end}
live.set_runtime(_G.bench_folder.runtime)
_G.bench_folder:start("bench", UNIT)
_G.bench_feed = async.create_task(feed, _G.bench_folder.runtime)
