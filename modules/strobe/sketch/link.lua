--- A link: a component's connection to another one, which acknowledges what it is sent.

local errors = require "strobe.async.error"
local timeouts = require "strobe.async.timeout"
local words = require "strobe.sketch.words"
local ws = require "strobe.ws"

---@class strobe.sketch.Link a connection to another component, which acknowledges each message; a `<close>` value
---@field channel string the other component's name
---@field private connection strobe.ws.Connection
local Link = {}
Link.__index = Link
Link.__name = "link"

--- For components: a link by a connection.
---@package
---@param channel string
---@param connection strobe.ws.Connection
---@return strobe.sketch.Link
function Link.new(channel, connection)
  return setmetatable({ channel = channel, connection = connection }, Link)
end

local function ended(link, e)
  return nil, words.left(link.channel, e), errors.is(e, ws.ConnectionClosedOK) and "EOF" or "ECONNRESET"
end

--- Sends a message and waits for its acknowledgement. One task at a time may do so.
---@async
---@param message any what is no string is sent as tostring gives it
---@return string? acknowledgement what the other's `loop` returned, 'n/a' when that was nothing
---@return string? message e.g. "the iopin has closed: 1001 (going away)"
---@return string? code "EOF", "ECONNRESET"
function Link:send(message)
  local ok, e = self.connection:send(tostring(message))
  if not ok then
    return ended(self, e)
  end
  local acknowledgement
  acknowledgement, e = self.connection:recv()
  if not acknowledgement then
    return ended(self, e)
  end
  return acknowledgement
end

--- Sleeps, but not on when the other component goes.
---@async
---@param seconds number
---@return true?
---@return string? message
---@return string? code "EOF", "ECONNRESET"
function Link:pause(seconds)
  local closed, e = timeouts.move_on_after(seconds, self.connection.wait_closed, self.connection)
  if closed then
    return ended(self, e)
  end
  return true
end

--- The next of the messages that are pushed to a listener.
---@async
---@return string? message
---@return string? text why there is none
---@return string? code "EOF" when the other has closed, "ECONNRESET" when the connection broke
function Link:next()
  local message, e = self.connection:recv()
  if not message then
    return ended(self, e)
  end
  return message
end

--- Closes it. Twice is harmless.
---@async
function Link:close()
  self.connection:close()
end

Link.__close = Link.close

return Link
