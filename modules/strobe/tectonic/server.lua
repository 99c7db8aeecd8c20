--- The embedded server: speaks TectonicDB's protocols over TCP to any client.
--
-- It listens and keeps the connections, each of which is a task that holds a conversation; all share one
-- store. There are `max_connections` of them at most: one more is told so and closed. A client that says
-- nothing has its place too, so give an `idle_timeout` where strangers may connect.
--
-- A client that pushes go to has nothing to say, so `idle_timeout` does not count for
-- it; when its machine is gone, the pushes tell, by TCP's own time limit.

local conversation = require "strobe.tectonic.conversation"
local core_time = require "strobe.core.time"
local net = require "strobe.net"
local stores = require "strobe.tectonic.store"
local tasks = require "strobe.async.task"

local MAX_CONNECTIONS = 1024
local MOST_DECLINED = 64 -- connections being told at the same time that there is no place
local SAMPLE_PERIOD = 30
local WATCH_PERIOD = 0.02

---@class strobe.tectonic.ServerStats : strobe.tectonic.Stats
---@field refused integer connections that ended by what they sent
---@field turned_away integer connections above max_connections

---@class strobe.tectonic.Server a server in this process; a `<close>` value
---@field package store strobe.tectonic.Store
---@field options strobe.tectonic.ServeOptions
---@field max_connections integer
---@field last_refusal? string why the last connection was refused
---@field private refused integer
---@field private turned_away integer
---@field private listener strobe.Server
---@field private acceptor strobe.Task
---@field private sampler strobe.Task
---@field private connections table<strobe.Task, strobe.Connection> all that are not closed
---@field private serving integer how many of them have a place
---@field private declining integer how many of them are told that they have none
---@field private closed? boolean
local Server = {}
Server.__index = Server
Server.__name = "tectonic server"

-- Makes the task of a connection, which is counted in server[counter] until it ends.
local function start(server, counter, stream, f, ...)
  local child = tasks.create_task(f, ...)
  child:set_name "tectonic connection"
  server.connections[child] = stream
  server[counter] = server[counter] + 1
  child:add_done_callback(function()
    server.connections[child] = nil
    server[counter] = server[counter] - 1
  end)
end

-- Telling takes a place too, for as long as the client cares to listen: above a bound nobody is told.
local function turn_away(server, stream)
  server.turned_away = server.turned_away + 1
  if server.declining >= MOST_DECLINED then
    stream:abort()
    return
  end
  start(server, "declining", stream, conversation.decline, stream, ("Too many connections: this server takes %d, "
    .. "try again later."):format(server.max_connections))
end

local function accept_all(server)
  for stream in server.listener:accept() do
    if server.serving < server.max_connections then
      start(server, "serving", stream, conversation.hold, server, stream)
    else
      turn_away(server, stream)
    end
  end
end

local function sample_all(server)
  while true do
    core_time.sleep(SAMPLE_PERIOD)
    server.store:sample()
  end
end

--- The port it listens on.
---@return integer
function Server:port()
  return self.listener:port()
end

---@package
---@param message string what was wrong with what a client sent
function Server:count_refusal(message)
  self.refused = self.refused + 1
  self.last_refusal = message
end

--- Stores an update, as INSERT does, and publishes it. A new book is made.
---@param value strobe.tectonic.Tick
---@param book string
---@return true?
---@return string? message
---@return string? code "EINVAL" for what is no tick, "ENOSPC" when there are too many books
function Server:insert(value, book)
  if not self.store:book(book) then
    local made, message, code = self.store:create(book)
    if not made then
      return nil, message, code
    end
  end
  return self.store:insert(value, book)
end

--- Counters: connections, turned_away, refused, subscribers, inserted, published, delivered, dropped, …
---@return strobe.tectonic.ServerStats
function Server:stats()
  local stats = self.store:stats()
  stats.refused, stats.turned_away = self.refused, self.turned_away
  return stats
end

--- Waits until that many subscriptions are there.
---@async
---@param count integer
function Server:wait_subscribers(count)
  while self.store:stats().subscribers < count do
    core_time.sleep(WATCH_PERIOD)
  end
end

-- Bytes that wait to go out.
local function unsent(server)
  local sum = 0
  for _, stream in pairs(server.connections) do
    sum = sum + select(2, stream:buffered())
  end
  return sum
end

--- Waits until every update was fetched or has gone out, or `seconds` have passed.
---@async
---@param seconds? number
---@return boolean all_fetched
function Server:wait_delivered(seconds)
  local deadline = core_time.now() + (seconds or math.huge)
  while self.store:stats().queued > 0 or unsent(self) > 0 do
    if core_time.now() >= deadline then
      return false
    end
    core_time.sleep(WATCH_PERIOD)
  end
  return true
end

--- Stops listening, ends all connections, waits for them.
---@async
function Server:close()
  if self.closed then
    return
  end
  self.closed = true
  self.listener:close()
  self.sampler:cancel()
  local left = { self.acceptor, self.sampler }
  for child, stream in pairs(self.connections) do
    left[#left + 1] = child
    stream:abort()
    child:cancel()
  end
  tasks.wait(left)
end

Server.__close = Server.close

local function new_store(options)
  return stores.new {
    now = options.now or core_time.wall,
    queue_limit = options.queue_limit,
    book_limit = options.book_limit,
    max_books = options.max_books,
    flush = options.flush,
    folder = options.folder,
  }
end

-- tectonic.serve; the options are checked already.
---@async
---@param options strobe.tectonic.ServeOptions
---@return strobe.tectonic.Server?
---@return string? message
---@return string? code
local function serve(options)
  local listener, message, code = net.listen(options.host, options.port or 9001)
  if not listener then
    return nil, "tectonic.serve: " .. message, code
  end
  local server = setmetatable({
    listener = listener,
    store = new_store(options),
    options = options,
    max_connections = options.max_connections or MAX_CONNECTIONS,
    connections = {},
    serving = 0,
    declining = 0,
    refused = 0,
    turned_away = 0,
  }, Server)
  server.acceptor = tasks.create_task(accept_all, server)
  server.acceptor:set_name "tectonic server"
  server.sampler = tasks.create_task(sample_all, server)
  server.sampler:set_name "tectonic statistics"
  return server
end

return serve
