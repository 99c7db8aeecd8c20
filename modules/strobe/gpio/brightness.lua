--- How bright a light looks that is switched on and off: for which part of the last period it was on, as long as
-- the eye does not see it flicker; else 1 or 0.

local watchdog = require "strobe.gpio.watchdog"

local brightness = {}

local PERSISTENCE = 0.02 -- seconds: what flickers faster looks steady
local PERSISTENCE_NS = 20 * 1000 * 1000

---@class strobe.gpio.Brightness
local Brightness = {}
Brightness.__index = Brightness

local function tell(self, share)
  if share ~= self.share then
    self.share = share
    self.show(share)
  end
end

--- Makes one, of a light that is off.
---@param part strobe.gpio.Part
---@param show fun(brightness: number) called whenever it has changed: 0 to 1
---@return strobe.gpio.Brightness
function brightness.new(part, show)
  local self = setmetatable({ part = part, show = show, on = false, flickers = false, share = 0 }, Brightness)
  self.quiet = watchdog.new(part, PERSISTENCE, function()
    self.flickers = false
    tell(self, self.on and 1 or 0)
  end)
  return self
end

--- The light is on now, or off.
---@param on boolean
function Brightness:switch(on)
  if on == self.on then
    return
  end
  local now = self.part.board:now_ns()
  local duty = on and 1 or 0
  if on and self.rose then
    self.flickers = now - self.rose <= PERSISTENCE_NS
    duty = self.flickers and (self.fell - self.rose) / (now - self.rose) or 1
  end
  if on or not self.flickers then
    tell(self, duty)
  end
  self.on = on
  self[on and "rose" or "fell"] = now
  self.quiet:feed()
end

return brightness
