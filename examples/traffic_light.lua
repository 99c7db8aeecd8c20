-- A traffic light with a button for those on foot: red, yellow and green for the cars, and a task that waits for the
-- button. On an Arduino one loop() would have to do both; here each is a function that waits for what it needs.
-- Run it: strobe examples/traffic_light.lua, or in no time at all: strobe --clock=virtual …

local async = require "strobe.async"
local gpio = require "strobe.gpio"

local board <close> = gpio.board { name = "crossing", pins = { "RED", "YELLOW", "GREEN", "WALK", "BUTTON" } }

-- An LED at each pin, and their lines.
local lines = {}
local function add_light(pin, color)
  board:add("led", { name = color, color = color })
  board:wire(pin, color .. ".anode")
  board:wire(color .. ".cathode", "GND")
  lines[pin] = assert(board:line(pin, { direction = "output" }))
end
add_light("RED", "red")
add_light("YELLOW", "yellow")
add_light("GREEN", "green")
add_light("WALK", "white")

local button = board:add("button", { name = "button" })
board:wire("BUTTON", "button.1")
board:wire("button.2", "GND")
-- With `edge`, presses are kept until somebody waits for them.
local pressed <close> = assert(board:line("BUTTON", { bias = "pull-up", active_low = true, edge = "rising" }))

-- Lights these and no others, for so many seconds.
local function show(names, seconds)
  for name, line in pairs(lines) do
    line:set_value(names:find(name, 1, true) ~= nil)
  end
  print(("%4.1f s: %s"):format(board:now(), names))
  board:sleep(seconds)
end

-- Green, until somebody wants to cross.
local function light()
  for _ = 1, 2 do
    show("GREEN", 3)
    assert(pressed:wait_edge())
    show("YELLOW", 1)
    show("RED", 1)
    show("RED WALK", 4)
    show("RED", 1)
    show("RED YELLOW", 1)
  end
  show("GREEN", 0)
end

-- Somebody on foot.
async.create_task(function()
  for _, moment in ipairs { 1, 15 } do
    board:sleep(moment - board:now())
    print(("%4.1f s: somebody presses the button"):format(board:now()))
    button:click(0.2)
  end
end)

light()
