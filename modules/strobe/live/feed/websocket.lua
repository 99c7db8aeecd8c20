--- ws://… and wss://… — JSON messages. What a message says is up to message.lua; its options stand behind `#`, and:
--
--   subscribe  a message to send when it is connected, percent-encoded; may be given several times
--   streams    the names of all streams there are, NAME,NAME…, so that a wrong one in a unit is refused
--   idle       seconds without a message after which the connection is given up; never
--
-- `wss://stream.binance.com/stream?streams=btcusdt@trade/ethusdt@trade` needs none of them. m.time is when the message
-- came, unless `time` says otherwise. A lost connection is made again, and what was sent is sent again; a server that
-- connects and says nothing is asked less and less often. A message that is no JSON is counted and reported.

local Backoff = require "strobe.live.feed.backoff"
local Feed = require "strobe.live.feed.feed"
local errors = require "strobe.async.error"
local json = require "strobe.json"
local messages = require "strobe.live.feed.message"
local time = require "strobe.core.time"
local uris = require "strobe.ws.uri"
local ws = require "strobe.ws"

-- Bytes of a message: snapshots of an order book have some megabytes.
local MAX_SIZE = 16 * 1024 * 1024
-- Bytes of a message that is no JSON, for who reads the log.
local SHOWN = 60

local WebSocket = Feed.class()

local kind = { separators = "#", options = { subscribe = true, streams = true, idle = true } }
for name in pairs(messages.options) do
  kind.options[name] = true
end

local function split(text, separator)
  local names = {}
  for name in text:gmatch("[^" .. separator .. "]+") do
    names[#names + 1] = name
  end
  return names
end

-- The streams, as far as the URL names them.
local function streams_of(target, options)
  if options.streams then
    return split(options.streams, ",")
  end
  local combined = target:match "[?&]streams=([^&]*)"
  if combined and not options.stream and not options.subscribe then
    return split(combined, "/")
  end
end

---@param url strobe.live.FeedUrl
---@return strobe.live.Feed?
---@return string? message
---@return string? code
function kind.open(url)
  local uri = url.scheme .. ":" .. url.rest
  local parsed, message = uris.parse(uri)
  local options = url.options
  local idle = options.idle and tonumber(options.idle)
  if not parsed then
    return nil, message, "EINVAL"
  elseif options.idle and not (idle and idle > 0) then
    return nil, ("idle: seconds above 0 expected, got %q"):format(options.idle), "EINVAL"
  end
  local subscribe = {}
  for _, pair in ipairs(url.all) do
    if pair[1] == "subscribe" then
      subscribe[#subscribe + 1] = pair[2]
    end
  end
  return Feed.new(WebSocket, url, {
    uri = uri, streams = streams_of(parsed.target, options), subscribe = subscribe, idle = idle,
    messages = messages.new(url.name, options),
  })
end

local function shown(text)
  return #text > SHOWN and text:sub(1, SHOWN) .. "…" or text
end

local function subscribe(feed, connection)
  for _, text in ipairs(feed.subscribe) do
    local ok, message = connection:send(text)
    if not ok then
      return nil, message
    end
  end
  return true
end

-- Messages until the connection ends; returns why.
local function follow(feed, connection, backoff, hand)
  local ok, message = subscribe(feed, connection)
  if not ok then
    return tostring(message)
  end
  while true do
    local text, why = connection:recv(feed.idle)
    if not text then
      return tostring(why)
    end
    local value, wrong = json.decode(text)
    if value ~= nil and feed.messages:take(value, feed.clock:now(), hand) then
      backoff:reset()
    else
      feed:skip("a message is no JSON object (%s): %q", wrong or type(value), shown(text))
    end
  end
end

local function came_back(feed)
  feed.reconnects = feed.reconnects + 1
  if feed.sequence then
    feed.sequence:reconnected()
  end
  feed.notices:tell("info", "connected again")
end

local function deliver(feed, sink)
  local backoff, connected = Backoff.new(), false
  local function hand(...)
    feed:hand_on(sink, ...)
    feed:be_fair()
  end
  local function on_failure(message, _, seconds)
    feed.notices:tell("warning", "%s; trying again in %.1f s", message, seconds)
  end
  for connection in ws.reconnecting(feed.uri, { max_size = MAX_SIZE, initial = 1, most = 30, on_failure = on_failure })
  do
    if connected then
      came_back(feed)
    end
    connected = true
    local why = follow(feed, connection, backoff, hand)
    connection:close()
    local pause = backoff:next()
    feed.notices:tell("warning", "%s; trying again in %.1f s", why, pause)
    time.sleep(pause)
  end
end

---@async
---@protected
function WebSocket:deliver(sink)
  local ok, e = pcall(deliver, self, sink)
  if not ok and errors.is(e, errors.ConnectionError) and e.code then
    return nil, e.message, e.code
  end
  error(e, 0)
end

return kind
