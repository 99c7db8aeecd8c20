--- How many events a second come by each stream and feed. It counts only while somebody wants to know.

local time = require "strobe.core.time"

-- Seconds that a first look takes; a look back is good for so many.
local SPAN, MOST = 1, 10
-- Streams that are counted.
local MOST_STREAMS = 10000

---@class strobe.attach.Rates
---@field private runtime strobe.live.Runtime
---@field private streams table<string, {count: integer, last: number}>
---@field private before? table the look before
local Rates = {}
Rates.__index = Rates

--- Makes one, which counts from now on.
---@param runtime strobe.live.Runtime
---@return strobe.attach.Rates
function Rates.new(runtime)
  local rates = setmetatable({ runtime = runtime, streams = {}, known = 0 }, Rates)
  local streams = rates.streams
  rates.stop = runtime:observe(function(stream)
    local entry = streams[stream]
    if not entry then
      rates.known = rates.known + 1
      if rates.known > MOST_STREAMS then
        return
      end
      entry = { count = 0 }
      streams[stream] = entry
    end
    entry.count, entry.last = entry.count + 1, time.now()
  end)
  return rates
end

local function look(rates)
  local seen = { at = time.now(), streams = {}, feeds = {} }
  for stream, entry in pairs(rates.streams) do
    seen.streams[stream] = entry.count
  end
  for _, feed in ipairs(rates.runtime.feeds or {}) do
    seen.feeds[feed] = feed:statistics().events
  end
  return seen
end

--- Looks now: what it tells from now on is of the time since the look before, if that was not long ago; else it waits
--- for a second.
---@async
function Rates:look()
  local age = self.now and time.now() - self.now.at or math.huge
  if age < SPAN / 2 then
    return
  elseif age > MOST then
    self.now = look(self)
    time.sleep(SPAN)
  end
  self.before, self.now = self.now, look(self)
  self.seconds = math.floor((self.now.at - self.before.at) * 1e6 + 0.5) / 1e6
end

local function rate(self, kind, key)
  local now = self.now[kind][key]
  return now and (now - (self.before[kind][key] or 0)) / self.seconds or 0
end

--- What is known of a stream: events a second, those that were counted, seconds since the last.
---@param stream string
---@return {rate: number, events: integer, age?: number}
function Rates:of_stream(stream)
  local entry = self.streams[stream]
  return {
    rate = rate(self, "streams", stream), events = entry and entry.count or 0,
    age = entry and time.now() - entry.last or nil,
  }
end

--- Events a second of a feed.
---@param feed strobe.live.Feed
---@return number
function Rates:of_feed(feed)
  return rate(self, "feeds", feed)
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
