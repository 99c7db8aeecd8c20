--- The armature of a relay: contacts that follow a coil late, and break before they make.

local contact = require "strobe.gpio.contact"

local armature = {}

---@class strobe.gpio.Armature
---@field private coil boolean whether it is pulled
local Armature = {}
Armature.__index = Armature

-- Opens or closes the contacts of all poles on one side.
local function set_all(self, side, closed)
  for _, pole in ipairs(self.poles) do
    pole[side]:set(closed)
  end
end

--- Makes one that rests: each pole's common pin is joined with its normally closed one. The part's attributes say
--- how long it takes: `operate_time`, `release_time`. `state.on` tells where it is.
---@param part strobe.gpio.Part
---@param poles {common: string, closed: string, open: string}[] pins of the part
---@return strobe.gpio.Armature
function armature.new(part, poles)
  local self = setmetatable({ part = part, poles = {}, coil = false }, Armature)
  for i, pins in ipairs(poles) do
    self.poles[i] = {
      open = contact.new(part, pins.common, pins.open), closed = contact.new(part, pins.common, pins.closed),
    }
  end
  set_all(self, "closed", true)
  part.state.on = false
  return self
end

--- The coil pulls from now on, or does not.
---@param on boolean
function Armature:pull(on)
  if on == self.coil then
    return
  end
  self.coil = on
  local attributes = self.part.attributes
  set_all(self, on and "closed" or "open", false)
  if self.moving then
    self.moving:close()
  end
  self.moving = self.part:after(on and attributes.operate_time or attributes.release_time, function()
    self.part.state.on = on
    set_all(self, on and "open" or "closed", true)
  end)
end

return armature
