--- stdin: — JSON lines or CSV with a header on the standard input, as they come.
--
-- What lines may be, and their options: see rows.lua and lines.lua. An event without a time of its own has that at
-- which it came. Broken lines are skipped, counted and reported; with more than `broken` of them (100) it ends.

local Feed = require "strobe.live.feed.feed"
local recordings = require "strobe.live.feed.recording"
local standard = require "strobe.async.standard"

local CHUNK = 64 * 1024

local Stdin = Feed.class()

local kind = { separators = "#", options = recordings.options }

---@param url strobe.live.FeedUrl
---@return strobe.live.Feed?
---@return string? message
---@return string? code
function kind.open(url)
  local most, wrong = recordings.most_broken(url.options)
  if url.rest ~= "" then
    return nil, ("nothing expected behind 'stdin:', got %q"):format(url.rest), "EINVAL"
  elseif not most then
    return nil, wrong, "EINVAL"
  end
  return Feed.new(Stdin, url, { options = url.options, finite = true })
end

local function read(stream)
  local ok, bytes = pcall(stream.read, stream, CHUNK)
  if ok then
    return bytes
  elseif type(bytes) == "table" and bytes.code then
    return nil, tostring(bytes.message), bytes.code
  end
  error(bytes, 0)
end

---@async
---@protected
function Stdin:deliver(sink)
  local stream, clock = self.stream or standard.stdin, self.clock
  local recording = recordings.new("stdin", self.name, self.options, function(...)
    self:skip(...)
  end)
  local function hand(event_stream, data, at, seq, first)
    self:hand_on(sink, event_stream, data, at or clock:now(), seq, first)
    self:be_fair()
  end
  while true do
    local bytes, message, code = read(stream)
    if not bytes then
      return nil, message, code
    elseif bytes == "" then
      return recording:finish(hand)
    end
    local ok
    ok, message, code = recording:feed(bytes, hand)
    if not ok then
      return nil, message, code
    end
  end
end

return kind
