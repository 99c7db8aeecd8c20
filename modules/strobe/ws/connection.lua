--- A WebSocket connection: what `strobe.ws` gives to clients and to handlers.
--
-- Names and meaning are those of python websockets. Methods return nil, a
-- ConnectionClosed and "ECONNRESET" once the connection has ended: an error object
-- with `code` and `reason`, which prints as a text, so that assert() raises it.
-- Frames, pings and backpressure are the core's, see link_lua.h.

local Lock = require("strobe.async.lock").Lock
local core_error = require "strobe.core.error"
local core_task = require "strobe.core.task"
local errors = require "strobe.async.error"
local methods = require("strobe.core.ws").methods
local timeouts = require "strobe.async.timeout"

-- Of what is called for each message.
local receive, send_whole = methods.receive, methods.send

local CLOSE_TIMEOUT = 10
local PING_INTERVAL = 20
local PING_TIMEOUT = 20

---@class strobe.ws.Compression how messages are compressed (permessage-deflate, RFC 7692)
---@field window_bits? integer     9 to 15: windows of 2^n bytes, of both sides (12)
---@field mem_level? integer       1 to 9, zlib's (5)
---@field threshold? integer       bytes from which a message is worth it (1,024)
---@field no_context_takeover? boolean each message begins anew

---@class strobe.ws.Options what clients and servers have in common; times in seconds, 0 or false = never
---@field max_size? integer        bytes of one message that may come (1 MiB); a larger one closes with 1009
---@field max_fragments? integer   frames of one message (10,000)
---@field max_queue? integer       messages, or pieces, that wait to be taken before the peer is not read on (16)
---@field streaming? boolean       no message is kept whole before it is asked for, so that a large one needs no memory;
---for who receives by recv_streaming, which otherwise begins this
---@field close_timeout? number    for the peer to close (10)
---@field ping_interval? number    between pings (20)
---@field ping_timeout? number     for the answer to one, or any other byte (20)
---@field open_timeout? number     for the handshake (10)
---@field subprotocols? string[]   the best first
---@field compression? boolean|strobe.ws.Compression compress messages, if the peer does too (permessage-deflate).
---Default false: it takes 50 KiB a connection
---@field headers? table<string, string|string[]> more of our own

---@class strobe.ws.ConnectionClosed : strobe.Error why a connection has ended
---@field code integer       the peer's, or ours if it sent none; 1005 = a Close without a code, 1006 = the link broke
---@field reason string
---@field by "peer"|"us"|"link" who closed first
local ConnectionClosed = core_error.class("ConnectionClosed", errors.Error)
local ConnectionClosedOK = core_error.class("ConnectionClosedOK", ConnectionClosed)
local ConnectionClosedError = core_error.class("ConnectionClosedError", ConnectionClosed)

---@class strobe.ws.Connection a WebSocket; a `<close>` value
---@field request table              the opening request: {method, target, headers}
---@field response table             and its answer: {status, reason, headers}
---@field subprotocol? string        what both sides agreed on
---@field private core userdata
---@field private stream_info table  addresses, TLS
---@field private sending? strobe.Lock of messages that are sent in fragments; nil before the first
---@field private sender? strobe.Task which sends one now
---@field private streams? boolean   the core hands out pieces
---@field private pieces string[]    of a message that recv could not wait for, and its `is_text`
---@field private reading? boolean   a loop of recv_streaming is under way
---@field private skipping? boolean  one was left: the rest of its message is to be thrown away
local Connection = {}
Connection.__index = Connection
Connection.__name = "WebSocket"

local names = {
  [1000] = "normal", [1001] = "going away", [1002] = "protocol error", [1003] = "unsupported data",
  [1005] = "no code", [1006] = "the link broke", [1007] = "bad data", [1008] = "policy", [1009] = "too big",
  [1010] = "extension needed", [1011] = "internal error", [1012] = "restart", [1013] = "try again later",
  [1014] = "bad gateway",
}

