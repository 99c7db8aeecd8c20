-- A counter from 0 to 3 of two D flip-flops (a 74HC74 has both), without a line of program: each has its own inverse
-- as its input, so it toggles with each rise of its clock, and the second one's clock is the first one's QN. A clock
-- of 1 Hz drives them, two LEDs show the number. This is what a timer of an Arduino is made of.
-- Run it: strobe examples/two_flip_flop_counter.lua, or in no time at all: strobe --clock=virtual …

local gpio = require "strobe.gpio"

local board <close> = gpio.board { name = "counter" }

board:add("clock", { name = "clock", frequency = 1 })
board:add("flip_flop", { name = "ff0" })
board:add("flip_flop", { name = "ff1" })
local one, two = board:add("led", { name = "one" }), board:add("led", { name = "two" })

board:wire("clock.OUT", "ff0.CLK")
board:wire("ff0.QN", "ff0.D") -- its next state is its opposite
board:wire("ff0.QN", "ff1.CLK") -- rises when Q falls: that carries
board:wire("ff1.QN", "ff1.D")
board:wire("ff0.Q", "one.anode")
board:wire("ff1.Q", "two.anode")
board:wire("one.cathode", "GND")
board:wire("two.cathode", "GND")

board:sleep(0.25)
for _ = 1, 6 do
  local ones, twos = one:is_lit() and 1 or 0, two:is_lit() and 1 or 0
  print(("%.2f s: %d%d = %d"):format(board:now(), twos, ones, 2 * twos + ones))
  board:sleep(1)
end
