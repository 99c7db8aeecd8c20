--- replay:FILE — a recording, event after event at its own times.
--
-- The time which units see is that of the recording. Under the virtual clock a day passes in seconds; under a live one
-- the events come as they came, under `--clock=x10` ten times as fast. The order is that of the file: an event that is
-- older than the one before it comes at once. An event without a time comes with the one before it.
--
-- CSV or JSON lines, whatever the file is called: see rows.lua and lines.lua, for their options too. A broken line is
-- skipped, counted and reported with FILE:LINE; with more than `broken` of them (100) the recording ends there.

local Feed = require "strobe.live.feed.feed"
local fs = require "strobe.async.fs"
local recordings = require "strobe.live.feed.recording"
local uv = require "luv"

-- Bytes read at once; lines in which the first time is looked for.
local CHUNK, LINES = 256 * 1024, 1000

local Replay = Feed.class()

local kind = { separators = "#", options = recordings.options }

local function ignore() end

-- The time of the first event.
local function first_time(path, name, options)
  local file <close>, message = io.open(path, "rb")
  if not file then
    return nil, message
  end
  local begins
  local recording = recordings.new(path, name, options, ignore)
  local function note(_, _, at)
    begins = begins or at
  end
  for _ = 1, LINES do
    local line = not begins and file:read "L"
    if not line or not recording:feed(line, note) then
      break
    end
  end
  return begins
end

---@param url strobe.live.FeedUrl
---@return strobe.live.Feed?
---@return string? message
---@return string? code
function kind.open(url)
  local path = url.rest:gsub("^//", "")
  local most, wrong = recordings.most_broken(url.options)
  if path == "" then
    return nil, "a file expected: replay:ticks.csv", "EINVAL"
  elseif not most then
    return nil, wrong, "EINVAL"
  end
  local stat, message, code = uv.fs_stat(path)
  if not stat then
    return nil, (message:gsub("^%u+: ", "")), code
  elseif stat.type ~= "file" then
    return nil, ("%s is a %s, not a file"):format(path, stat.type), stat.type == "directory" and "EISDIR" or "ENOTSUP"
  end
  return Feed.new(Replay, url, {
    path = path, options = url.options, noun = path:find "%.csv$" and "book" or "stream", finite = true,
    begins = first_time(path, url.name, url.options), total = stat.size, done = 0,
  })
end

-- Hands each event on when it is due.
local function player(feed, sink)
  local clock, last = feed.clock, nil
  return function(stream, data, at, seq, first)
    if at and at ~= last then
      last = at
      clock:wait_until(at)
    end
    feed:hand_on(sink, stream, data, last or clock:now(), seq, first)
    feed:be_fair()
  end
end

---@async
---@protected
function Replay:deliver(sink)
  local file <close>, message, code = fs.open(self.path)
  if not file then
    return nil, message, code
  end
  local recording = recordings.new(self.path, self.name, self.options, function(...)
    self:skip(...)
  end)
  local hand = player(self, sink)
  repeat
    local bytes
    bytes, message, code = file:read(CHUNK)
    if not bytes then
      return nil, message, code
    end
    local ok
    ok, message, code = recording:feed(bytes, hand)
    if not ok then
      return nil, message, code
    end
    self.done = self.done + #bytes
  until bytes == ""
  return recording:finish(hand)
end

return kind
