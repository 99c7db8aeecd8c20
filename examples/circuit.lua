-- A circuit of three components in one process: a clock ticks an IO pin over WebSocket, and a
-- buzzer that listens to the pin buzzes when it flips to one. A component is a class with
-- `setup`, called once, and `loop`, called for each message; what loop returns goes back to
-- the sender as the acknowledgement. In Python each wait would be an `await`.
-- Run it: strobe examples/circuit.lua, or in no time at all: strobe --clock=virtual …
-- The same in three terminals: strobe run circuit iopin, … buzzer, … clock -t 5 -d 1
-- and without a network, on one board: strobe run circuit demo

local async = require "strobe.async"
local gpio = require "strobe.gpio"
local sketch = require "strobe.sketch"

local IOPin = sketch.component "IOPin"

-- Its pin is a line of a board, wired to one that sees the edges.
function IOPin:setup()
  self.board = gpio.board { name = "iopin", pins = { "out", "sense" } }
  self.board:wire("out", "sense")
  self.pin = assert(self.board:line("out", { direction = "output", output_value = 0 }))
  self.sense = assert(self.board:line("sense", { direction = "input" }))
  self.sense:on_edge("both", function(value)
    self:push(value) -- to whoever listens
  end)
end

function IOPin:loop()
  self.pin:toggle()
  self:out(self.pin:get_value())
  self.board:sleep(0) -- until the edge was seen
  return self.pin:get_value() -- to the clock
end

local Buzzer = sketch.component "Buzzer"

function Buzzer:loop(channel, message)
  if channel == "iopin" and message == "1" then
    self:out "bzzz"
  end
end

local Clock = sketch.component "Clock"

function Clock:setup(tacks, delay)
  self.tacks, self.delay = tacks, delay
end

function Clock:tick(host, port)
  local pin <close> = assert(self:connect(host, port))
  local states = {}
  for number = 1, self.tacks do
    async.sleep(self.delay)
    self:out("tack " .. number)
    states[number] = assert(pin:send "tack") -- waits for the acknowledgement
  end
  self:out("acknowledged: " .. table.concat(states, " "))
end

async.run(function()
  local start = async.time()
  local pin <close> = assert(IOPin():serve("127.0.0.1", 0)) -- port 0: any that is free
  local buzzer = Buzzer()
  local listening = async.create_task(buzzer.follow, buzzer, "127.0.0.1", pin:port())
  Clock(5, 1):tick("127.0.0.1", pin:port())
  pin:close()
  pin.board:close()
  buzzer:out(select(2, listening:await()))
  print(("5 tacks took %.0f seconds"):format(async.time() - start))
end)
