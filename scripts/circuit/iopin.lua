-- An IO pin: each message is a tick, which toggles a line of a board; it acknowledges with the line's value, 0 or 1.
-- The buzzers that listen to it are told the line's edges.

local gpio = require "strobe.gpio"
local script = require "strobe.script"
local sketch = require "strobe.sketch"

local IOPin = sketch.component "IOPin"

---@param tacks? integer it ends after so many; 0 or none: never
function IOPin:setup(tacks)
  self.left_over = tacks or 0
  self.board = gpio.board { name = "iopin", pins = { "out", "sense" } }
  self.board:wire("out", "sense")
  self.line = assert(self.board:line("out", { direction = "output", output_value = 0, consumer = self.name }))
  self.sense = assert(self.board:line("sense", { direction = "input", consumer = self.name }))
  self.sense:on_edge("both", function(value)
    self:push(value)
  end)
end

function IOPin:joined(channel)
  self:out(("the %s is here"):format(channel))
end

function IOPin:loop()
  self.line:toggle()
  local value = self.line:get_value()
  self:out(value)
  self.board:sleep(0) -- until the edge was seen
  self.left_over = self.left_over - 1
  if self.left_over == 0 then
    self:stop()
  end
  return value
end

local close = IOPin.close

function IOPin:close()
  close(self)
  self.board:close()
end

if ... == "strobe.circuit/iopin" then
  return IOPin
end
script.module "circuit"("iopin", ...)
