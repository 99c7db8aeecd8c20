--- A rotary encoder with a button (KY-040): two contacts that open and close one after the other as the knob turns.
--
-- Pins: CLK and DT are 1 at rest (10 kΩ pull-ups are on the module) and pulse to 0 once a step, CLK first
-- clockwise, DT first the other way; so DT is 1 when CLK falls clockwise. SW goes to 0 while the knob is pressed,
-- and has no pull-up.

local attribute = require "strobe.gpio.attribute"
local part = require "strobe.gpio.part"

local MOST_STEPS = 1000 -- of a turn

local function quarter(self, pin, value)
  self.line[pin]:set(value)
  self.board:sleep(self.attributes.step_time / 4)
end

local function step(self, clockwise)
  local first, second = "CLK", "DT"
  if not clockwise then
    first, second = second, first
  end
  quarter(self, first, 0)
  quarter(self, second, 0)
  quarter(self, first, 1)
  quarter(self, second, 1)
  self.state.position = self.state.position + (clockwise and 1 or -1)
end

---@class strobe.gpio.RotaryEncoder: strobe.gpio.Part
---@field state { position: integer, pressed: boolean } steps clockwise
return part.kind {
  name = "rotary_encoder",
  pins = { "CLK", "DT", "SW", "VCC", "GND" },
  attributes = { step_time = 0.02 }, -- seconds a step takes
  start = function(self)
    attribute.ns(self, "step_time")
    self.state.position, self.state.pressed = 0, false
    for _, pin in ipairs { "CLK", "DT" } do
      self.line[pin]:configure { direction = "output", drive = "open-drain", bias = "pull-up", output_value = 1 }
    end
    self.line.SW:configure { direction = "output", drive = "open-drain", output_value = 1 }
  end,

  --- Turns the knob, and waits until that is done.
  ---@async
  ---@param steps integer clockwise; below 0 the other way; up to 1000
  turn = function(self, steps)
    attribute.check("rotary_encoder:turn: steps", steps, -MOST_STEPS, MOST_STEPS)
    for _ = 1, math.abs(steps) do
      step(self, steps > 0)
    end
  end,

  --- Presses the knob until it is released.
  press = function(self)
    self.state.pressed = true
    self.line.SW:set(0)
  end,

  --- Lets the knob come up.
  release = function(self)
    self.state.pressed = false
    self.line.SW:set(1)
  end,
}