local function text_of(code, reason, by)
  local name = names[code] and (" (%s)"):format(names[code]) or ""
  local whose = ({ peer = "by the peer", us = "by us", link = "without a Close" })[by]
  return ("closed %s: %d%s%s"):format(whose, code, name, reason ~= "" and ": " .. reason or "")
end

-- Why the connection has ended. What came first says who closed.
local function closed_of(connection)
  local ours, our_reason, theirs, their_reason = connection.core:ending()
  local code, reason = theirs or ours or 1006, theirs and their_reason or our_reason
  local by = connection.closed_first or (theirs and "peer") or (ours and ours ~= 1006 and "us") or "link"
  local ok = (code == 1000 or code == 1001 or code == 1005) and theirs ~= nil
  local e = (ok and ConnectionClosedOK or ConnectionClosedError)(text_of(code, reason, by))
  e.code, e.reason, e.by = code, reason, by
  return e
end

local function ended(connection)
  return nil, closed_of(connection), "ECONNRESET"
end

--- Makes the connection for an open core.
---@package
---@param core userdata
---@param opening table {request, response, subprotocol}
---@param options strobe.ws.Options
---@return strobe.ws.Connection
function Connection.new(core, opening, options)
  local function time(name, default)
    if options[name] == nil then
      return default
    end
    return options[name] or 0
  end
  core:set_times(time("close_timeout", CLOSE_TIMEOUT), time("ping_interval", PING_INTERVAL),
    time("ping_timeout", PING_TIMEOUT))
  local connection = setmetatable({
    core = core,
    request = opening.request,
    response = opening.response,
    subprotocol = opening.subprotocol,
  }, Connection)
  if options.streaming then
    connection:stream()
  end
  return connection
end

---@package
function Connection:stream()
  if not self.streams then
    self.core:stream()
    self.streams, self.pieces = true, {}
  end
end

local function refuse_while_reading(self, name)
  if self.reading then
    error(("ws:%s: a message is being received by recv_streaming: leave that loop first"):format(name), 3)
  end
end

-- Throws away the rest of a message whose loop was left.
local function skip(self)
  while self.skipping do
    local piece, _, last = self.core:receive()
    self.skipping = piece ~= nil and not last
  end
end

