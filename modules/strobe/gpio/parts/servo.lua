--- A hobby servo (SG90): the length of the pulses on PWM tells it the angle. `state.angle` in degrees.
--
-- Pulses come about every 20 ms. The defaults are those of Arduino's Servo library: 0.544 ms is 0°, 2.4 ms is 180°;
-- what is longer or shorter is taken as that. `state.pulse` is the last one, in seconds.

local attribute = require "strobe.gpio.attribute"
local part = require "strobe.gpio.part"

local SECOND = 1000 * 1000 * 1000 -- in ns

local function turn(self, pulse)
  local least, most = self.attributes.least_pulse, self.attributes.most_pulse
  local share = (pulse - least) / (most - least)
  self.state.pulse = pulse
  self.state.angle = math.max(0, math.min(1, share)) * 180
end

---@class strobe.gpio.Servo: strobe.gpio.Part
---@field state { angle: number, pulse?: number } degrees; seconds
return part.kind {
  name = "servo",
  pins = { "PWM", "V+", "GND" },
  attributes = {
    least_pulse = 544e-6, -- seconds; 0°
    most_pulse = 2400e-6, -- seconds; 180°
    angle = 90, -- where it stands before the first pulse
  },
  start = function(self)
    attribute.number(self, "most_pulse", attribute.number(self, "least_pulse", 0, 1) + 1e-6, 1)
    self.state.angle = attribute.number(self, "angle", 0, 180)
    local rose
    self:on_edge("PWM", "both", function(value, time)
      if value == 1 then
        rose = time
      elseif rose then
        turn(self, (time - rose) / SECOND)
      end
    end)
  end,
}
