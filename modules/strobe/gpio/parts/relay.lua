--- A relay module: while IN is 1 its coil joins COM with NO, else COM is joined with NC. `state.on` tells which.
--
-- The contacts follow the coil late, and break before they make: 10 ms to operate, 5 ms to release (SRD-05VDC, at
-- most). Many modules switch on a 0: those have the attribute `trigger` "low".

local armature = require "strobe.gpio.armature"
local attribute = require "strobe.gpio.attribute"
local part = require "strobe.gpio.part"

---@class strobe.gpio.Relay: strobe.gpio.Part
---@field state { on: boolean } whether COM is joined with NO
return part.kind {
  name = "relay",
  pins = { "VCC", "GND", "IN", "NC", "COM", "NO" },
  attributes = {
    trigger = "high", -- or "low"
    operate_time = 0.01, -- seconds
    release_time = 0.005,
  },
  start = function(self)
    local low = attribute.one_of(self, "trigger", "high", "low") == "low"
    attribute.ns(self, "operate_time")
    attribute.ns(self, "release_time")
    self.line.IN:configure { active_low = low, bias = low and "pull-up" or "pull-down" }
    local contacts = armature.new(self, { { common = "COM", closed = "NC", open = "NO" } })
    self:on_edge("IN", "change", function()
      contacts:pull(self.line.IN:get() == 1)
    end)
  end,
}