-- A whole message of a core that hands out pieces. When the wait is cut, what came is kept.
local function receive_whole(self)
  skip(self)
  local pieces = self.pieces
  while true do
    local piece, is_text, last = self.core:receive()
    if not piece then
      return nil
    end
    pieces[#pieces + 1], pieces.is_text = piece, is_text
    if last then
      self.pieces = {}
      return table.concat(pieces), is_text
    end
  end
end

-- The next piece, which recv may have received.
local function receive_piece(self)
  local pieces = self.pieces
  if #pieces > 0 then
    self.pieces = {}
    return table.concat(pieces), pieces.is_text, false
  end
  return self.core:receive()
end

--- The next message. Waits for it, at most `timeout` seconds.
---@async
---@param timeout? number
---@return string? message
---@return "text"|"binary"|strobe.ws.ConnectionClosed|string kind, or why there is none
---@return string? code "ECONNRESET", "ETIMEDOUT"
function Connection:recv(timeout)
  refuse_while_reading(self, "recv")
  local f, from = receive, self.core
  if self.streams then
    f, from = receive_whole, self
  end
  local message, is_text
  if timeout then
    local in_time
    in_time, message, is_text = timeouts.move_on_after(timeout, f, from)
    if not in_time then
      return nil, ("recv: no message within %g s"):format(timeout), "ETIMEDOUT"
    end
  else
    message, is_text = f(from)
  end
  if message then
    return message, is_text and "text" or "binary"
  end
  return ended(self)
end

--- Iterates over the messages: `for message, kind in ws:messages() do`. Ends with a clean
--- close; raises ConnectionClosedError when it was another one.
---@async
---@return fun(): string?, "text"|"binary"
function Connection:messages()
  return self.core:messages(function()
    local message, kind = self:recv()
    if message then
      return message, kind
    elseif errors.is(kind, ConnectionClosedOK) then
      return nil
    end
    error(kind, 0)
  end)
end

--- The same as messages.
---@type fun(self: strobe.ws.Connection): fun(): string?, "text"|"binary"
Connection.iter = Connection.messages

--- Receives the next message in pieces, as they come: `for piece, kind in ws:recv_streaming() do`. The message is
--- never in memory as a whole; `max_size` counts all of it nevertheless, so raise that for larger ones. The pieces are
--- not the peer's fragments; those of text are cut between characters.
---
--- Raises ConnectionClosed when no message comes any more, or when the connection ends within one. No other message can
--- be received until the loop has ended; when it was left early the rest of its message is thrown away, by who receives
--- next. websockets.Connection.recv_streaming
---@async
---@return fun(): string?, "text"|"binary" piece never empty, unless the message is
function Connection:recv_streaming()
  refuse_while_reading(self, "recv_streaming")
  self:stream()
  self.reading = true
  local begun, over = false, false
  local function leave()
    if not over then
      over, self.reading, self.skipping = true, nil, begun
    end
  end
  local function next_piece()
    if over then
      return nil
    end
    local piece, is_text, last
    repeat
      skip(self)
      piece, is_text, last = receive_piece(self)
      if not piece then
        over, self.reading = true, nil
        error(closed_of(self), 0)
      end
    until last or piece ~= ""
    local is_rest = begun
    begun = true
    if last then
      over, self.reading = true, nil
    end
    if piece == "" and is_rest then
      return nil
    end
    return piece, is_text and "text" or "binary"
  end
  return next_piece, nil, nil, setmetatable({}, { __close = leave })
end

-- Waits until no message is being sent in fragments.
local function acquire_turn(self)
  if self.sender == core_task.current() then
    error("ws:send: what makes the fragments of a message must not send another", 3)
  end
  return self.sending:acquire()
end

-- What send does when it is not just sent; called in its place, so that level 2 is the caller.
local function send_on(self, sent, code)
  if code == "EILSEQ" then
    error("ws:send: the text is not UTF-8; send_bytes takes any bytes", 2)
  elseif not sent or not self.core:drain() then
    return ended(self)
  end
  return true
end

-- What gives one piece after the other; level 3 is the caller of send, which send_pieces stands for.
local function iterator_of(name, pieces)
  local is_list = type(pieces) == "table" and not getmetatable(pieces)
  local meta = not is_list and getmetatable(pieces)
  if is_list then
    local i = 0
    return function()
      i = i + 1
      return pieces[i]
    end
  elseif type(pieces) == "function" or type(meta) == "table" and meta.__call then
    return pieces
  end
  error(("ws:%s: a string, an iterator or a list of strings expected, got %s"):format(name, type(pieces)), 3)
end

-- A message that was begun cannot be taken back: it ends with the connection.
local function guard_of(self, state)
  self.sender = core_task.current()
  return setmetatable({}, {
    __close = function(_, e)
      self.sender = nil
      if e ~= nil and state.begun then
        self:give_up(1011, "error in a message of fragments")
      end
    end,
  })
end

local function send_piece(self, name, piece, is_text, last)
  if type(piece) ~= "string" then
    error(("ws:%s: a fragment: a string expected, got %s"):format(name, type(piece)), 3)
  end
  local sent, _, code = self.core:send_fragment(piece, is_text, last)
  if code == "EILSEQ" then
    error("ws:send: the text is not UTF-8; send_bytes takes any bytes", 3)
  end
  return sent and self.core:drain()
end

-- The last frame is empty: each piece goes out before it is known whether another comes.
local function send_pieces(self, name, pieces, is_text)
  local next_piece, state = iterator_of(name, pieces), { begun = false }
  self.sending = self.sending or Lock()
  local held <close> = acquire_turn(self) -- luacheck: ignore
  local guard <close> = guard_of(self, state) -- luacheck: ignore
  for piece in next_piece do
    if not send_piece(self, name, piece, is_text, false) then
      return ended(self)
    end
    state.begun = true
  end
  if state.begun and not send_piece(self, name, "", is_text, true) then
    return ended(self)
  end
  return true
end

--- Sends a text message, which is UTF-8. Waits while much is on its way already.
---
--- An iterator, or a list, sends one message in fragments, each as soon as it is there; characters may be split between
--- them. Pings and pongs go out meanwhile, other messages wait. Without a fragment nothing is sent; an error of the
--- iterator, or a cancellation, after the first one closes with 1011.
---@async
---@param text string|(fun(): string?)|string[]
---@return true?
---@return strobe.ws.ConnectionClosed?
---@return string? code
function Connection:send(text)
  if self.sending and type(text) == "string" then
    acquire_turn(self):release()
  end
  local sent, full, code = send_whole(self.core, text, true)
  if sent and not full then
    return true
  elseif code == "EINVAL" then
    return send_pieces(self, "send", text, true)
  end
  return send_on(self, sent, code)
end

--- Sends a binary message, or one in fragments, as `send` does.
---@async
---@param bytes string|(fun(): string?)|string[]
---@return true?
---@return strobe.ws.ConnectionClosed?
---@return string? code
function Connection:send_bytes(bytes)
  if self.sending and type(bytes) == "string" then
    acquire_turn(self):release()
  end
  local sent, full, code = send_whole(self.core, bytes, false)
  if sent and not full then
    return true
  elseif code == "EINVAL" then
    return send_pieces(self, "send_bytes", bytes, false)
  end
  return send_on(self, sent, code)
end

--- Sends what core.encode made, and waits for nothing; for broadcast.
---@package
---@param encoded userdata
---@param most integer bytes that may be on their way
---@return boolean? sent false when more are, nil when it cannot be sent now
function Connection:send_encoded(encoded, most)
  return (self.core:send_encoded(encoded, most))
end

--- Begins to close without waiting; for broadcast.
---@package
---@param code integer
---@param reason string
function Connection:give_up(code, reason)
  if self.core:state() == "open" then
    self.closed_first = "us"
  end
  self.core:send_close(code, reason)
end

--- Pings the peer. Pings of its own the connection sends and answers by itself.
---@param data? string at most 125 bytes
---@return true?
---@return strobe.ws.ConnectionClosed?
---@return string? code
function Connection:ping(data)
  if not self.core:ping(data or "") then
    return ended(self)
  end
  return true
end

--- Seconds between the last ping of the keepalive and its answer.
---@return number? seconds nil before there was one
function Connection:latency()
  return self.core:latency()
end

--- Closes: sends a Close, waits until the peer has done so, at most `close_timeout`.
--- Messages that came before can still be received. Twice is harmless.
---@async
---@param code? integer 1000 by default; 1001, 1011, 3000 to 4999, …
---@param reason? string at most 123 bytes of UTF-8
function Connection:close(code, reason)
  if self.core:state() == "open" then
    self.closed_first = "us"
  end
  self.core:send_close(code or 1000, reason or "")
  self.core:wait_closed()
end

--- Waits until the connection has closed.
---@async
---@return strobe.ws.ConnectionClosed
function Connection:wait_closed()
  self.core:wait_closed()
  return closed_of(self)
end

--- "open", "closing" or "closed".
---@return string
function Connection:state()
  local state = self.core:state()
  return state == "ended" and "closing" or state
end

--- Why it has closed; nil as long as it is open.
---@return strobe.ws.ConnectionClosed?
function Connection:closed()
  return self.core:state() ~= "open" and closed_of(self) or nil
end

--- Drops the connection at once.
function Connection:abort()
  self.core:abort()
end

Connection.__close = function(self)
  self:close()
end

function Connection:__tostring()
  return ("<WebSocket %s %s>"):format(self.request and self.request.target or "", self:state())
end

return {
  Connection = Connection,
  ConnectionClosed = ConnectionClosed,
  ConnectionClosedOK = ConnectionClosedOK,
  ConnectionClosedError = ConnectionClosedError,
}
