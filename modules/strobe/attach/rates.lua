--- How many events a second come by each stream and feed. It counts only while somebody wants to know.
--
-- A second is one of the process's time. Where that stands, nobody waits for it, and there are no rates.

local Alarm = require "strobe.alarm"
local time = require "strobe.core.time"

-- Seconds that a first look takes; a look back is good for so many.
local SPAN, MOST = 1, 10
-- Streams that are counted.
local MOST_STREAMS = 10000

---@class strobe.attach.Rates
---@field private runtime strobe.live.Runtime
---@field private streams table<string, {count: integer, last: number}>
---@field private last table<strobe.live.Feed, number> when its last event came
---@field private before? table the look before
local Rates = {}
Rates.__index = Rates

--- Makes one, which counts from now on.
---@param runtime strobe.live.Runtime
---@return strobe.attach.Rates
function Rates.new(runtime)
  local rates = setmetatable({
    runtime = runtime, began = time.now(), streams = {}, known = 0, last = setmetatable({}, { __mode = "k" }),
  }, Rates)
  local streams, last = rates.streams, rates.last
  rates.stop = runtime:observe(function(stream, _, _, _, feed)
    local now = time.now()
    if feed then
      last[feed] = now
    end
    local entry = streams[stream]
    if not entry then
      rates.known = rates.known + 1
      if rates.known > MOST_STREAMS then
        return
      end
      entry = { count = 0 }
      streams[stream] = entry
    end
    entry.count, entry.last = entry.count + 1, now
  end)
  return rates
end

local function look(rates)
  local seen = { at = time.now(), real = time.real(), streams = {}, feeds = {} }
  for stream, entry in pairs(rates.streams) do
    seen.streams[stream] = entry.count
  end
  for _, feed in ipairs(rates.runtime.feeds or {}) do
    seen.feeds[feed] = feed:statistics().events
  end
  return seen
end

-- Seconds since the last look, of the process's time and of real time.
local function ages(rates)
  local now = rates.now
  if not now then
    return math.huge, math.huge
  end
  return time.now() - now.at, time.real() - now.real
end

--- Looks now: what it tells from now on is of the time since the look before, if that was not long ago; else it waits
--- for a second.
---@async
function Rates:look()
  local age, real_age = ages(self)
  if math.max(age, real_age) < SPAN / 2 then
    return
  elseif age > MOST then
    self.now = look(self)
    Alarm.pass(SPAN)
  end
  self.before, self.now = self.now, look(self)
  self.seconds = math.floor((self.now.at - self.before.at) * 1e6 + 0.5) / 1e6
end

-- nil when no time has passed.
local function rate(self, kind, key)
  if self.seconds <= 0 then
    return nil
  end
  local now = self.now[kind][key]
  return now and (now - (self.before[kind][key] or 0)) / self.seconds or 0
end

--- What is known of a stream: events a second, those that were counted, seconds since the last.
---@param stream string
---@return {rate?: number, events: integer, age?: number}
function Rates:of_stream(stream)
  local entry = self.streams[stream]
  return {
    rate = rate(self, "streams", stream), events = entry and entry.count or 0,
    age = entry and time.now() - entry.last or nil,
  }
end

--- What is known of a feed: events a second, nil when no time has passed; seconds since the last event came, whatever
--- time it tells itself; else seconds for which none has come, as somebody looks for so long.
---@param feed strobe.live.Feed
---@return {rate?: number, age?: number, quiet?: number}
function Rates:of_feed(feed)
  local last, now = self.last[feed], time.now()
  return {
    rate = rate(self, "feeds", feed), age = last and now - last or nil, quiet = not last and now - self.began or nil,
  }
end

--- The streams that have had events.
---@return string[]
function Rates:names()
  local names = {}
  for stream in pairs(self.streams) do
    names[#names + 1] = stream
  end
  return names
end

return Rates
