--- A connection to a TectonicDB server: what the clients of both generations are made on.
--
-- It can be lost and made again. What comes in is read answer by answer; when a task is cancelled in the
-- middle of one, the next reader goes on where it stopped. After a failure every method returns nil,
-- message, code until `reconnect`.

local frame = require "strobe.tectonic.frame"
local locks = require "strobe.async.lock"
local net = require "strobe.net"

local REPLY_HEADER, decode_reply_header = frame.REPLY_HEADER, frame.decode_reply_header

---@class strobe.tectonic.Connection what every client has
---@field host string
---@field port integer
---@field protocol "poll"|"push"
---@field protected stream? strobe.Connection nil while it is not connected
---@field protected timeout? number seconds
---@field protected ending? {[1]: string, [2]: string} the failure that ended the last one: message and code
---@field private connecting strobe.Lock one task at a time connects
---@field private attempt? table the one under way; nil again when it is closed meanwhile
---@field private success boolean of the answer being read
---@field private length? integer of its body; nil before its header
local Connection = {}
Connection.__index = Connection

--- Makes the methods for a class of clients. It is not connected yet.
---@package
---@param options strobe.tectonic.ConnectOptions
---@param class table derived from Connection
---@return strobe.tectonic.Connection
function Connection.new(options, class)
  return setmetatable({
    host = options.host or "localhost",
    port = options.port or 9001,
    protocol = options.protocol or "poll",
    timeout = options.timeout,
    connecting = locks.Lock(),
  }, class)
end

--- host:port
---@return string
function Connection:peer()
  return ("%s:%d"):format(self.host, self.port)
end

--- A failure of the world, and whose it is.
---@protected
---@param message string
---@param code string
---@return nil
---@return string message
---@return string code
function Connection:failure(message, code)
  return nil, ("tectonic %s: %s"):format(self:peer(), message), code
end

---@protected
---@return nil
---@return string message
---@return string code
function Connection:not_connected()
  local why = self.ending and (" (%s)"):format(self.ending[1]) or ""
  return self:failure(("not connected%s; reconnect() connects again"):format(why), "ENOTCONN")
end

--- Gives up a stream that failed.
---@protected
---@param stream strobe.Connection
---@param message string
---@param code string
---@return nil
---@return string message
---@return string code
function Connection:broken(stream, message, code)
  if code == "ETIMEDOUT" and self.timeout then
    message = ("no answer within %g s"):format(self.timeout)
  elseif code == "EOF" then
    message = ("the server hung up (%s)"):format(message)
  end
  if self.stream == stream then -- else it was closed, and perhaps another one made
    self:close()
    self.ending = self.ending or { message, code }
  end
  return self:failure(message, code)
end

--- Connects; only one task at a time does, and not while it is connected.
---@async
---@protected
---@return true?
---@return string? message
---@return string? code
function Connection:open()
  local attempt = {}
  self.attempt = attempt
  local stream, message, code = net.connect(self.host, self.port, { timeout = self.timeout })
  if not stream then
    return self:failure(message .. (code == "ECONNREFUSED" and "; is the server running?" or ""), code)
  elseif self.attempt ~= attempt then
    stream:abort()
    return self:failure("closed while it connected", "ECANCELED")
  end
  stream:set_timeout(self.timeout)
  self.stream, self.length, self.ending = stream, nil, nil
  return true
end

--- Connects, or connects again. Subscriptions are to be made anew.
---@async
---@return true?
---@return string? message
---@return string? code
function Connection:reconnect()
  local held <close> = self.connecting:acquire() -- luacheck: ignore
  self:close()
  return self:open()
end

--- Connects again unless another task has done so already.
---@async
---@return true?
---@return string? message
---@return string? code
function Connection:restore()
  local held <close> = self.connecting:acquire() -- luacheck: ignore
  if self.stream then
    return true
  end
  return self:open()
end

--- Drops the connection. Tasks that wait for an answer get nil, message, code. Twice is harmless.
function Connection:close()
  self.attempt = nil
  if self.stream then
    self.stream:abort()
    self.stream = nil
  end
end

local function read_header(self, stream)
  local header, message, code = stream:read_exactly(REPLY_HEADER)
  if not header then
    return self:broken(stream, message, code)
  end
  local success, length, word = decode_reply_header(header)
  if success == nil then
    return self:broken(stream, length, word)
  end
  self.success, self.length = success, length
  return true
end

--- Reads one answer, or one update that was pushed.
---@async
---@protected
---@return boolean? success
---@return string body, or message
---@return string? code
function Connection:read_reply()
  local stream = self.stream
  if not stream then
    return self:not_connected()
  end
  if not self.length then
    local ok, message, code = read_header(self, stream)
    if not ok then
      return nil, message, code
    end
  end
  local body, message, code = stream:read_exactly(self.length)
  if not body then
    return self:broken(stream, message, code)
  end
  self.length = nil
  return self.success, body
end

return Connection
