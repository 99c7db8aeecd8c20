--- A shift register with latched outputs (74HC595): eight outputs by three pins, and more by chaining Q7S to the
-- next DS.
--
-- Pins: DS (data) goes in when SHCP rises, the first bit ends at Q7; STCP rising shows all eight at Q0 to Q7. Q7S
-- is the bit that leaves, OE high lets the outputs go (z), MR low clears what is shifted. OE is pulled down and MR
-- up here, so that both may be left unconnected. Bits move like in the chip: with SHCP and STCP tied, the outputs
-- are one clock behind.

local attribute = require "strobe.gpio.attribute"
local part = require "strobe.gpio.part"

local NS = 1e-9

-- Drives the outputs; z where they are not enabled.
local function show(self)
  local enabled = self.line.OE:get() == 0
  for i = 0, 7 do
    local bit = self.state.latched >> i & 1
    self.line["Q" .. i]:set(enabled and bit or "z")
  end
end

local function set_shifted(self, byte)
  self.state.shifted = byte
  self.line.Q7S:set(byte >> 7)
end

local function shift(self)
  if self.line.MR:get() == 1 then
    set_shifted(self, (self.state.shifted << 1 | self.line.DS:get()) & 0xff)
  end
end

local function latch(self)
  self.state.latched = self.state.shifted
  show(self)
end

local function clear(self)
  set_shifted(self, 0)
end

---@class strobe.gpio.ShiftRegister: strobe.gpio.Part
---@field state { shifted: integer, latched: integer } bytes, bit 7 is Q7
return part.kind {
  name = "shift_register",
  pins = {
    "DS", "SHCP", "STCP", "OE", "MR", "Q0", "Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q7S", "VCC", "GND",
  },
  attributes = { delay = 16 * NS }, -- seconds from a clock to the outputs
  start = function(self)
    self.state.shifted, self.state.latched = 0, 0 -- bytes; bit 7 is Q7
    self.line.OE:configure { bias = "pull-down" }
    self.line.MR:configure { bias = "pull-up" }
    local delay = attribute.ns(self, "delay")
    for _, pin in ipairs { "Q0", "Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q7S" } do
      self.line[pin]:configure { direction = "output", delay = delay }
    end
    local function on(pin, edge, f)
      self:on_edge(pin, edge, function()
        f(self)
      end)
    end
    on("STCP", "rising", latch) -- before SHCP: tied clocks show the bits from before
    on("SHCP", "rising", shift)
    on("MR", "falling", clear)
    on("OE", "change", show)
  end,
}
