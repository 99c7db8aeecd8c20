--- A conversation: one connection to the embedded server, from its first byte to its end.
--
-- The first byte tells the generation: a request of today's protocol begins with a zero (no request is as
-- long as 16 MiB), a command of generation A never does. What comes in is a decoder's business, what goes
-- out a session's. A client that reads slowly waits by itself: polled updates queue in its subscriber,
-- pushed ones are dropped and counted when 1 MiB waits to be sent. What is malformed gets an error answer
-- or ends that connection, and no other.

local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"
local frame = require "strobe.tectonic.frame"
local session_a = require "strobe.tectonic.session"
local session_c = require "strobe.tectonic.session_c"
local timeouts = require "strobe.async.timeout"

local CHUNK = 64 * 1024
local MOST_UNSENT = 1024 * 1024
local LINGER = 5 -- seconds for the end of a connection

local conversation = {}

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
local function dismiss(stream, message)
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

-- Answers until the client has no more to say; a message when it makes no sense.
local function serve_requests(server, stream, session, decoder, bytes)
  while bytes and bytes ~= "" do
    decoder:feed(bytes)
    local ok, message = answer(stream, session, decoder)
    if not ok then
      return message
    end
    local is_listener = session.is_pushed_to and session:is_pushed_to()
    stream:set_timeout(not is_listener and server.options.idle_timeout or nil)
    bytes = stream:read(CHUNK)
  end
  if bytes then
    answer_rest(stream, session, decoder)
  end
end

-- Opens a session by what came first; the same message, when the session is closed again.
local function serve_session(server, stream, bytes)
  local session, decoder = (is_push(server, bytes) and speak_c or speak_a)(server, stream)
  local guard <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      session:close()
    end,
  })
  return serve_requests(server, stream, session, decoder, bytes)
end

local function converse(server, stream)
  stream:set_timeout(server.options.idle_timeout)
  local bytes = stream:read(CHUNK)
  local message = bytes and bytes ~= "" and serve_session(server, stream, bytes)
  if message then
    server:count_refusal(message)
    dismiss(stream, message)
  end
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

-- Whatever happens in f, the connection ends with it, and no other.
local function to_its_end(f, stream, ...)
  local ok, e = xpcall(f, debug.traceback, ...)
  if not ok and not errors.is(e, errors.CancelledError) then
    core_error.report { message = "error in a tectonic session\n" .. tostring(e) }
  end
  hang_up(stream)
end

--- Serves a client until either side ends it.
---@async
---@param server strobe.tectonic.Server
---@param stream strobe.Connection
function conversation.hold(server, stream)
  to_its_end(converse, stream, server, stream)
end

--- Answers a client with an error before it has asked anything, and hangs up.
---@async
---@param stream strobe.Connection
---@param message string
function conversation.decline(stream, message)
  to_its_end(dismiss, stream, stream, message)
end

return conversation
