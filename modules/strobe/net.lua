--- Connections and servers: TCP, unix sockets, and pipes in memory.
--
-- Failures of the world come back as nil, a message, and a fixed word:
-- "ECONNREFUSED", "ETIMEDOUT", "EOF", … A mistake of the caller raises.

local core_server = require "strobe.core.server"
local core_socket = require "strobe.core.socket"
local pipe = require "strobe.core.pipe"
local resolve = require "strobe.core.resolve"
local timeouts = require "strobe.async.timeout"

---@class strobe.Connection : strobe.Stream
---@class strobe.Stream a byte stream, see core/io/stream.c: read read_exactly
--- read_until send write drain shutdown close abort wait_closed at_eof buffered

local net = {}

--- Numeric addresses of a host name.
---@async
---@param host string
---@return string[]? addresses
---@return string? message
---@return string? code
net.resolve = resolve.resolve

local function check_timeout(name, options)
  local timeout = options and options.timeout
  if timeout ~= nil and (type(timeout) ~= "number" or timeout <= 0 or timeout ~= timeout) then
    error(("%s: timeout: a number of seconds above 0 expected, got %s"):format(name, tostring(timeout)), 3)
  end
  return timeout
end

-- Tries one address after the other; the last failure is the answer.
local function connect_any(host, port)
  local addresses, message, code = net.resolve(host)
  if not addresses then
    return nil, message, code
  end
  for _, address in ipairs(addresses) do
    local stream
    stream, message, code = core_socket.connect(address, port)
    if stream then
      return stream
    end
  end
  return nil, message, code
end

local function within(timeout, what, f, ...)
  if not timeout then
    return f(...)
  end
  local in_time, result, message, code = timeouts.move_on_after(timeout, f, ...)
  if not in_time then
    return nil, ("%s: no answer within %g s"):format(what, timeout), "ETIMEDOUT"
  end
  return result, message, code
end

--- Connects by TCP.
---@async
---@param host string name or address
---@param port integer
---@param options? {timeout?: number} seconds until it gives up
---@return strobe.Connection?
---@return string? message
---@return string? code
function net.connect(host, port, options)
  local timeout = check_timeout("net.connect", options)
  return within(timeout, ("connect %s:%s"):format(host, port), connect_any, host, port)
end

--- Connects to a unix socket.
---@async
---@param path string
---@param options? {timeout?: number} seconds
---@return strobe.Connection?
---@return string? message
---@return string? code
function net.connect_unix(path, options)
  local timeout = check_timeout("net.connect_unix", options)
  return within(timeout, ("connect %s"):format(path), core_socket.connect_unix, path)
end

---@class strobe.Server
---@field private core userdata
local Server = {}
Server.__index = Server
Server.__name = "server"

--- Iterates over the connections that come in; ends when the server is closed.
--- Failures of single connections are skipped: the peer had gone already, or no
--- file descriptor was free, which is tried again in a moment.
---@async
---@return fun(): strobe.Connection?
function Server:accept()
  return function()
    while true do
      local connection, message, code = self:accept_one()
      if connection or code == "ECANCELED" then
        return connection
      end
      self.failures = self.failures + 1
      self.last_failure = message
      require("strobe.core.time").sleep(0.01)
    end
  end
end

--- The next connection.
---@async
---@return strobe.Connection?
---@return string? message
---@return string? code "ECANCELED" when the server is closed
function Server:accept_one()
  return self.core:accept()
end

--- The port it listens on; nil for a unix socket.
---@return integer?
function Server:port()
  local _, port = self.core:name()
  return port
end

--- The address, or path, it listens on.
---@return string
function Server:address()
  return (self.core:name())
end

--- Stops listening; what was accepted lives on. Closing twice is harmless.
function Server:close()
  self.core:close()
end

---@return boolean
function Server:is_closing()
  return self.core:is_closing()
end

Server.__close = Server.close

local function new_server(core, message, code)
  if not core then
    return nil, message, code
  end
  return setmetatable({ core = core, failures = 0 }, Server)
end

--- Listens by TCP, on 127.0.0.1 unless told otherwise. Port 0 takes a free one.
---@async
---@param host? string name or address; "0.0.0.0" or "::" for every interface
---@param port integer
---@param options? {backlog?: integer} connections that may wait in the kernel (128)
---@return strobe.Server?
---@return string? message
---@return string? code
function net.listen(host, port, options)
  local addresses, message, code = net.resolve(host or "127.0.0.1")
  if not addresses then
    return nil, message, code
  end
  return new_server(core_server.listen(addresses[1], port, options and options.backlog))
end

--- Listens on a unix socket. The path must be free.
---@param path string
---@param options? {backlog?: integer}
---@return strobe.Server?
---@return string? message
---@return string? code
function net.listen_unix(path, options)
  return new_server(core_server.listen_unix(path, options and options.backlog))
end

--- Two connections in memory: what one writes the other reads.
---@param capacity? integer bytes between them before writing waits (64 KiB)
---@return strobe.Connection
---@return strobe.Connection
net.pipe = pipe.new

--- Address and port of a connection's peer, or the path of a unix socket.
---@param connection strobe.Connection
---@return string? address
---@return integer|string|nil port
---@return string? code
net.peer = core_socket.peer

--- Our own address and port.
---@param connection strobe.Connection
---@return string? address
---@return integer|string|nil port
---@return string? code
net.name = core_socket.name

return net
