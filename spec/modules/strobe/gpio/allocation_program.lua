--- A board with a bit of everything, for allocation_test.c: whatever fails here for want of
-- memory must fail alone, and the program must come to its end.

local async = require "strobe.async"
local gpio = require "strobe.core.gpio"

local begin = begin or function() end -- luacheck: ignore

begin()
local board <close> = gpio.board { name = "lab" } -- luacheck: ignore
local out, input = board:component("u", "out"), board:component("v", "in")
out:configure { direction = "output" }
local wire = out:connect(input)
for _, kind in ipairs { "both", "change" } do
  board:subscribe({ input }, kind, nil, function() end)
end
local edges = board:subscribe({ input }, "rising")
out:pwm(1000, 500)
local task = async.create_task(function()
  board:delay(5000)
  board:wait_contention(100)
end)
local recorder = board:recorder { unit_ns = 1 }
board:prologue(function()
  recorder:scope "lab"
  recorder:pin(out, "out")
  recorder:var("state", "string")
  recorder:begin(true)
end)
for _ = 1, 3 do
  edges:wait(2000)
end
edges:events { "in" } (2000)
recorder:set(1, "on")
recorder:take()
input:configure { direction = "output", output_value = 1 }
async.sleep(0.000005)
board:contentions()
wire:cut()
task:await()
edges:close()
board:pause()
board:step(100)
recorder:finish()
recorder:take()
