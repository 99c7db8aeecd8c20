--- A relay module: while IN is 1 its coil joins COM with NO, else COM is joined with NC. `state.on` tells which.
--
-- The contacts follow the coil late, and break before they make: 10 ms to operate, 5 ms to release (SRD-05VDC, at
-- most). Many modules switch on a 0: those have the attribute `trigger` "low".

local attribute = require "strobe.gpio.attribute"
local contact = require "strobe.gpio.contact"
local part = require "strobe.gpio.part"

local function move(self, on)
  if on == self.coil then
    return
  end
  self.coil = on
  local made, broken = self.contacts.NO, self.contacts.NC
  if not on then
    made, broken = broken, made
  end
  broken:set(false)
  if self.moving then
    self.moving:close()
  end
  self.moving = self:after(on and self.attributes.operate_time or self.attributes.release_time, function()
    self.state.on = on
    made:set(true)
  end)
end

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
    self.line.IN:configure { active_low = low, bias = low and "pull-up" or "pull-down" }
    self.contacts = { NO = contact.new(self, "COM", "NO"), NC = contact.new(self, "COM", "NC") }
    self.contacts.NC:put(true)
    attribute.ns(self, "operate_time")
    attribute.ns(self, "release_time")
    self.state.on, self.coil = false, false
    self:on_edge("IN", "change", function()
      move(self, self.line.IN:get() == 1)
    end)
  end,
}
