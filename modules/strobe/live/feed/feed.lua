--- What all feeds are made on: a name, a clock, counters, and one task that delivers.
--
-- A kind of feed has a method `deliver(sink)`, which waits; see strobe.live.feed.

local Clock = require "strobe.live.clock"
local Notices = require "strobe.live.feed.notices"
local Sequence = require "strobe.live.feed.sequence"
local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"

-- Events between two looks at the time, and seconds after which other tasks get a turn.
local LOOK, SLICE = 64, 0.005

---@alias strobe.live.Sink fun(stream: string, data: any, time: number, stream_seq?: integer) may wait

---@class strobe.live.FeedStatistics
---@field events integer      delivered
---@field gaps integer
---@field lost integer        by the numbers of the streams
---@field duplicates integer
---@field reordered integer
---@field broken integer      lines or messages that were skipped
---@field reconnects integer
---@field last? number        time of the last event
---@field total? number       of what there is to do; nil if nobody knows
---@field done? number        of that: bytes of a file, events of a walk

---@class strobe.live.Feed
---@field name string
---@field url string
---@field streams? string[]   all that it has; nil: any may come
---@field finite boolean      it ends by itself
---@field begins? number      time of the first event of a recording
---@field clock strobe.live.Clock
---@field log fun(level: string, text: string) where it reports to
---@field protected events integer
---@field protected sequence? strobe.live.Sequence nil: numbers are not checked
local Feed = {}
Feed.__index = Feed
Feed.__name = "feed"

local function report(feed)
  return function(level, text)
    core_error.report { warning = level ~= "error", message = ("feed %s: %s"):format(feed.name, text) }
  end
end

--- Makes one of a kind.
---@param class table
---@param url strobe.live.FeedUrl
---@param fields table what the kind needs
---@return strobe.live.Feed
function Feed.new(class, url, fields)
  local feed = setmetatable(fields, class)
  feed.name, feed.url, feed.clock = url.name, url.text, Clock.new()
  feed.events, feed.broken, feed.reconnects = 0, 0, 0
  feed.finite = feed.finite or false
  if feed.begins then
    feed.clock:hold(feed.begins)
  end
  feed.log = report(feed)
  feed.notices = Notices.new(function(level, text)
    feed.log(level, text)
  end)
  if url.options.gaps ~= "off" then
    feed.sequence = Sequence.new(feed.noun or "stream", function(...)
      feed.notices:tell(...)
    end)
  end
  return feed
end

--- A class of feeds.
---@return table class
function Feed.class()
  local class = setmetatable({}, Feed)
  class.__index, class.__name, class.__close = class, Feed.__name, Feed.close
  return class
end

--- Counts an event, looks at its number and hands it on.
---@async
---@protected
---@param sink strobe.live.Sink
---@param stream string
---@param data any
---@param at number
---@param seq? integer
---@param first? integer of the numbers it stands for
function Feed:hand_on(sink, stream, data, at, seq, first)
  self.events, self.last = self.events + 1, at
  local sequence = self.sequence
  if seq and sequence then
    sequence:check(stream, seq, first)
  end
  sink(stream, data, at, seq)
end

--- Lets other tasks have a turn now and then.
---@async
---@protected
function Feed:be_fair()
  self.streak = (self.streak or 0) + 1
  if self.streak % LOOK == 0 then
    local now = time.real()
    if now - (self.turn or 0) > SLICE then
      time.sleep(0)
      self.turn = time.real()
    end
  end
end

--- Counts what cannot be read, and reports it.
---@protected
---@param text string a format
---@param ... any
function Feed:skip(text, ...)
  self.broken = self.broken + 1
  self.notices:tell("warning", text, ...)
end

-- A failure of the sink, without the groups of tasks around it.
local function bare(e)
  while errors.is(e, errors.ExceptionGroup) and #e.exceptions == 1 do
    e = e.exceptions[1]
  end
  return e
end

local Running = {
  __close = function(running)
    local feed = running.feed
    feed.running = nil
    feed.notices:flush()
  end,
}

--- Delivers events until its end: `feed:run(function(stream, data, time, stream_seq) … end)`. What comes over a
--- network goes on for ever, and connects again by itself. The sink may wait: nothing more is read meanwhile. To
--- cancel the task, or `close`, ends it.
---@async
---@param sink strobe.live.Sink
---@return true? ended all is delivered
---@return string? message why it cannot go on
---@return string? code "ECANCELED" after close, …
function Feed:run(sink)
  if self.running then
    error(("feed %s: it runs already"):format(self.name), 2)
  elseif self.closed then
    return nil, ("feed %s: it was closed"):format(self.name), "ECANCELED"
  end
  local running <close> = setmetatable({ feed = self }, Running) -- luacheck: ignore
  if self.begins then
    self.clock:start()
  end
  if self.sequence then
    self.sequence:reconnected()
  end
  self.running = tasks.create_task(self.deliver, self, sink)
  self.running:set_name("feed " .. self.name)
  local results = table.pack(pcall(self.running.await, self.running))
  if results[1] then
    return table.unpack(results, 2, results.n)
  elseif self.closed and errors.is(results[2], errors.CancelledError) and tasks.current_task():cancelling() == 0 then
    return nil, ("feed %s: it was closed"):format(self.name), "ECANCELED"
  end
  error(bare(results[2]), 0)
end

--- Ends it for good. Twice is harmless.
function Feed:close()
  if not self.closed then
    self.closed = true
    if self.running then
      self.running:cancel "the feed was closed"
    end
  end
end

--- How it goes.
---@return strobe.live.FeedStatistics
function Feed:statistics()
  local sequence = self.sequence or {}
  return {
    events = self.events, gaps = sequence.gaps or 0, lost = sequence.lost or 0, duplicates = sequence.duplicates or 0,
    reordered = sequence.reordered or 0, broken = self.broken, reconnects = self.reconnects, last = self.last,
    total = self.total, done = self.done,
  }
end

return Feed
