-- A ring: the last `limit` values, oldest first. Pushing into a full ring drops its oldest value and
-- counts it. The rows of a book and the queue of a subscriber are rings: what must not grow for ever.
--
-- Model: slot 0 … limit-1 of one table, used round and round; it grows only as far as it was ever
-- filled. Emptying it starts again at slot 0, so a ring that is drained as fast as it is filled stays small.

---@class strobe.tectonic.Ring
---@field limit integer how many values it keeps
---@field dropped integer values lost because it was full, ever
---@field package slots any[]
---@field package head integer slot of the oldest value
---@field package size integer
local Ring = {}
Ring.__index = Ring
Ring.__name = "strobe.tectonic.Ring"

local ring = {}

---@param limit integer at least 1
---@return strobe.tectonic.Ring
function ring.new(limit)
  if math.type(limit) ~= "integer" or limit < 1 then
    error("limit: a positive integer expected, got " .. tostring(limit), 2)
  end
  return setmetatable({ limit = limit, dropped = 0, slots = {}, head = 0, size = 0 }, Ring)
end

---Adds the newest value; a full ring loses its oldest.
---@param value any not nil
---@return boolean dropped whether a value was lost
function Ring:push(value)
  local slot = self.head + self.size
  if slot >= self.limit then
    slot = slot - self.limit
  end
  self.slots[slot] = value
  if self.size < self.limit then
    self.size = self.size + 1
    return false
  end
  self.head = self.head + 1 < self.limit and self.head + 1 or 0
  self.dropped = self.dropped + 1
  return true
end

---Takes the oldest value out.
---@return any|nil value nil when empty
function Ring:shift()
  if self.size == 0 then
    return nil
  end
  local head = self.head
  local value = self.slots[head]
  self.slots[head] = false
  self.size = self.size - 1
  self.head = self.size > 0 and head + 1 < self.limit and head + 1 or 0
  return value
end

---How many values it holds.
---@return integer
function Ring:count()
  return self.size
end

---The values of positions first to last, counted from 1 for the oldest; both ends are cut to what is there.
---@param first? integer default 1
---@param last? integer default the newest
---@return any[] values a new list
function Ring:list(first, last)
  first = math.max(first or 1, 1)
  last = math.min(last or self.size, self.size)
  local values, slots, limit = {}, self.slots, self.limit
  local offset = self.head - 1
  for position = first, last do
    values[#values + 1] = slots[(offset + position) % limit]
  end
  return values
end

---Forgets all values; what was dropped before stays counted.
function Ring:clear()
  self.slots, self.head, self.size = {}, 0, 0
end

return ring
