-- A subscriber: one client's share of one book's updates. It either queues them until it is polled
-- (generation A) or hands each to a `push` function at once (generation C).
--
-- Model: every update offered ends in exactly one of four ways, counted in the table the store passes:
-- delivered (polled, or taken by push), dropped (pushed out of a full queue, or refused by push),
-- discarded (still queued when the client left), or it is queued. So
-- published = delivered + dropped + discarded + queued, at any time.
-- Queued updates are encoded texts shared by all subscribers; a slow client costs its own queue, nothing else.

local ring = require "strobe.tectonic.ring"

---@class strobe.tectonic.Subscriber
---@field book string name of the book
---@field closed boolean
---@field delivered integer
---@field dropped integer
---@field failure string|nil what a push function raised; the subscriber was closed then
---@field push (fun(update: string): boolean?)|nil
---@field package queue strobe.tectonic.Ring
---@field package counters strobe.tectonic.Counters
local Subscriber = {}
Subscriber.__index = Subscriber
Subscriber.__name = "strobe.tectonic.Subscriber"

---@class strobe.tectonic.Counters
---@field published integer
---@field delivered integer
---@field dropped integer
---@field discarded integer

local subscriber = {}

---@param book string name of the book
---@param limit integer updates queued at most
---@param counters strobe.tectonic.Counters shared with the store
---@param push? fun(update: string): boolean? takes an update at once; must not wait; false = refused
---@return strobe.tectonic.Subscriber
function subscriber.new(book, limit, counters, push)
  return setmetatable({ book = book, closed = false, delivered = 0, dropped = 0, push = push,
    queue = ring.new(limit), counters = counters }, Subscriber)
end

local function count(self, outcome)
  self[outcome] = self[outcome] + 1
  self.counters[outcome] = self.counters[outcome] + 1
end

-- A push function that raises belongs to a broken client: close it, the others go on.
local function hand_over(self, update)
  local ok, taken = pcall(self.push, update)
  if ok and taken ~= false then
    return count(self, "delivered")
  end
  count(self, "dropped")
  if not ok then
    self.failure = tostring(taken)
    self:close()
  end
end

---Gives it one update. A closed one takes nothing.
---@param update string
function Subscriber:offer(update)
  if self.closed then
    return
  end
  self.counters.published = self.counters.published + 1
  if self.push then
    hand_over(self, update)
  elseif self.queue:push(update) then
    count(self, "dropped")
  end
end

---Takes the oldest queued update.
---@return string|nil update nil when nothing is queued
function Subscriber:poll()
  local update = self.queue:shift()
  if update then
    count(self, "delivered")
  end
  return update
end

---How many updates wait to be polled.
---@return integer
function Subscriber:queued()
  return self.queue:count()
end

---Takes no more updates and discards those queued. Closing twice is harmless.
function Subscriber:close()
  self.closed = true
  self.counters.discarded = self.counters.discarded + self.queue:count()
  self.queue:clear()
end

return subscriber
