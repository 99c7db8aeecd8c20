--- A clock: a square wave on OUT, from when it is added until it is paused.

local attribute = require "strobe.gpio.attribute"
local part = require "strobe.gpio.part"

local SECOND = 1000 * 1000 * 1000 -- in ns
local LOWEST, HIGHEST = 1e-6, 1e9 -- Hz

---@class strobe.gpio.Clock: strobe.gpio.Part
---@field state { frequency: number, duty: number, running: boolean } Hz; 0 to 1
return part.kind {
  name = "clock",
  pins = { "OUT" },
  attributes = {
    frequency = 1, -- Hz
    duty = 0.5, -- for how much of a period OUT is 1: 0 to 1
    running = true, -- from the beginning
  },
  start = function(self)
    self.state.frequency = attribute.number(self, "frequency", LOWEST, HIGHEST)
    self.state.duty = attribute.number(self, "duty", 0, 1)
    self.state.running = false
    self.line.OUT:configure { direction = "output" }
    if attribute.one_of(self, "running", true, false) then
      self:run()
    end
  end,

  --- Runs it, or changes it from the next period on.
  ---@param frequency? number Hz (as before)
  ---@param duty? number 0 to 1 (as before)
  run = function(self, frequency, duty)
    local state = self.state
    frequency = attribute.check("clock:run: frequency", frequency or state.frequency, LOWEST, HIGHEST)
    duty = attribute.check("clock:run: duty", duty or state.duty, 0, 1)
    state.frequency, state.duty, state.running = frequency, duty, true
    local period = math.floor(SECOND / frequency + 0.5)
    self.line.OUT:pwm(period, math.floor(period * duty + 0.5))
  end,

  --- Stops it at 0, until run().
  pause = function(self)
    self.state.running = false
    self.line.OUT:set(0)
  end,
}
