--- A WebSocket connection: what `strobe.ws` gives to clients and to handlers.
--
-- Names and meaning are those of python websockets. Methods return nil, a
-- ConnectionClosed and "ECONNRESET" once the connection has ended: an error object
-- with `code` and `reason`, which prints as a text, so that assert() raises it.
-- Frames, pings and backpressure are the core's, see link_lua.h.

local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"
local timeouts = require "strobe.async.timeout"

local CLOSE_TIMEOUT = 10
local PING_INTERVAL = 20
local PING_TIMEOUT = 20

---@class strobe.ws.Options what clients and servers have in common; times in seconds, 0 or false = never
---@field max_size? integer        bytes of one message that may come (1 MiB); a larger one closes with 1009
---@field max_fragments? integer   frames of one message (10,000)
---@field max_queue? integer       messages that wait to be taken before the peer is not read on (16)
---@field close_timeout? number    for the peer to close (10)
---@field ping_interval? number    between pings (20)
---@field ping_timeout? number     for the answer to one, or any other byte (20)
---@field open_timeout? number     for the handshake (10)
---@field subprotocols? string[]   the best first
---@field compression? boolean     compress messages of 1 KiB and more, if the peer does too (permessage-deflate);
---default false: it takes 50 KiB a connection
---@field headers? table<string, string|string[]> more of our own

---@class strobe.ws.ConnectionClosed : strobe.Error
---@field code integer       the peer's, or ours if it sent none; 1005 = a Close without a code, 1006 = the link broke
---@field reason string
---@field by "peer"|"us"|"link" who closed first
local ConnectionClosed = core_error.class("ConnectionClosed", errors.Error)
local ConnectionClosedOK = core_error.class("ConnectionClosedOK", ConnectionClosed)
local ConnectionClosedError = core_error.class("ConnectionClosedError", ConnectionClosed)

---@class strobe.ws.Connection
---@field request table              the opening request: {method, target, headers}
---@field response table             and its answer: {status, reason, headers}
---@field subprotocol? string        what both sides agreed on
---@field private core userdata
---@field private stream_info table  addresses, TLS
---@field private sending? strobe.Lock while fragments are sent
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
  return setmetatable({
    core = core,
    request = opening.request,
    response = opening.response,
    subprotocol = opening.subprotocol,
  }, Connection)
end

--- The next message. Waits for it, at most `timeout` seconds.
---@async
---@param timeout? number
---@return string? message
---@return "text"|"binary"|strobe.ws.ConnectionClosed|string kind, or why there is none
---@return string? code "ECONNRESET", "ETIMEDOUT"
function Connection:recv(timeout)
  local core = self.core
  local message, is_text
  if timeout then
    local in_time
    in_time, message, is_text = timeouts.move_on_after(timeout, core.receive, core)
    if not in_time then
      return nil, ("recv: no message within %g s"):format(timeout), "ETIMEDOUT"
    end
  else
    message, is_text = core:receive()
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
  return function()
    local message, kind = self:recv()
    if message or errors.is(kind, ConnectionClosedOK) then
      return message, kind
    end
    error(kind, 0)
  end
end

Connection.iter = Connection.messages

local function send(self, data, is_text)
  local core = self.core
  local sent, _, code = core:send(data, is_text)
  if code == "EILSEQ" then
    error("ws:send: the text is not UTF-8; send_bytes takes any bytes", 3)
  elseif not sent or not core:drain() then
    return ended(self)
  end
  return true
end

local function check_data(name, data)
  if type(data) ~= "string" then
    error(("ws:%s: a string expected, got %s"):format(name, type(data)), 3)
  end
end

--- Sends a text message, which is UTF-8. Waits while much is on its way already.
---@async
---@param text string
---@return true?
---@return strobe.ws.ConnectionClosed?
---@return string? code
function Connection:send(text)
  check_data("send", text)
  return send(self, text, true)
end

--- Sends a binary message.
---@async
---@param bytes string
---@return true?
---@return strobe.ws.ConnectionClosed?
---@return string? code
function Connection:send_bytes(bytes)
  check_data("send_bytes", bytes)
  return send(self, bytes, false)
end

--- Sends what core.encode made, unless too much is on its way already; for broadcast.
---@package
---@param frame string
---@param most integer bytes that may be on their way
---@return boolean sent
function Connection:send_encoded(frame, most)
  local _, queued = self.core:buffered()
  return queued <= most and self.core:send_encoded(frame) ~= nil
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
