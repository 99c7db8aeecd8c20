--- An LED: lit while its anode is 1 and its cathode is 0. `state.lit`, `state.brightness` (0 to 1), `state.color`.
--
-- `lit` is what it does at this moment; `brightness` what one sees of an LED that is switched fast (PWM).

local brightness = require "strobe.gpio.brightness"
local part = require "strobe.gpio.part"

---@class strobe.gpio.Led: strobe.gpio.Part
---@field state { lit: boolean, brightness: number, color: string } 0 to 1
return part.kind {
  name = "led",
  pins = { "anode", "cathode" },
  attributes = { color = "red" },

  start = function(self)
    self.state.color, self.state.brightness = self.attributes.color, 0
    local eye = brightness.new(self, function(seen)
      self.state.brightness = seen
    end)
    local function show()
      self.state.lit = self.line.anode:level() == "1" and self.line.cathode:level() == "0"
      eye:switch(self.state.lit)
    end
    show()
    self:on_edge("anode", "change", show)
    self:on_edge("cathode", "change", show)
  end,

  --- Whether it is lit.
  ---@return boolean
  is_lit = function(self)
    return self.state.lit
  end,
}
