-- The frames of the TectonicDB wire: requests and replies of generations A (2018, text lines) and C
-- (since 2019, length-prefixed), and the binary form of one insert or pushed update.
--
--   reply A, C    1 byte 01 success / 00 error, u64 BE body length, body
--   request A     one line of text ended by "\n" (a "\r" before it is dropped)
--   request C     u32 BE payload length, payload of at most 1 MiB
--   insert        "ra", u64 BE name length, name, u64 BE ms, u32 BE seq, flags, f32 price, f32 size, "\n"
--
-- Model: a decoder is fed bytes in whatever pieces they arrive and gives out whole frames. A piece is
-- copied at most three times, however small the pieces and however many frames one holds. After an
-- error the stream has no more frame boundaries: the decoder repeats its error for ever, and the
-- connection is to be dropped.
--
-- Source: facts read in tectonicdb c4fcb1c and c0c6819 (tdb-core/src/utils.rs).

local tick = require "strobe.tectonic.tick"

local pack, unpack = string.pack, string.unpack

local REPLY_LIMIT = 64 * 1024 * 1024
local REQUEST_HEADER = 4
local REQUEST_LIMIT = 1024 * 1024
local LINE_LIMIT = 64 * 1024
local INSERT_PREFIX = "ra"
local INSERT_ROW = ">I8I4Bff"
local INSERT_ROW_SIZE = 21
local IS_BID, IS_TRADE = 1, 2

local frame = {}

---Bytes of a book name in the binary form; longer ones end the connection on a server of generation C.
frame.NAME_LIMIT = 64
local NAME_LIMIT = frame.NAME_LIMIT

-- Pieces: bytes that have arrived and are not taken yet.

---@class strobe.tectonic.Decoder
---@field package buffer string the piece being read
---@field package position integer next byte of buffer
---@field package later string[] pieces behind buffer
---@field package count integer how many there are
---@field package index integer how many of them a line decoder has read
---@field package size integer bytes not given out yet
---@field package limit integer
---@field package failure {message: string, code: string}|nil
local Decoder = {}
Decoder.__index = Decoder
Decoder.__name = "strobe.tectonic.Decoder"

local function new_decoder(class, options, default)
  local limit = options and options.limit or default
  if math.type(limit) ~= "integer" or limit < 1 then
    error("limit: a positive integer expected, got " .. tostring(limit), 3)
  end
  return setmetatable({ buffer = "", position = 1, later = {}, count = 0, index = 0, size = 0, limit = limit },
    class)
end

---Adds bytes as they arrived, in pieces of any size.
---@param bytes string
function Decoder:feed(bytes)
  if self.failure then
    return
  elseif self.size == 0 then -- the usual case: nothing to join it with
    self.buffer, self.position, self.count, self.index = bytes, 1, 0, 0
  else
    self.count = self.count + 1
    self.later[self.count] = bytes
  end
  self.size = self.size + #bytes
end

---How many of the fed bytes no next() has given out; when next() has nothing more, more than 0 at the
---end of the stream means that it was cut inside a frame.
---@return integer bytes
function Decoder:pending()
  return self.size
end

-- Makes n bytes readable at buffer[position], or returns false when they have not arrived. Pieces are
-- joined only when the piece being read is used up, so many frames in one piece cost no copies.
local function have(self, n)
  if self.size < n then
    return false
  end
  if #self.buffer - self.position + 1 < n then
    self.buffer = self.buffer:sub(self.position) .. table.concat(self.later, "", 1, self.count)
    self.position, self.later, self.count = 1, {}, 0
  end
  return true
end

-- Takes a header and the body behind it; gives out the body.
local function take(self, header, body)
  local from = self.position + header
  self.position, self.size = from + body, self.size - header - body
  return self.buffer:sub(from, from + body - 1)
end

local function fail(self, message, code)
  self.failure = { message = message, code = code }
  self.buffer, self.position, self.later, self.count, self.size = "", 1, {}, 0, 0
  return nil, message, code
end

-- Replies.

---Bytes of a reply in front of its body.
frame.REPLY_HEADER = 9

local function hexadecimal(bytes)
  return (bytes:gsub(".", function(char)
    return (" %02x"):format(char:byte())
  end))
end

local function refuse_header(header, what)
  return nil, ("%s, not an answer of a TectonicDB server:%s"):format(what, hexadecimal(header)), "EPROTO"
