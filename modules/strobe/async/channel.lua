--- Channels: between a sender that never waits and receivers that may be slow.
--
-- What does not fit is lost, by a rule one chooses, and counted:
--   latest       the newest value of each key replaces the one before
--   drop_oldest  the oldest value goes
--   broadcast    every receiver has a buffer of its own, and loses its own oldest

local Deque = require "strobe.async.deque"
local Waitlist = require "strobe.async.waitlist"
local errors = require "strobe.async.error"

local channels = {}

---@class strobe.Source what one may receive from
---@field count fun(self: strobe.Source): integer how many values wait to be received
---@field private getters strobe.Waitlist
---@field private closed? boolean
local Source = {}

-- The next value, or nil when the channel is closed and everything was read.
local function next_value(source)
  while source:count() == 0 do
    if source.closed then
      return nil
    end
    local ok, e, woken = source.getters:park()
    if not ok then
      if woken and source:count() > 0 then
        source.getters:wake(1)
      end
      error(e, 0)
    end
  end
  return source:take()
end

--- Takes the next value; waits for one. Raises QueueShutDown when the channel is
--- closed and everything was read. A recv that is cancelled takes nothing.
---@async
---@return any value
function Source:recv()
  local value = next_value(self)
  if value == nil then
    error(errors.QueueShutDown "the channel is closed", 0)
  end
  return value
end

--- Iterates over the values; waits for them; ends when the channel is closed and
--- everything was read: `for v in channel:iter() do … end`.
---@async
---@return fun(): any
function Source:iter()
  return function()
    return next_value(self)
  end
end

--- Ends the channel: nothing can be sent any more; what is there can be read.
--- Closing twice is harmless.
function Source:close()
  self.closed = true
  self.getters:wake()
end

local function check_send(channel, value)
  if value == nil then
    error("Channel:send: nil cannot be sent (use false, or a table)", 3)
  elseif channel.closed then
    error(errors.QueueShutDown "the channel is closed", 0)
  end
end

local function class(name, methods)
  for key, method in pairs(Source) do
    methods[key] = methods[key] or method
  end
  methods.__index = methods
  methods.__name = name
  methods.__close = methods.close
  return methods
end

local function check_size(name, size)
  if math.type(size) ~= "integer" or size < 1 then
    error(("Channel.%s: a size of 1 or more expected, got %s"):format(name, tostring(size)), 3)
  end
end

---@class strobe.LatestChannel : strobe.Source a channel that keeps the newest value of each key
---@field conflated integer how many values were replaced before they were read
---@field private newest table<any, any> values by key
---@field private keys strobe.Deque   keys that have a value, in the order in which they got it
local Latest = class("LatestChannel", {})

-- The key of values without one; NaN cannot be a key either, and is none.
local NO_KEY = {}

--- How many values wait to be received.
---@return integer
function Latest:count()
  return self.keys.count
end

--- Takes the next value off; there is one.
---@package
---@return any
function Latest:take()
  local key = self.keys:shift()
  local value = self.newest[key]
  self.newest[key] = nil
  return value
end

--- Sends a value, which replaces the one with its key that was not read yet and
--- keeps its place. Never waits. Raises QueueShutDown when the channel is closed.
---@param value any not nil
function Latest:send(value)
  check_send(self, value)
  local key = self.key_of and self.key_of(value)
  if key == nil or key ~= key then
    key = NO_KEY
  end
  if self.newest[key] ~= nil then
    self.newest[key] = value
    self.conflated = self.conflated + 1
    return
  end
  self.newest[key] = value
  self.keys:push(key)
  self.getters:wake(1)
end

function Latest:__tostring()
  return ("<Channel.latest size=%d conflated=%d%s>"):format(
    self:count(), self.conflated, self.closed and " closed" or ""
  )
end

--- A conflating channel: a receiver that is slow sees only the newest value of each
--- key. `send recv iter close`, `conflated`.
---@param key_of? fun(value): any without it, or for a nil key: one slot for all
---@return strobe.LatestChannel
function channels.latest(key_of)
  if key_of ~= nil and type(key_of) ~= "function" then
    error(("Channel.latest: a function expected, got %s"):format(type(key_of)), 2)
  end
  return setmetatable({
    key_of = key_of,
    newest = {},
    keys = Deque.new(),
    conflated = 0,
    getters = Waitlist.new "channel",
  }, Latest)
end

-- A bounded buffer; `lost` names the field that counts what did not fit.
local function create_buffer(class_of_it, size, lost)
  return setmetatable({
    buffer = Deque.new(),
    size = size,
    lost = lost,
    [lost] = 0,
    getters = Waitlist.new "channel",
  }, class_of_it)
