--- Who gets which events: the subscriptions of units, and who looks on.

local streams = require "strobe.live.streams"

---@class strobe.live.Delivery
---@field own_streams table<string, true> those that no feed brings
---@field private runtime strobe.live.Runtime
---@field subscribers table<string, strobe.live.RunningUnit[]>
---@field private full_names table<string, table<string, string>> "feed:stream" by feed and stream, if somebody wants it
---@field private sources table<string, strobe.live.Feed|"told"> whence a stream has come
---@field private observers function[]
---@field private is_limited boolean
local Delivery = {}
Delivery.__index = Delivery

--- Makes one for a runtime.
---@param runtime strobe.live.Runtime
---@param names? string[] streams that there are besides those of feeds; nil: any, as long as there is no feed
---@return strobe.live.Delivery
function Delivery.new(runtime, names)
  local delivery = setmetatable({
    runtime = runtime, subscribers = {}, observers = {}, full_names = {}, sources = {}, is_limited = names ~= nil,
    own_streams = { fills = true }, -- the broker's
  }, Delivery)
  for _, stream in ipairs(names or {}) do
    delivery.own_streams[stream] = true
  end
  return delivery
end

--- Whether a unit may subscribe to a stream: "stream", or "feed:stream".
---@param stream string
---@return boolean
---@return string? message why not
function Delivery:has_stream(stream)
  if #self.runtime.feeds == 0 and not self.is_limited then
    return true
  end
  return streams.check(stream, self.runtime.feeds, self.own_streams)
end

--- Calls f(stream, data, time, stream_seq, feed) for each event, before units get it.
---@param f fun(stream: string, data: any, time: number, stream_seq?: integer, feed?: strobe.live.Feed)
---@return fun() stop no more
function Delivery:observe(f)
  local observers = { table.unpack(self.observers) }
  observers[#observers + 1] = f
  self.observers = observers
  return function()
    local left = {}
    for _, other in ipairs(self.observers) do
      left[#left + 1] = other ~= f and other or nil
    end
    self.observers = left
  end
end

-- The lists are made anew: an event that is being handed out goes to those who had subscribed before.
local function without(list, unit)
  local left = {}
  for _, other in ipairs(list) do
    left[#left + 1] = other ~= unit and other or nil
  end
  return left
end

--- From now on these are the streams of a unit.
---@param unit strobe.live.RunningUnit
---@param names string[]
function Delivery:subscribe(unit, names)
  local subscribers = {}
  for stream, list in pairs(self.subscribers) do
    list = without(list, unit)
    subscribers[stream] = #list > 0 and list or nil
  end
  unit.subscriptions = {}
  for _, name in ipairs(names) do
    if not unit.subscriptions[name] then
      unit.subscriptions[name] = true
      subscribers[name] = subscribers[name] or {}
      table.insert(subscribers[name], unit)
    end
    local feed, stream = streams.split(name)
    if feed then
      self.full_names[feed] = self.full_names[feed] or {}
      self.full_names[feed][stream] = name
    end
  end
  self.subscribers = subscribers
end

-- What a unit on probation has dropped is kept for the case that it comes back.
local function keep_late(delivery, stream, data, when, stream_seq)
  for _, unit in ipairs(delivery.runtime.order) do
    local probation = unit.probation
    if probation and probation.dropped[stream] then
      probation:put_late(unit.inbox:event(stream, data, when, stream_seq))
    end
  end
end

local function hand_out(delivery, stream, data, when, stream_seq)
  if delivery.runtime.probations.dropping then
    keep_late(delivery, stream, data, when, stream_seq)
  end
  local list = delivery.subscribers[stream]
  if list then
    for i = 1, #list do
      local unit = list[i]
      while not unit:offer(stream, data, when, stream_seq) do
        unit.inbox:wait_room()
      end
    end
  end
end

-- Two feeds whose lists nobody knew may turn out to have a stream in common.
local function check_source(delivery, stream, feed)
  local source = delivery.sources[stream]
  if source == nil then
    delivery.sources[stream] = feed
  elseif source ~= "told" and source ~= feed then
    delivery.sources[stream] = "told"
    local text = "the stream '%s' comes from the feeds %s and %s; subscribe to '%s:%s' or '%s:%s'"
    delivery.runtime:log("warning", text:format(stream, source.name, feed.name, source.name, stream, feed.name, stream),
      { feed = feed.name })
  end
end

--- An event, for all who have subscribed. Waits while one has no room.
---@async
---@param stream string
---@param data any
---@param when? number (now)
---@param stream_seq? integer
---@param feed? strobe.live.Feed which it is of
function Delivery:offer(stream, data, when, stream_seq, feed)
  when = when or self.runtime.clock:now()
  local observers = self.observers
  for i = 1, #observers do
    observers[i](stream, data, when, stream_seq, feed)
  end
  if feed then
    if self.sources[stream] ~= feed and self.subscribers[stream] then
      check_source(self, stream, feed)
    end
    local names = self.full_names[feed.name]
    local full_name = names and names[stream]
    if full_name then
      hand_out(self, full_name, data, when, stream_seq)
    end
  end
  hand_out(self, stream, data, when, stream_seq)
end

return Delivery
