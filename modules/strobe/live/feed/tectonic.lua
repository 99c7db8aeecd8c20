--- tectonic://HOST[:PORT]/BOOK[,BOOK…] — ticks of a TectonicDB server. A stream is a book; m.time is the tick's.
--
-- protocol: poll (that of 2018, the default) or push (today's). A polled server is asked for the next tick when the
-- last one was taken; it has one subscription a connection, so each book has a connection of its own. A pushed one
-- sends all books over one; what is not taken waits in a queue of `queue` ticks (65,536), of which the oldest is
-- dropped, counted as lost by its number.
--
-- A lost connection is made again, and the books are subscribed to again; what was missed shows by the numbers.

local Backoff = require "strobe.live.feed.backoff"
local Feed = require "strobe.live.feed.feed"
local TaskGroup = require("strobe.async.taskgroup").TaskGroup
local authorities = require "strobe.http.authority"
local tectonic = require "strobe.tectonic"
local time = require "strobe.core.time"

local PORT = 9001
-- Seconds for an answer; between two polls that found nothing; without ticks, after which a server that pushes is
-- asked whether it is there.
local TIMEOUT, POLL_PAUSE, HEARTBEAT = 10, 0.01, 20

local Tectonic = Feed.class()
Tectonic.noun = "book"

local kind = { separators = "?#", options = { protocol = true, queue = true } }

local function books_of(path)
  local books, known = {}, {}
  for book in (path .. ","):gmatch "([^,]*)," do
    if book == "" or book:find "[%s%c/]" then
      return nil, ("books expected, as in tectonic://localhost:9001/btc_usd,eth_usd; got %q"):format(path)
    elseif known[book] then
      return nil, ("the book '%s' is named twice"):format(book)
    end
    known[book] = true
    books[#books + 1] = book
  end
  return books
end

local function place_of(rest)
  local authority, path = rest:match "^//([^/]+)/(.*)$"
  if not authority then
    return nil, "tectonic://HOST:PORT/BOOK expected"
  end
  local host, port = authorities.split(authority)
  local number = host and (port == nil or port == "") and PORT or math.tointeger(tonumber(port))
  if not host or not number or number < 1 or number > 65535 then
    return nil, ("a host, or host:port, expected, got %q"):format(authority)
  end
  return { host = host, port = number }, path
end

---@param url strobe.live.FeedUrl
---@return strobe.live.Feed?
---@return string? message
---@return string? code
function kind.open(url)
  local options = url.options
  local place, path = place_of(url.rest)
  if not place then
    return nil, path, "EINVAL"
  end
  local books, message = books_of(path)
  local queue = options.queue and math.tointeger(tonumber(options.queue))
  if not books then
    return nil, message, "EINVAL"
  elseif options.protocol and options.protocol ~= "poll" and options.protocol ~= "push" then
    return nil, ("protocol: poll or push expected, got %q"):format(options.protocol), "EINVAL"
  elseif options.queue and (not queue or queue < 1) then
    return nil, ("queue: a whole number of 1 or more expected, got %q"):format(options.queue), "EINVAL"
  end
  return Feed.new(Tectonic, url, {
    streams = books, host = place.host, port = place.port, protocol = options.protocol or "poll", queue = queue,
  })
end

-- Hands a tick on.
local function take(feed, link, sink, book, tick)
  link.backoff:reset()
  tick.book = nil
  feed:hand_on(sink, book, tick, tick.ts, tick.seq)
  feed:be_fair()
end

-- Ticks of one book, each asked for; until the connection is lost.
local function poll(feed, link, sink)
  local book = link.books[1]
  while true do
    local tick, message, code = link.db:next_tick()
    if tick then
      take(feed, link, sink, book, tick)
    elseif message == "NONE" and not code then
      time.sleep(POLL_PAUSE)
    else
      return message
    end
  end
end

-- Asks a silent server now and then; what has gone without a word is found out so.
local function watch(feed, db)
  local seen
  while true do
    time.sleep(HEARTBEAT)
    if seen == feed.events and db:ping() == nil then
      return
    end
    seen = feed.events
  end
end

-- Ticks of all books, as they come; until the connection is lost.
local function follow(feed, link, sink)
  local db <const> = link.db
  local group <close> = TaskGroup()
  group:create_task(watch, feed, db):set_name("heartbeat of " .. feed.name)
  while true do
    local tick, message, code = db:next_tick()
    if tick then
      take(feed, link, sink, tick.book, tick)
    elseif message == "NONE" and not code then
      db:pause()
    else
      group:cancel()
      return message
    end
  end
end

local Open = {
  __close = function(open)
    open.db:close()
  end,
}

-- Connects, subscribes and delivers; returns why that has ended.
local function connect(feed, link, sink)
  local db, message = tectonic.connect {
    host = feed.host, port = feed.port, protocol = feed.protocol, timeout = TIMEOUT, queue = feed.queue,
  }
  if not db then
    return message
  end
  local open <close> = setmetatable({ db = db }, Open) -- luacheck: ignore
  for _, book in ipairs(link.books) do
    local success, text = db:subscribe(book)
    if not success then
      return success == nil and text or ("subscribe %s: %s"):format(book, (text:gsub("%s+$", "")))
    end
  end
  if link.lost then
    link.lost = nil
    feed.reconnects = feed.reconnects + 1
    if feed.sequence then
      feed.sequence:reconnected(link.books)
    end
    feed.notices:tell("info", "connected again: %s", table.concat(link.books, ", "))
  end
  link.db, link.connected = db, true
  return (feed.protocol == "push" and follow or poll)(feed, link, sink)
end

-- One connection after another, for ever.
local function keep_connected(feed, sink, books)
  local link = { books = books, backoff = Backoff.new() }
  while true do
    local why = connect(feed, link, sink)
    link.lost, link.connected = link.lost or link.connected, nil
    local pause = link.backoff:next()
    feed.notices:tell("warning", "%s; trying again in %.1f s", why, pause)
    time.sleep(pause)
  end
end

---@async
---@protected
function Tectonic:deliver(sink)
  if self.protocol == "push" or #self.streams == 1 then
    return keep_connected(self, sink, self.streams)
  end
  local group <close> = TaskGroup()
  for _, book in ipairs(self.streams) do
    group:create_task(keep_connected, self, sink, { book }):set_name(("feed %s %s"):format(self.name, book))
  end
end

return kind
