-- A buzzer: listens to an IO pin, and buzzes when that flips to one.

local script = require "strobe.script"
local sketch = require "strobe.sketch"

local Buzzer = sketch.component "Buzzer"

---@param toggles? integer it ends after so many of the pin's; 0 or none: never
function Buzzer:setup(toggles)
  self.level, self.left_over = "0", toggles or 0
end

function Buzzer:joined(channel)
  self:out(("listening to the %s"):format(channel))
end

function Buzzer:loop(_, level)
  if level == "1" and self.level ~= "1" then
    self:out "bzzz"
  end
  self.level = level
  self.left_over = self.left_over - 1
  if self.left_over == 0 then
    self:stop()
  end
end

if ... == "strobe.circuit/buzzer" then
  return Buzzer
end
script.module "circuit"("buzzer", ...)
