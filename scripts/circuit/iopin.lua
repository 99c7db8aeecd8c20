-- An IO pin: each message is a tick, which flips it; it acknowledges with its state, 0 or 1, and tells the
-- buzzers that listen to it.

local script = require "strobe.script"
local sketch = require "strobe.sketch"

local IOPin = sketch.component "IOPin"

---@param tacks? integer it ends after so many; 0 or none: never
function IOPin:setup(tacks)
  self.state, self.left_over = 0, tacks or 0
end

function IOPin:joined(channel)
  self:out(("the %s is here"):format(channel))
end

function IOPin:loop()
  self.state = 1 - self.state
  self:out(self.state)
  self:push(self.state)
  self.left_over = self.left_over - 1
  if self.left_over == 0 then
    self:stop()
  end
  return self.state
end

if ... == "strobe.circuit/iopin" then
  return IOPin
end
script.module "circuit"("iopin", ...)
