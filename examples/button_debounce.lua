-- A button that bounces. Its contacts open and close a few times before they rest, so one press looks like several to
-- a program that watches the pin. Two lines watch the same button here: one sees all of it, one has a debounce period,
-- which only lets through what stayed for 10 ms. An Arduino needs a library or a loop with millis() for that.
-- Run it: strobe examples/button_debounce.lua, or in no time at all: strobe --clock=virtual …

local gpio = require "strobe.gpio"

-- The seed decides how the button bounces: another one, and it does so differently.
local board <close> = gpio.board { name = "uno", pins = { "D2", "D3" }, seed = 3 }

-- The button joins the pins to ground while it is pressed; the pull-up makes them 1 otherwise.
local button = board:add("button", { name = "button", bounce = 0.005 })
board:wire("D2", "button.1")
board:wire("D3", "button.1")
board:wire("button.2", "GND")

-- pinMode(2, INPUT_PULLUP); active_low: pressed is 1, as one thinks of it.
local raw <close> = assert(board:line("D2", { bias = "pull-up", active_low = true }))
local clean <close> = assert(board:line("D3", { bias = "pull-up", active_low = true, debounce_period = 0.01 }))

-- attachInterrupt(digitalPinToInterrupt(2), seen, RISING)
local seen, counted = 0, 0
raw:on_edge("rising", function()
  seen = seen + 1
end)
clean:on_edge("rising", function()
  counted = counted + 1
end)

board:sleep(0.1) -- the board has just been switched on; from here on its levels are known
for press = 1, 3 do
  button:press()
  board:sleep(0.1)
  button:release()
  board:sleep(0.1)
  print(("after press %d: without debounce %d edges, with it %d"):format(press, seen, counted))
end
