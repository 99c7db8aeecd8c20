--- A potentiometer between GND and VCC: the voltage at SIG is the part of VCC to which its knob is turned.
--
-- `analogRead` and `board:analog` see that; who reads a level sees 1 from one half on. `state.position`: 0 to 1.

local attribute = require "strobe.gpio.attribute"
local part = require "strobe.gpio.part"

---@class strobe.gpio.Potentiometer: strobe.gpio.Part
---@field state { position: number } 0 to 1
return part.kind {
  name = "potentiometer",
  pins = { "GND", "SIG", "VCC" },
  attributes = { position = 0.5 }, -- of the knob at first: 0 to 1
  start = function(self)
    self.line.SIG:configure { direction = "output" }
    self:set(self.attributes.position)
  end,

  --- Turns the knob.
  ---@param position number 0 (GND) to 1 (VCC)
  set = function(self, position)
    self.state.position = attribute.check("potentiometer: position", position, 0, 1)
    self.analog = { SIG = position }
    self.line.SIG:set(position >= 0.5)
  end,
}
