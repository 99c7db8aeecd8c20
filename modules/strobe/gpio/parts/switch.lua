--- A slide switch (single pole, double throw): joins pin 2 with pin 1 or with pin 3. `state.position` is 1 or 3.
--
-- It breaks before it makes: nothing is joined for a `travel`. What it makes bounces as a button does.

local attribute = require "strobe.gpio.attribute"
local contact = require "strobe.gpio.contact"
local part = require "strobe.gpio.part"

---@class strobe.gpio.Switch: strobe.gpio.Part
---@field state { position: 1|3 }
return part.kind {
  name = "switch",
  pins = { "1", "2", "3" },
  attributes = {
    position = 1, -- at first: 1 or 3
    travel = 0.001, -- seconds from one to the other
    bounce = 0, -- seconds until the contact rests
  },

  start = function(self)
    local bounce = attribute.number(self, "bounce", 0, 10)
    attribute.ns(self, "travel")
    self.contacts = { [1] = contact.new(self, "2", "1", bounce), [3] = contact.new(self, "2", "3", bounce) }
    self.state.position = attribute.one_of(self, "position", 1, 3)
    self.contacts[self.state.position]:put(true)
  end,

  --- Slides it to the other position, or to the one that is named.
  ---@param position? 1|3
  slide = function(self, position)
    position = position or 4 - self.state.position
    if position ~= 1 and position ~= 3 then
      error(("switch:slide: position: 1 or 3 expected, got %s"):format(tostring(position)), 2)
    end
    self.contacts[4 - position]:put(false)
    self.state.position = position
    self:after(self.attributes.travel, function()
      self.contacts[position]:set(self.state.position == position)
    end)
  end,
}
