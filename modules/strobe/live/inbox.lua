--- A unit's inbox: events in the order in which they came, bounded, numbered without a gap as they are taken.
--
-- It belongs to the runtime: reloads do not touch it. What is dropped is dropped before it gets a number. What an event
-- brings with it is interjected: it comes before all that waits.

local lot = require "strobe.core.lot"

local SIZE = 65536

---@class strobe.Event what a unit handles
---@field seq integer         of the unit, without gaps; false until it is taken
---@field stream string
---@field stream_seq? integer of the feed
---@field time number
---@field data any
---@field redelivered? true   it was tried before, and effects of it were sent
---@field effects? strobe.live.Effect[] these
---@field late? true          of a stream which the version that was rolled back had dropped
---@field package front? true it was interjected, or brought such
---@field package held? true  it is not to be delivered yet
---@field package met? true   `meet` has seen it

---@class strobe.live.Inbox
---@field size integer
---@field policy "block"|"drop_oldest"|"latest"
---@field dropped integer
---@field peak integer
---@field private first integer
---@field private last integer
---@field private seq integer
---@field meet? fun(event: strobe.Event) is shown each event before it is delivered, once; may interject
---@field half integer       when so many wait,
---@field filling fun()|false this is called
---@field private waiting integer tasks that wait for room
local Inbox = {}
Inbox.__index = Inbox

--- Makes one, which is empty.
---@param options? {size?: integer, policy?: "block"|"drop_oldest"|"latest"}
---@return strobe.live.Inbox
function Inbox.new(options)
  options = options or {}
  local size = options.size or SIZE
  return setmetatable({
    size = size, half = size // 2 + 1, filling = false, policy = options.policy or "block", dropped = 0, peak = 0,
    first = 1, last = 0, seq = 0, room = lot.new "inbox", waiting = 0, meet = false,
  }, Inbox)
end

function Inbox:__len()
  return self.last - self.first + 1
end

-- Replaces the event of the same stream that waits, if one does.
local function conflate(inbox, stream, data, time, stream_seq)
  for i = inbox.last, inbox.first, -1 do
    local event = inbox[i]
    if event.stream == stream and not event.front and not event.seq then
      event.data, event.time, event.stream_seq = data, time, stream_seq
      inbox.dropped = inbox.dropped + 1
      return true
    end
  end
  return false
end

--- Makes an event; it is not put in.
---@param stream string
---@param data any
---@param time number
---@param stream_seq? integer
---@return strobe.Event
function Inbox.event(_, stream, data, time, stream_seq)
  return { seq = false, stream = stream, stream_seq = stream_seq, time = time, data = data }
end

-- Behind those at the front that were interjected.
local function behind(inbox)
  local at = inbox.first
  while inbox[at] and inbox[at].front do
    at = at + 1
  end
  return at
end

-- Takes the event at a place near the front out.
local function remove(inbox, at)
  local event, first = inbox[at], inbox.first
  for i = at, first + 1, -1 do
    inbox[i] = inbox[i - 1]
  end
  inbox[first] = nil
  inbox.first = first + 1
  return event
end

-- Puts an event in before the one at a place near the front.
local function insert(inbox, event, at)
  local first = inbox.first - 1
  for i = first, at - 2 do
    inbox[i] = inbox[i + 1]
  end
  inbox[at - 1] = event
  inbox.first = first
end

-- Behind those at the front that stay: what was interjected, and what has its number, to be tried again.
local function oldest(inbox)
  local at = inbox.first
  while inbox[at] and (inbox[at].front or inbox[at].seq) do
    at = at + 1
  end
  return at
end

--- Puts an event in, in place of the oldest that may go; where none may, it is dropped itself.
---@param stream string
---@param data any
---@param time number
---@param stream_seq? integer
---@return true
function Inbox:replace_oldest(stream, data, time, stream_seq)
  self.dropped = self.dropped + 1
  local at = oldest(self)
  if at <= self.last then
    remove(self, at)
    self.last = self.last + 1
    self[self.last] = self:event(stream, data, time, stream_seq)
  end
  return true
end

--- Puts an event in: false when there is no room and nothing may be dropped.
---@param stream string
---@param data any
---@param time number
---@param stream_seq? integer
---@return boolean
function Inbox:offer(stream, data, time, stream_seq)
  local count = self.last - self.first + 1
  if self.policy == "latest" and conflate(self, stream, data, time, stream_seq) then
    return true
  elseif count >= self.size then
    return self.policy ~= "block" and self:replace_oldest(stream, data, time, stream_seq)
  end
  if count == self.half and self.filling then
    self.filling()
  end
  local last = self.last + 1
  self.last = last
  self[last] = { seq = false, stream = stream, stream_seq = stream_seq, time = time, data = data }
  if count >= self.peak then
    self.peak = last - self.first + 1
  end
  return true
end

--- Waits until something was taken out.
---@async
function Inbox:wait_room()
  self.waiting = self.waiting + 1
  self.room:park()
end

--- Those who wait for room look again.
function Inbox:wake_waiting()
  if self.waiting > 0 then
    self.waiting = 0
    self.room:wake()
  end
end

local function number(inbox, event)
  if not event.seq then
    inbox.seq = inbox.seq + 1
    event.seq = inbox.seq
  end
  return event
end

-- Shows an event to `meet`: whether something was interjected, which comes before it.
local function brings(inbox, event)
  event.met = true
  inbox.meet(event)
  local following = inbox[inbox.first]
  if following and following.front then
    event.front = true
    insert(inbox, event, behind(inbox))
    return true
  end
end

--- The next event, or nil.
---@return strobe.Event?
function Inbox:take()
  local first = self.first
  local event = self[first]
  if not event or event.held then
    return nil
  end
  self[first] = nil
  self.first = first + 1
  if self.waiting > 0 then
    self:wake_waiting()
  end
  if self.meet and not event.met and brings(self, event) then
    return self:take()
  end
  return number(self, event)
end

--- Puts an event in before all that wait, but behind those which were put in so before.
---@param event strobe.Event
---@param held? boolean it is not delivered, nor what is behind it, until that is taken away
function Inbox:interject(event, held)
  event.front, event.met, event.held = true, true, held or nil
  insert(self, event, behind(self))
end

--- Takes out an event that was interjected; harmless when it is not there any more.
---@param event strobe.Event
function Inbox:withdraw(event)
  for at = self.first, behind(self) - 1 do
    if self[at] == event then
      remove(self, at)
      return
    end
  end
end

--- The next event, which stays; nil when there is none.
---@return strobe.Event?
function Inbox:peek()
  return self[self.first]
end

--- Puts an event back to the front.
---@param event strobe.Event
function Inbox:put_back(event)
  self.first = self.first - 1
  self[self.first] = event
end

--- Takes out the events of some streams.
---@param streams table<string, any> the keys
---@return strobe.Event[] taken in their order
function Inbox:extract(streams)
  local taken, to = {}, self.first
  for from = self.first, self.last do
    local event = self[from]
    self[from] = nil
    if streams[event.stream] then
      taken[#taken + 1] = event
    else
      self[to], to = event, to + 1
    end
  end
  self.last = to - 1
  if #taken > 0 then
    self:wake_waiting()
  end
  return taken
end

return Inbox
