--- Double-ended queues: a ring of slots that doubles when it is full, so that no
-- value is ever moved to make room for another.

---@class strobe.Deque
---@field count integer how many values there are
---@field private slots any[] numbered from 1; false where there is no value
---@field private first integer slot of the oldest value, less one
---@field private mask integer number of slots, a power of two, less one
local Deque = {}
Deque.__index = Deque
Deque.__name = "deque"

local FEWEST = 8

local function clear(deque)
  local slots = { false, false, false, false, false, false, false, false }
  deque.slots, deque.first, deque.mask = slots, 0, FEWEST - 1
end

--- A new empty one.
---@return strobe.Deque
function Deque.new()
  local deque = setmetatable({ count = 0 }, Deque)
  clear(deque)
  return deque
end

local function grow(deque)
  local old, mask, first = deque.slots, deque.mask, deque.first
  local size = mask + 1
  local slots = table.move(old, first + 1, size, 1, {})
  table.move(old, 1, first, size - first + 1, slots)
  for i = size + 1, 2 * size do
    slots[i] = false
  end
  deque.slots, deque.first, deque.mask = slots, 0, 2 * size - 1
end

--- Adds the newest value.
---@param value any not nil
function Deque:push(value)
  local count = self.count
  if count > self.mask then
    grow(self)
  end
  self.slots[(self.first + count & self.mask) + 1] = value
  self.count = count + 1
end

--- Adds a value before the oldest.
---@param value any not nil
function Deque:unshift(value)
  if self.count > self.mask then
    grow(self)
  end
  local first = self.first - 1 & self.mask
  self.slots[first + 1] = value
  self.first, self.count = first, self.count + 1
end

--- Takes the oldest value; there must be one.
---@return any value
function Deque:shift()
  local slots, slot = self.slots, self.first + 1
  local value, count = slots[slot], self.count - 1
  slots[slot] = false
  self.first, self.count = slot & self.mask, count
  if count == 0 and self.mask > 1023 then
    clear(self) -- what a burst needed is given back
  end
  return value
end

--- Takes the newest value; there must be one.
---@return any value
function Deque:pop()
  local count = self.count - 1
  local slot = (self.first + count & self.mask) + 1
  local value = self.slots[slot]
  self.slots[slot] = false
  self.count = count
  return value
end

return Deque