end

local function add(channel, value)
  local buffer = channel.buffer
  if buffer.count >= channel.size then
    buffer:shift()
    channel[channel.lost] = channel[channel.lost] + 1
  end
  buffer:push(value)
  channel.getters:wake(1)
end

--- How many values wait to be received.
---@return integer
local function buffered(channel)
  return channel.buffer.count
end

--- Takes the next value off; there is one.
---@package
---@return any
local function take_buffered(channel)
  return channel.buffer:shift()
end

---@class strobe.DropOldestChannel : strobe.Source a channel that loses its oldest values when it is full
---@field dropped integer how many values were lost
---@field size integer    how many it holds
local DropOldest = class("DropOldestChannel", { count = buffered, take = take_buffered })

--- Sends a value; when the channel is full its oldest goes. Never waits. Raises
--- QueueShutDown when the channel is closed.
---@param value any not nil
function DropOldest:send(value)
  check_send(self, value)
  add(self, value)
end

function DropOldest:__tostring()
  return ("<Channel.drop_oldest size=%d/%d dropped=%d%s>"):format(
    self:count(), self.size, self.dropped, self.closed and " closed" or ""
  )
end

--- A bounded channel that loses its oldest values when the receiver is slow.
--- `send recv iter close`, `dropped`.
---@param size integer how many values it holds, 1 or more
---@return strobe.DropOldestChannel
function channels.drop_oldest(size)
  check_size("drop_oldest", size)
  return create_buffer(DropOldest, size, "dropped")
end

---@class strobe.Receiver : strobe.Source one end of a broadcast channel
---@field missed integer how many values were lost because this receiver was slow
---@field size integer   how many it holds
---@field private channel? strobe.BroadcastChannel
local Receiver = class("Receiver", { count = buffered, take = take_buffered })

-- Closes the receiver, but lets the channel keep it in its list.
local function end_receiver(receiver)
  receiver.channel = nil
  Source.close(receiver)
end

--- Unsubscribes: nothing more is received; what is there can be read. Also by
--- `local receiver <close> = channel:subscribe()`.
function Receiver:close()
  local channel = self.channel
  if channel then
    for i, receiver in ipairs(channel.receivers) do
      if receiver == self then
        table.remove(channel.receivers, i)
        break
      end
    end
  end
  end_receiver(self)
end

Receiver.__close = Receiver.close

function Receiver:__tostring()
  return ("<Receiver size=%d/%d missed=%d%s>"):format(
    self:count(), self.size, self.missed, self.closed and " closed" or ""
  )
end

---@class strobe.BroadcastChannel a channel whose receivers get every value
---@field size integer what the buffer of a receiver holds
---@field private receivers strobe.Receiver[] in the order of subscription
---@field private closed? boolean
local Broadcast = {}
Broadcast.__index = Broadcast
Broadcast.__name = "BroadcastChannel"

--- A new receiver of all that is sent from now on: `recv iter close`, `missed`.
--- Close it when it is no longer read. Of a closed channel, a closed receiver.
---@param size? integer what its buffer holds; by default that of the channel
---@return strobe.Receiver
function Broadcast:subscribe(size)
  size = size or self.size
  check_size("broadcast", size)
  local receiver = create_buffer(Receiver, size, "missed")
  if self.closed then
    receiver.closed = true
    return receiver
  end
  receiver.channel = self
  table.insert(self.receivers, receiver)
  return receiver
end

--- Sends a value to all receivers. Never waits: one that is slow loses its oldest.
--- Raises QueueShutDown when the channel is closed.
---@param value any not nil
function Broadcast:send(value)
  check_send(self, value)
  for _, receiver in ipairs(self.receivers) do
    add(receiver, value)
  end
end

--- Ends the channel: the iterations of its receivers end when they have read the
--- rest. Closing twice is harmless.
function Broadcast:close()
  self.closed = true
  for _, receiver in ipairs(self.receivers) do
    end_receiver(receiver)
  end
  self.receivers = {}
end

Broadcast.__close = Broadcast.close

function Broadcast:__tostring()
  return ("<Channel.broadcast receivers=%d%s>"):format(#self.receivers, self.closed and " closed" or "")
end

local DEFAULT_SIZE = 1024

--- A fan-out channel: each receiver gets every value, and has a bounded buffer of
--- its own. `send subscribe close`.
---@param options? {size?: integer} what the buffer of a receiver holds, by default 1024
---@return strobe.BroadcastChannel
function channels.broadcast(options)
  local size = options and options.size or DEFAULT_SIZE
  check_size("broadcast", size)
  return setmetatable({ size = size, receivers = {} }, Broadcast)
end

return { Channel = channels }
