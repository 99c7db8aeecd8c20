--- An analog-to-digital converter with eight inputs of 10 bits, on SPI (MCP3008): for boards without analog pins.
--
-- CS low begins. DIN is read when CLK rises: zeros, a 1 that starts, then 1 (each input against ground; 0 is not
-- done here) and three bits with the number of the input. One clock later DOUT is a 0, then ten bits, the highest
-- first, each from the fall of CLK on. So three bytes "\x01", 0x80 + 16 × input, "\0" answer with the value in the
-- last ten bits (mode 0).

local attribute = require "strobe.gpio.attribute"
local part = require "strobe.gpio.part"

local NS = 1e-9
local MOST = 1023
local COMMAND = 5 -- bits of it
local NULL = 6 -- the clock at whose fall it answers

local function clock_rises(self)
  if self.clocks == 0 and self.line.DIN:get() == 0 then
    return -- not started
  end
  self.clocks = self.clocks + 1
  if self.clocks <= COMMAND then
    self.command = self.command << 1 | self.line.DIN:get()
  elseif self.clocks == NULL then
    local channel = self.command & 7
    self.value = math.floor(self.board:analog(self.name .. ".CH" .. channel) * MOST + 0.5)
    self.state.channel, self.state.value = channel, self.value
  end
end

local function clock_falls(self)
  local place = 10 - (self.clocks - NULL) -- of the bit; 10 is the zero before
  if place <= 10 then
    self.line.DOUT:set(place >= 0 and self.value >> place & 1 or 0)
  end
end

local function select(self)
  self.selected = self.line.CS:level() == "0"
  self.clocks, self.command = 0, 0
  self.line.DOUT:set "z"
end

---@class strobe.gpio.Adc: strobe.gpio.Part
---@field state { channel?: integer, value?: integer } what it measured last
return part.kind {
  name = "adc",
  pins = {
    "CH0", "CH1", "CH2", "CH3", "CH4", "CH5", "CH6", "CH7", "DGND", "CS", "DIN", "DOUT", "CLK", "AGND", "VREF", "VDD",
  },
  attributes = { delay = 125 * NS }, -- seconds from the fall of CLK to DOUT
  start = function(self)
    local delay = attribute.ns(self, "delay")
    self.line.DOUT:configure { direction = "output", output_value = "z", delay = delay }
    self.line.CS:configure { bias = "pull-up" }
    select(self)
    self:on_edge("CS", "change", function()
      select(self)
    end)
    self:on_edge("CLK", "both", function(value)
      if self.selected then
        local clock = value == 1 and clock_rises or clock_falls
        clock(self)
      end
    end)
  end,
}