end

---Reads the header of a reply.
---@param header string REPLY_HEADER bytes
---@param limit? integer bytes of the largest body taken, default 64 MiB
---@return boolean? success nil for a header no server writes, or a body over the limit
---@return integer|string length of the body; on an error the message
---@return string? code "EPROTO"
function frame.decode_reply_header(header, limit)
  local status, length = unpack(">BI8", header)
  if status > 1 then
    return refuse_header(header, ("status byte %d"):format(status))
  elseif math.ult(limit or REPLY_LIMIT, length) then
    return refuse_header(header, ("a body of %s bytes, the limit is %d"):format(
      length < 0 and "2^63 or more" or ("%d"):format(length), limit or REPLY_LIMIT))
  end
  return status == 1, length
end

---Writes one reply.
---@param success boolean
---@param body string
---@param bare? boolean no length: the binary GET of servers before 1de5baf (2018-03-05)
---@return string bytes
function frame.encode_reply(success, body, bare)
  local status = success and "\1" or "\0"
  return status .. (bare and "" or pack(">I8", #body)) .. body
end

-- Requests of generation A.

---@class strobe.tectonic.LineDecoder : strobe.tectonic.Decoder
---@field package held string[] pieces of a line without its end
---@field package held_size integer
local LineDecoder = setmetatable({ __name = "strobe.tectonic.LineDecoder" }, { __index = Decoder })
LineDecoder.__index = LineDecoder

---A decoder for the lines a server of generation A receives. No byte is searched twice for the line end.
---@param options? { limit?: integer } limit: bytes of one line without its end, default 64 KiB
---@return strobe.tectonic.LineDecoder
function frame.line_decoder(options)
  local self = new_decoder(LineDecoder, options, LINE_LIMIT)
  self.held, self.held_size = {}, 0
  return self
end

local function next_piece(self)
  if self.index < self.count then
    self.index = self.index + 1
    self.buffer, self.position = self.later[self.index], 1
    return true
  elseif self.count > 0 then
    self.later, self.count, self.index = {}, 0, 0
  end
  return false
end

-- Keeps what buffer still has of a line whose end is in a later piece.
local function hold(self)
  if self.position <= #self.buffer then
    local text = self.buffer:sub(self.position)
    self.held[#self.held + 1] = text
    self.held_size = self.held_size + #text
    self.position = #self.buffer + 1
  end
end

local function release(self)
  local line = table.concat(self.held)
  self.held, self.held_size = {}, 0
  return line
end

local function too_long(self)
  return fail(self, ("line longer than %d bytes"):format(self.limit), "EMSGSIZE")
end

local function finish_line(self, stop)
  local line = self.buffer:sub(self.position, stop - 1)
  self.position = stop + 1
  if self.held_size > 0 then
    self.held[#self.held + 1] = line
    line = release(self)
  end
  self.size = self.size - #line - 1
  if line:byte(-1) == 13 then
    line = line:sub(1, -2)
  end
  if #line > self.limit then
    return too_long(self)
  end
  return line
end

---Takes the next whole line, without "\n" or "\r\n".
---@return string|nil line nil when none is complete, or on an error
---@return string? message
---@return string? code "EMSGSIZE" for a line over the limit
function LineDecoder:next()
  if self.failure then
    return nil, self.failure.message, self.failure.code
  end
  repeat
    local stop = self.buffer:find("\n", self.position, true)
    if stop then
      return finish_line(self, stop)
    end
    hold(self)
    if self.held_size > self.limit + 1 then -- one more than the limit may still be its "\r"
      return too_long(self)
    end
  until not next_piece(self)
  return nil
end

---At the end of the stream, when next() has nothing more: the text behind the last line end, which the
---original takes for a line too.
---@return string|nil line nil when there is none
function LineDecoder:finish()
  if self.failure or self.held_size == 0 then
    return nil
  end
  self.size = 0
  return release(self)
end

---Writes one request of generation A. A line end inside the text would smuggle in a second command: it raises.
---@param text string
---@return string bytes
function frame.encode_line(text)
  if text:find("[\r\n]") then
    error("text: a command must not contain a line end", 2)
  end
  return text .. "\n"
end

-- Requests of generation C.

---@class strobe.tectonic.RequestDecoder : strobe.tectonic.Decoder
---@field package length integer|nil payload length of the request whose payload is awaited
local RequestDecoder = setmetatable({ __name = "strobe.tectonic.RequestDecoder" }, { __index = Decoder })
RequestDecoder.__index = RequestDecoder

---A decoder for the requests a server of generation C receives.
---@param options? { limit?: integer } limit: bytes of one payload, default 1 MiB
---@return strobe.tectonic.RequestDecoder
function frame.request_decoder(options)
  return new_decoder(RequestDecoder, options, REQUEST_LIMIT)
end

---Takes the payload of the next whole request.
---@return string|nil payload nil when none is complete, or on an error
---@return string? message
---@return string? code "EMSGSIZE" for a payload over the limit; the text of a generation A client reads as one
function RequestDecoder:next()
  if self.failure then
    return nil, self.failure.message, self.failure.code
  end
  if not self.length then
    if not have(self, REQUEST_HEADER) then
      return nil
    end
    local length = unpack(">I4", self.buffer, self.position)
    if length > self.limit then
      return fail(self, ("a request of %d bytes, the limit is %d"):format(length, self.limit), "EMSGSIZE")
    end
    self.length = length
  end
  if not have(self, REQUEST_HEADER + self.length) then
    return nil
  end
  local payload = take(self, REQUEST_HEADER, self.length)
  self.length = nil
  return payload
end

---Writes one request of generation C. Raises above 1 MiB, which would end the connection.
---@param payload string text command or encode_insert()
---@return string bytes
function frame.encode_request(payload)
  if #payload > REQUEST_LIMIT then
    error(("payload: %d bytes, the limit is %d"):format(#payload, REQUEST_LIMIT), 2)
  end
  return pack(">s4", payload)
end

-- The binary insert.

---Writes the binary form of an insert, which is also the body of a pushed update. Raises on a bad tick
---or a name over 64 bytes.
---@param value strobe.tectonic.Tick
---@param book? string name; nil or "" is the connection's current book
---@return string payload
function frame.encode_insert(value, book)
  local ok, message = tick.check(value)
  if not ok then
    error(message, 2)
  elseif book and #book > NAME_LIMIT then
    error(("book: a name of %d bytes, the limit is %d"):format(#book, NAME_LIMIT), 2)
  end
  local flags = (value.is_bid and IS_BID or 0) | (value.is_trade and IS_TRADE or 0)
  return INSERT_PREFIX .. pack(">s8", book or "")
    .. pack(INSERT_ROW, tick.milliseconds(value.ts), value.seq, flags, value.price, value.size) .. "\n"
end

local function insert_name(payload)
  if #payload < #INSERT_PREFIX + 8 or payload:sub(1, #INSERT_PREFIX) ~= INSERT_PREFIX then
    return nil
  end
  local length, from = unpack(">i8", payload, #INSERT_PREFIX + 1)
  if length < 0 or length > NAME_LIMIT or length > #payload - from + 1 then
    return nil
  end
  local name = payload:sub(from, from + length - 1)
  return utf8.len(name) and name, from + length
end

-- The row with or without its "\n": the length tells, so a size ending in 0a is not cut as on the original.
local function insert_row(payload, from)
  local rest = #payload - from + 1
  if rest ~= INSERT_ROW_SIZE and not (rest == INSERT_ROW_SIZE + 1 and payload:byte(-1) == 10) then
    return nil
  end
  local ms, seq, flags, price, size = unpack(INSERT_ROW, payload, from) -- ms from 2^63 come out negative
  local value = { ts = ms / 1000, seq = seq, is_trade = flags & IS_TRADE ~= 0, is_bid = flags & IS_BID ~= 0,
    price = price, size = size }
  return flags <= (IS_BID | IS_TRADE) and tick.check(value) and value or nil
end

---Reads the binary form of an insert or a pushed update.
---@param payload string
---@return strobe.tectonic.Tick|nil tick
---@return string|nil book nil for the connection's current book; on an error the message: "Bad format." for
---the part up to the name, "Unable to parse line" behind it
---@return string? code "EPROTO"
function frame.decode_insert(payload)
  local name, from = insert_name(payload)
  if not name then
    return nil, "Bad format.", "EPROTO"
  end
  local value = insert_row(payload, from)
  if not value then
    return nil, "Unable to parse line", "EPROTO"
  end
  return value, name ~= "" and name or nil
end

return frame
