--- An ultrasonic distance sensor (HC-SR04): a pulse on ECHO lasts as long as sound takes to what is in front, and
-- back.
--
-- A pulse of 10 µs or more on TRIG starts it. When TRIG falls it sends eight cycles of 40 kHz, then ECHO is 1 for
-- 58 µs a centimetre: `distance = pulseIn(echo, HIGH) / 58`. Beyond its range ECHO is 1 for 38 ms. While it
-- measures, TRIG does nothing.

local attribute = require "strobe.gpio.attribute"
local part = require "strobe.gpio.part"

local US = 1e-6
local TRIGGER_NS = 10 * 1000
local BURST = 8 / 40e3
local PER_CM = 58 * US
local NEAREST, FARTHEST = 2, 400 -- cm
local NO_ECHO = 38e-3

local function echo_time(distance)
  local seen = distance >= NEAREST and distance <= FARTHEST
  return seen and distance * PER_CM or NO_ECHO
end

local function measure(self)
  self.state.busy = true
  self:after(BURST, function()
    self.line.ECHO:set(1)
    self:after(echo_time(self.state.distance), function()
      self.line.ECHO:set(0)
      self.state.busy = false
    end)
  end)
end

---@class strobe.gpio.HcSr04: strobe.gpio.Part
---@field state { distance: number, busy: boolean } cm
return part.kind {
  name = "hc_sr04",
  pins = { "VCC", "TRIG", "ECHO", "GND" },
  attributes = { distance = 100 }, -- cm to what is in front
  start = function(self)
    self.state.busy = false
    self:set_distance(self.attributes.distance)
    self.line.ECHO:configure { direction = "output" }
    self.line.TRIG:configure { bias = "pull-down" }
    local rose
    self:on_edge("TRIG", "both", function(value, time)
      if value == 1 then
        rose = time
      elseif rose and time - rose >= TRIGGER_NS and not self.state.busy then
        measure(self)
      end
    end)
  end,

  --- Moves what is in front.
  ---@param distance number cm; outside 2 to 400 nothing comes back
  set_distance = function(self, distance)
    self.state.distance = attribute.check("hc_sr04: distance", distance, 0, math.huge)
  end,
}
