--- A digit of seven segments and a point.
--
-- Pins: A (top), B, C, D, E, F clockwise, G (middle), DP (the point), and COM, which all segments share: wire it to
-- GND where the attribute `common` is "cathode", to VCC where it is "anode". A segment is lit while its pin and COM
-- differ that way. `state.segments` tells which are lit ("ABC"), `state.character` what that looks like ("7", "?"
-- for no digit).

local attribute = require "strobe.gpio.attribute"
local part = require "strobe.gpio.part"

local SEGMENTS = { "A", "B", "C", "D", "E", "F", "G", "DP" }

local characters = {
  [""] = " ", ABCDEF = "0", BC = "1", ABDEG = "2", ABCDG = "3", BCFG = "4", ACDFG = "5", ACDEFG = "6", ABC = "7",
  ABCDEFG = "8", ABCDFG = "9", ABCEFG = "A", CDEFG = "b", ADEF = "C", BCDEG = "d", ADEFG = "E", AEFG = "F", G = "-",
}

local function look(self)
  local on, off = "1", "0"
  if self.attributes.common == "anode" then
    on, off = off, on
  end
  local lit = {}
  if self.line.COM:level() == off then
    for i = 1, 7 do
      lit[#lit + 1] = self.line[SEGMENTS[i]]:level() == on and SEGMENTS[i] or nil
    end
  end
  self.state.segments = table.concat(lit)
  self.state.point = self.line.COM:level() == off and self.line.DP:level() == on
  self.state.character = characters[self.state.segments] or "?"
end

---@class strobe.gpio.SevenSegment: strobe.gpio.Part
---@field state { segments: string, point: boolean, character: string }
return part.kind {
  name = "seven_segment",
  pins = { "A", "B", "C", "D", "E", "F", "G", "DP", "COM" },
  attributes = { common = "anode" }, -- or "cathode"
  start = function(self)
    attribute.one_of(self, "common", "anode", "cathode")
    for _, pin in ipairs { "COM", table.unpack(SEGMENTS) } do
      self:on_edge(pin, "change", function()
        look(self)
      end)
    end
    look(self)
  end,
}
