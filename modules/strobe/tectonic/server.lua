--- The embedded server: speaks TectonicDB's protocols over TCP to any client.
--
-- The first byte tells the generation: a request of today's protocol begins with a
-- zero (no request is as long as 16 MiB), a command of generation A never does. A
-- client that reads slowly waits by itself: polled updates queue in its subscriber,
-- pushed ones are dropped and counted when 1 MiB waits to be sent. What is malformed
-- gets an error answer or ends that connection, and no other.
--
-- A client that pushes go to has nothing to say, so `idle_timeout` does not count for
-- it; when its machine is gone, the pushes tell, by TCP's own time limit.

local core_error = require "strobe.core.error"
local core_time = require "strobe.core.time"
local errors = require "strobe.async.error"
local frame = require "strobe.tectonic.frame"
local net = require "strobe.net"
local session_a = require "strobe.tectonic.session"
local session_c = require "strobe.tectonic.session_c"
local stores = require "strobe.tectonic.store"
local tasks = require "strobe.async.task"
local timeouts = require "strobe.async.timeout"

local CHUNK = 64 * 1024
local MOST_UNSENT = 1024 * 1024
local LINGER = 5 -- seconds for the end of a connection
local SAMPLE_PERIOD = 30

---@class strobe.tectonic.Server
---@field store strobe.tectonic.Store
---@field refused integer connections that ended by what they sent
local Server = {}
Server.__index = Server
Server.__name = "tectonic server"

-- What a connection sends is a decoder's business; what it gets, a session's.
local function speak_a(server)
  local session = session_a.new(server.store, server.options)
  return session, frame.line_decoder { limit = server.options.line_limit }
end

local function speak_c(server, stream)
  local session = session_c.new(server.store, {
    push = function(bytes)
      local _, unsent = stream:buffered()
      return unsent < MOST_UNSENT and stream:send(bytes) ~= nil
    end,
  })
  return session, frame.request_decoder()
end

local function is_push(server, bytes)
  local protocol = server.options.protocol
  if protocol == "poll" or protocol == "push" then
    return protocol == "push"
  end
  return bytes:byte(1) == 0
end

-- Writes what is there, and waits while the client does not read.
local function flush(stream, replies)
  local bytes = table.concat(replies)
  if bytes == "" then
    return true
  end
  return stream:write(bytes) ~= nil
end

-- Answers all whole requests that are there, in few writes: false when it cannot, or,
-- with a message, when what came makes no sense.
local function answer(stream, session, decoder)
  local replies, size = {}, 0
  while true do
    local request, message, code = decoder:next()
    if not request then
      return flush(stream, replies) and not code, message
    end
    local reply = session:reply(request)
    replies[#replies + 1], size = reply, size + #reply
    if size >= CHUNK then
      if not flush(stream, replies) then
        return false
      end
      replies, size = {}, 0
    end
  end
end

local function read_rest(stream)
  repeat
    local bytes = stream:read(CHUNK)
  until not bytes or bytes == ""
end

-- Says why, and ends the connection. What still comes is read for a while: closing
-- over it would take our answer away from the client.
local function refuse(server, stream, message)
  server.refused = server.refused + 1
  server.last_refusal = message
  stream:send(frame.encode_reply(false, ("ERR: %s\n"):format(message)))
  stream:shutdown()
  timeouts.move_on_after(LINGER, read_rest, stream)
end

-- A last line without its end is a request too.
local function answer_rest(stream, session, decoder)
  local line = decoder.finish and decoder:finish()
  if line then
    stream:send(session:reply(line))
  end
end

local function is_pushed_to(session)
  return session.subscribers and next(session.subscribers) ~= nil
end

local function serve_requests(server, stream, session, decoder, bytes)
  while bytes and bytes ~= "" do
    decoder:feed(bytes)
    local ok, message = answer(stream, session, decoder)
    if message then
      return refuse(server, stream, message)
    elseif not ok then
      return
    end
    stream:set_timeout(not is_pushed_to(session) and server.options.idle_timeout or nil)
    bytes = stream:read(CHUNK)
  end
  if bytes then
    answer_rest(stream, session, decoder)
  end
end

local function converse(server, stream)
  stream:set_timeout(server.options.idle_timeout)
  local bytes = stream:read(CHUNK)
  if not bytes or bytes == "" then
    return
  end
  local session, decoder = (is_push(server, bytes) and speak_c or speak_a)(server, stream)
  local guard <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      session:close()
    end,
  })
  serve_requests(server, stream, session, decoder, bytes)
end

-- Closes a connection, at once when its client does not fetch what is left.
local function hang_up(stream)
  local guard <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      stream:abort()
    end,
  })
  stream:close()
  timeouts.move_on_after(LINGER, stream.wait_closed, stream)
end

local function handle(server, stream)
  local ok, e = xpcall(converse, debug.traceback, server, stream)
  if not ok and not errors.is(e, errors.CancelledError) then
    core_error.report { message = "error in a tectonic session\n" .. tostring(e) }
  end
  hang_up(stream)
end

local function accept_all(server)
  for stream in server.listener:accept() do
    local child = tasks.create_task(handle, server, stream)
    child:set_name "tectonic connection"
    server.handlers[child] = stream
    child:add_done_callback(function()
      server.handlers[child] = nil
    end)
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

--- Stores an update, as INSERT does, and publishes it. A new book is made.
---@param value strobe.tectonic.Tick
---@param book string
---@return true?
---@return string? message
---@return string? code
function Server:insert(value, book)
  if not self.store:book(book) then
    local made, message, code = self.store:create(book)
    if not made then
      return nil, message, code
    end
  end
  return self.store:insert(value, book)
end

--- Counters: connections, subscribers, inserted, published, delivered, dropped, …
---@return strobe.tectonic.Stats
function Server:stats()
  local stats = self.store:stats()
  stats.refused = self.refused
  return stats
end

--- Waits until that many subscriptions are there.
---@async
---@param count integer
function Server:wait_subscribers(count)
  while self.store:stats().subscribers < count do
    core_time.sleep(0.02)
  end
end

-- Bytes that wait to go out.
local function unsent(server)
  local sum = 0
  for _, stream in pairs(server.handlers) do
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
    core_time.sleep(0.02)
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
  for child, stream in pairs(self.handlers) do
    left[#left + 1] = child
    stream:abort()
    child:cancel()
  end
  tasks.wait(left)
end

Server.__close = Server.close

--- Serves. Options: host (127.0.0.1), port (9001; 0 takes a free one), protocol
--- ("auto": both; "poll", "push"), queue_limit (65,536 updates a subscriber),
--- book_limit (rows kept a book), idle_timeout (seconds without a request), and
--- those of session.lua.
---@async
---@param options? table
---@return strobe.tectonic.Server?
---@return string? message
---@return string? code
local function serve(options)
  options = options or {}
  local listener, message, code = net.listen(options.host, options.port or 9001)
  if not listener then
    return nil, message, code
  end
  local store = stores.new {
    now = options.now or core_time.wall,
    queue_limit = options.queue_limit,
    book_limit = options.book_limit,
  }
  local server = setmetatable({
    listener = listener,
    store = store,
    options = options,
    handlers = {},
    refused = 0,
  }, Server)
  server.acceptor = tasks.create_task(accept_all, server)
  server.acceptor:set_name "tectonic server"
  server.sampler = tasks.create_task(sample_all, server)
  server.sampler:set_name "tectonic statistics"
  return server
end

return serve
