--- A unit's inbox: events in the order in which they came, numbered without a gap, bounded.
--
-- It belongs to the runtime: reloads do not touch it. What is dropped is dropped before it gets a number.

local lot = require "strobe.core.lot"

local SIZE = 65536

---@class strobe.live.Event
---@field seq integer         of the unit, without gaps
---@field stream string
---@field stream_seq? integer of the feed
---@field time number
---@field data any
---@field redelivered? true   it was tried before, and effects of it were sent
---@field late? true          of a stream which the version that was rolled back had dropped

---@class strobe.live.Inbox
---@field size integer
---@field policy "block"|"drop_oldest"|"latest"
---@field dropped integer
---@field peak integer
---@field private first integer
---@field private last integer
---@field private seq integer
local Inbox = {}
Inbox.__index = Inbox

--- Makes one, which is empty.
---@param options? {size?: integer, policy?: "block"|"drop_oldest"|"latest"}
---@return strobe.live.Inbox
function Inbox.new(options)
  options = options or {}
  return setmetatable({
    size = options.size or SIZE, policy = options.policy or "block", dropped = 0, peak = 0,
    first = 1, last = 0, seq = 0, room = lot.new "inbox",
  }, Inbox)
end

function Inbox:__len()
  return self.last - self.first + 1
end

local function append(inbox, event)
  inbox.last = inbox.last + 1
  inbox[inbox.last] = event
  local count = inbox.last - inbox.first + 1
  if count > inbox.peak then
    inbox.peak = count
  end
end

-- Replaces the event of the same stream that waits, if one does.
local function conflate(inbox, stream, data, time, stream_seq)
  for i = inbox.last, inbox.first, -1 do
    local event = inbox[i]
    if event.stream == stream then
      event.data, event.time, event.stream_seq = data, time, stream_seq
      inbox.dropped = inbox.dropped + 1
      return true
    end
  end
  return false
end

--- Makes an event, with the next number; it is not put in.
---@param stream string
---@param data any
---@param time number
---@param stream_seq? integer
---@return strobe.live.Event
function Inbox:event(stream, data, time, stream_seq)
  self.seq = self.seq + 1
  return { seq = self.seq, stream = stream, stream_seq = stream_seq, time = time, data = data }
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
    if self.policy == "block" then
      return false
    end
    self:take()
    self.dropped = self.dropped + 1
  end
  append(self, self:event(stream, data, time, stream_seq))
  return true
end

--- Waits until something was taken out.
---@async
function Inbox:wait_room()
  self.room:park()
end

--- The next event, or nil.
---@return strobe.live.Event?
function Inbox:take()
  local first = self.first
  local event = self[first]
  if event then
    self[first] = nil
    self.first = first + 1
    if #self.room > 0 then
      self.room:wake()
    end
  end
  return event
end

--- Puts an event back to the front.
---@param event strobe.live.Event
function Inbox:put_back(event)
  self.first = self.first - 1
  self[self.first] = event
end

return Inbox
