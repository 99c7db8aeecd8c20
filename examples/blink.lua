-- Blink, the first sketch of every Arduino, on a board that is software: its calls have the names that you know, and
-- setup and loop are what they are there. What Arduino has no word for is the world around the board: the LED, its
-- wires, and somebody who looks at it.
-- Run it: strobe examples/blink.lua, or in no time at all: strobe --clock=virtual examples/blink.lua

local gpio = require "strobe.gpio"

local board <close> = gpio.board { name = "uno", pins = 20 } -- "0" to "19"

local led = board:add("led", { name = "led1", color = "green" })
board:wire(13, "led1.anode")
board:wire("led1.cathode", "GND")

local a = board:arduino()

-- Runs on its own from here on, in a task of its own.
board:sketch {
  setup = function()
    a.pinMode(13, a.OUTPUT)
  end,
  loop = function()
    a.digitalWrite(13, a.HIGH)
    a.delay(500) -- only this task waits
    a.digitalWrite(13, a.LOW)
    a.delay(500)
  end,
}

-- Meanwhile, a look at the LED in the middle of each half second.
board:sleep(0.25)
for _ = 1, 6 do
  print(("%.2f s: the LED is %s"):format(board:now(), led:is_lit() and "on" or "off"))
  board:sleep(0.5)
end
