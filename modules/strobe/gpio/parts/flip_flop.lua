--- A D flip-flop (74HC74): Q takes what D is when CLK rises.
--
-- Pins: D, CLK, Q and its opposite QN; SD sets and RD resets it at once while 0, both are pulled up here. What Q
-- is when the power comes is left to chance in a chip; here it is the attribute `initial`.

local attribute = require "strobe.gpio.attribute"
local part = require "strobe.gpio.part"

local NS = 1e-9

local opposites = { ["0"] = "1", ["1"] = "0", x = "x" }

local function take(self, level)
  self.state.q = level
  self.line.Q:set(level)
  self.line.QN:set(opposites[level])
end

-- Whether SD or RD is 0; they win over the clock. After both at once nobody knows what Q is.
local function forced(self)
  local set, reset = self.line.SD:level() == "0", self.line.RD:level() == "0"
  if set or reset then
    self.state.q = set and "1" or "0"
    self.line.Q:set(set)
    self.line.QN:set(reset)
  elseif self.both then
    take(self, "x")
  end
  self.both = set and reset
  return set or reset
end

local function clocked(self)
  if not forced(self) then
    local level = self.line.D:level()
    take(self, opposites[level] and level or "x")
  end
end

---@class strobe.gpio.FlipFlop: strobe.gpio.Part
---@field state { q: "0"|"1"|"x" }
return part.kind {
  name = "flip_flop",
  pins = { "D", "CLK", "Q", "QN", "SD", "RD" },
  attributes = {
    initial = 0, -- what Q begins with: 0 or 1
    delay = 14 * NS, -- seconds from CLK to Q
  },
  start = function(self)
    local initial, delay = attribute.one_of(self, "initial", 0, 1), attribute.ns(self, "delay")
    self.line.Q:configure { direction = "output", output_value = initial, delay = delay }
    self.line.QN:configure { direction = "output", output_value = 1 - initial, delay = delay }
    self.state.q = tostring(initial)
    for _, pin in ipairs { "SD", "RD" } do
      self.line[pin]:configure { bias = "pull-up" }
      self:on_edge(pin, "change", function()
        forced(self)
      end)
    end
    self:on_edge("CLK", "rising", function()
      clocked(self)
    end)
  end,
}
