--- TectonicDB poll loop: subscribe, then COUNT updates, one round trip for each.
-- usage: strobe poll.lua PORT COUNT
local tectonic = require "strobe.tectonic"
local decode = require("strobe.json").decode
local measure = dofile((arg[0]:match("^.*/") or "") .. "measure.lua")

local port, count = tonumber(arg[1]), tonumber(arg[2])

local db = assert(tectonic.connect{host = "127.0.0.1", port = port, protocol = "poll"})
assert(select(2, db:ping()) == "PONG")
assert(db:subscribe("book"))

local wall, cpu = measure.best(function()
  local volume = 0
  for _ = 1, count do
    local success, text = db:poll()
    assert(success and text ~= "NONE", text)
    volume = volume + decode(text).size
  end
end)
db:close()
measure.result("polls_per_s", count / wall, "polls/s")
measure.result("polls_per_cpu_s", count / cpu, "polls/cpu-s")
