--- A contact: two pins of a part which touch, or do not. One of metal bounces before it rests: it opens and closes
-- a few times, at moments which the board's seed decides.

local contact = {}

---@class strobe.gpio.Contact
---@field closed boolean where it comes to rest
---@field touching boolean where it is now
---@field private bounces {close: fun()}[] to come
---@field on_touch? fun(touching: boolean) called when that has changed
local Contact = {}
Contact.__index = Contact

local BOUNCES = 3 -- at most

--- Makes one that is open.
---@param part strobe.gpio.Part
---@param a string its pin
---@param b string
---@param bounce? number seconds until it rests (0)
---@return strobe.gpio.Contact
function contact.new(part, a, b, bounce)
  return setmetatable({
    part = part, a = part.line[a], b = part.line[b], closed = false, touching = false,
    bounce = bounce or 0, bounces = {},
  }, Contact)
end

local function touch(self, touching)
  if touching == self.touching then
    return
  elseif touching then
    self.wire = assert(self.a:connect(self.b))
  else
    assert(self.wire:cut())
  end
  self.touching = touching
  if self.on_touch then
    self.on_touch(touching)
  end
end

-- When it leaves where it is to rest and when it comes back, always both, in seconds from now.
local function moments_of(self)
  local moments = {}
  for i = 1, 2 * self.part.board:random(1, BOUNCES) do
    moments[i] = self.part.board:random() * self.bounce
  end
  table.sort(moments)
  return moments
end

--- Closes or opens it without bouncing, as it is at first. What still bounced does no more.
---@param closed boolean
function Contact:put(closed)
  for _, bounce in ipairs(self.bounces) do
    bounce:close()
  end
  self.bounces, self.closed = {}, closed
  touch(self, closed)
end

--- Closes or opens it; it bounces then.
---@param closed boolean
function Contact:set(closed)
  if closed == self.closed then
    return
  end
  self:put(closed)
  for i, moment in ipairs(self.bounce > 0 and moments_of(self) or {}) do
    self.bounces[i] = self.part:after(moment, function()
      touch(self, (i % 2 == 0) == closed)
    end)
  end
end

return contact
