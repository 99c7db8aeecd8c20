--- A push button: joins its two pins while it is pressed. `state.pressed`, and `state.joined`: what its contact
-- does.
--
-- With `bounce` (seconds; 5 ms are usual) the contact opens and closes a few times before it rests, as real ones
-- do: differently each time, and the same in each run of a board with the same seed.

local attribute = require "strobe.gpio.attribute"
local contact = require "strobe.gpio.contact"
local duration = require "strobe.gpio.duration"
local part = require "strobe.gpio.part"

local function move(self, pressed)
  self.state.pressed = pressed
  if self.release_later then
    self.release_later:close()
    self.release_later = nil
  end
  self.contact:set(pressed)
end

---@class strobe.gpio.Button: strobe.gpio.Part
---@field state { pressed: boolean, joined: boolean }
return part.kind {
  name = "button",
  pins = { "1", "2" },
  attributes = {
    bounce = 0, -- seconds until the contact rests
    color = "red",
    key = "", -- that presses it, in views
  },

  start = function(self)
    self.contact = contact.new(self, "1", "2", attribute.number(self, "bounce", 0, 10))
    self.contact.on_touch = function(touching)
      self.state.joined = touching
    end
    self.state.pressed, self.state.joined = false, false
  end,

  --- Presses it until it is released. Twice is once.
  press = function(self)
    move(self, true)
  end,

  --- Lets it go. Twice is once.
  release = function(self)
    move(self, false)
  end,

  --- Presses it for so many simulated seconds, from now. Does not wait.
  ---@param seconds? number (0.1)
  click = function(self, seconds)
    seconds = seconds or 0.1
    duration.ns("button:click: seconds", seconds) -- a mistake is told before it is pressed
    move(self, true)
    self.release_later = self:after(seconds, function()
      self.release_later = nil
      move(self, false)
    end)
  end,

  --- Whether it is pressed.
  ---@return boolean
  is_pressed = function(self)
    return self.state.pressed
  end,
}
