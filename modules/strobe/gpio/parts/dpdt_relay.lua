--- A relay alone, with two poles: while the levels at COIL1 and COIL2 differ, P1 is joined with NO1 and P2 with NO2,
-- else with NC1 and NC2. `state.on` tells which. Which of the two is 1 does not matter.
--
-- The contacts follow the coil late, and break before they make: 5 ms to operate, 2 ms to release are usual of small
-- signal relays.

local armature = require "strobe.gpio.armature"
local attribute = require "strobe.gpio.attribute"
local part = require "strobe.gpio.part"

-- Whether there is a voltage at the coil.
local function is_powered(self)
  local a, b = self.line.COIL1:level(), self.line.COIL2:level()
  return a == "1" and b == "0" or a == "0" and b == "1"
end

---@class strobe.gpio.DpdtRelay: strobe.gpio.Part
---@field state { on: boolean } whether P1 is joined with NO1
return part.kind {
  name = "dpdt_relay",
  pins = { "COIL1", "COIL2", "P1", "NC1", "NO1", "P2", "NC2", "NO2" },
  attributes = {
    operate_time = 0.005, -- seconds
    release_time = 0.002,
  },
  start = function(self)
    attribute.ns(self, "operate_time")
    attribute.ns(self, "release_time")
    local contacts = armature.new(self, {
      { common = "P1", closed = "NC1", open = "NO1" }, { common = "P2", closed = "NC2", open = "NO2" },
    })
    for _, pin in ipairs { "COIL1", "COIL2" } do
      self:on_edge(pin, "change", function()
        contacts:pull(is_powered(self))
      end)
    end
  end,
}
