--- Connections and servers: TCP, unix sockets, and pipes in memory; with TLS or without.
--
-- Failures of the world come back as nil, a message, and a fixed word:
-- "ECONNREFUSED", "ETIMEDOUT", "EOF", … A mistake of the caller raises.

local core_server = require "strobe.core.server"
local core_socket = require "strobe.core.socket"
local mistake = require "strobe.mistake"
local pipe = require "strobe.core.pipe"
local resolve = require "strobe.core.resolve"
local timeouts = require "strobe.async.timeout"

---@class strobe.Connection : strobe.Stream what connect and accept return

local net = {}

--- Numeric addresses of a host name.
---@async
---@param host string
---@return string[]? addresses
---@return string? message
---@return string? code
net.resolve = resolve.resolve

local function check_port(where, port, least)
  local number = math.tointeger(tonumber(port))
  if not number or number < least or number > 65535 then
    mistake.raise("%s: port: a port from %d to 65535 expected, got %s", where, least, tostring(port))
  end
end

local function check_timeout(name, options)
  local timeout = mistake.options(name, options).timeout
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

-- Who connects: the last is asked.
local dialers = { connect_any }

--- Has connections come from elsewhere, until it is closed; those of all tasks do. For strobe.testing.mock.
---@param f fun(host: string, port: integer, pass: function): strobe.Connection?, string?, string?
---@return table pushed `:close()` twice is harmless
function net.push_dialer(f)
  local below = dialers[#dialers]
  local function dial(host, port)
    return f(host, port, below)
  end
  local pushed = {
    close = function()
      for i = #dialers, 2, -1 do
        if dialers[i] == dial then
          table.remove(dialers, i)
          return
        end
      end
    end,
  }
  dialers[#dialers + 1] = dial -- last: without memory for the way back there is none to it
  return pushed
end

local function dial_any(host, port)
  return dialers[#dialers](host, port)
end

local function within(timeout, what, f, ...)
  if not timeout then
    return f(...)
  end
  local in_time, result, message, code, response = timeouts.move_on_after(timeout, f, ...)
  if not in_time then
    return nil, ("%s: no answer within %g s"):format(what, timeout), "ETIMEDOUT"
  end
  return result, message, code, response
end

---@class strobe.ConnectOptions
---@field timeout? number seconds until it gives up
---@field tls? true|strobe.TlsOptions
---@field proxy? string|boolean|strobe.Proxy an HTTP proxy to connect through, "http://user:password@host:port";
---true takes that of the environment, if there is one
---@field proxy_tls? strobe.TlsOptions for an https:// proxy

-- The modules that are loaded only by those who use them.
local function tls_module()
  return require "strobe.tls"
end

local function proxies()
  return require "strobe.proxy"
end

-- A stream to the proxy, by TLS if it wants that.
local function connect_to_proxy(proxy, secure)
  local stream, message, code = dial_any(proxy.host, proxy.port)
  if stream and proxy.scheme == "https" then
    stream, message, code = tls_module().connect(stream, proxy.host, proxy.port, secure)
  end
  if not stream then
    return nil, ("proxy %s: %s"):format(proxies().name(proxy), message), code
  end
  return stream
end

-- The same through an HTTP proxy. Cancelled, it leaves no connection behind.
local function connect_through(proxy, host, port, secure)
  local stream, message, code = connect_to_proxy(proxy, secure)
  if not stream then
    return nil, ("connect %s:%d: %s"):format(host, port, message), code
  end
  local guard <close> = setmetatable({ stream = stream }, { -- luacheck: ignore
    __close = function(self)
      if self.stream then
        self.stream:abort()
      end
    end,
  })
  local ok, response
  ok, message, code, response = proxies().open_tunnel(stream, host, port, proxy)
  if not ok then
    return nil, ("connect %s:%d: %s"):format(host, port, message), code, response
  end
  guard.stream = nil
  return stream
end

local function connect_secure(stream, host, port, secure)
  local connection, message, code = tls_module().connect(stream, host, port, secure)
  if not connection then
    return nil, ("connect %s:%d: %s"):format(host, port, message), code
  end
  return connection
end

-- What was asked for, step by step: the way there, then TLS.
local function connect(host, port, way)
  local stream, message, code, response
  if way.proxy then
    stream, message, code, response = connect_through(way.proxy, host, port, way.proxy_tls)
  else
    stream, message, code = dial_any(host, port)
  end
  if not stream or not way.tls then
    return stream, message, code, response
  end
  return connect_secure(stream, host, port, way.tls)
end

--- Connects by TCP, and with `tls = true` or {ca, cert, key, verify, server_name, alpn, …} by TLS: the server's
--- certificate must be good, and for that name. With `proxy` the way there is a tunnel through an HTTP proxy, which
--- finds out by itself where a name is.
---@async
---@param host string name or address
---@param port integer
---@param options? strobe.ConnectOptions
---@return strobe.Connection?
---@return string? message
---@return string? code "EBADCERT": whoever answers is not trusted; "EPROXY": the proxy refused
---@return strobe.http.ResponseHead? response what a proxy that refused said
function net.connect(host, port, options)
  options = mistake.options("net.connect", options)
  mistake.expect("net.connect", "host", "string", host)
  check_port("net.connect", port, 1)
  local timeout = check_timeout("net.connect", options)
  local what = ("connect %s:%s"):format(host, port)
  local way = { tls = options.tls and tls_module().check("net.connect", options.tls) }
  if options.proxy then
    local message
    way.proxy, message = proxies().choose("net.connect", options.proxy, way.tls and "https" or "http", host, port)
    if message then
      return nil, ("%s: %s"):format(what, message), "EINVAL"
    end
    way.proxy_tls = tls_module().check("net.connect", options.proxy_tls or true)
  end
  return within(timeout, what, connect, host, port, way)
end

--- Connects to a unix socket.
---@async
---@param path string
---@param options? {timeout?: number} seconds
---@return strobe.Connection?
---@return string? message
---@return string? code
function net.connect_unix(path, options)
  mistake.expect("net.connect_unix", "path", "string", path)
  local timeout = check_timeout("net.connect_unix", options)
  return within(timeout, ("connect %s"):format(path), core_socket.connect_unix, path)
end

---@class strobe.Server a listening socket; a `<close>` value
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

--- Whether it was closed.
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

-- The options' tls, checked; nil without.
local function tls_of(where, options)
  local secure = mistake.options(where, options).tls
  return secure and tls_module().check(where, secure) or nil
end

local function secured(secure, core, message, code)
  if core and secure then
    return tls_module().listener(core, secure)
  end
  return core, message, code
end

---@class strobe.ListenOptions
---@field backlog? integer connections that may wait in the kernel (128)
---@field onlookers? boolean of a unix socket: who connects only looks on, virtual time does not wait for him (false)
---@field tls? strobe.TlsOptions needs `cert`; connections come when their handshake is over

--- Listens by TCP, on 127.0.0.1 unless told otherwise. Port 0 takes a free one.
---@async
---@param host? string name or address; "0.0.0.0" or "::" for every interface
---@param port integer
---@param options? strobe.ListenOptions
---@return strobe.Server?
---@return string? message
---@return string? code
function net.listen(host, port, options)
  mistake.expect("net.listen", "host", "string", host or "127.0.0.1")
  check_port("net.listen", port, 0)
  local secure = tls_of("net.listen", options)
  local addresses, message, code = net.resolve(host or "127.0.0.1")
  if not addresses then
    return nil, message, code
  end
  return new_server(secured(secure, core_server.listen(addresses[1], port, options and options.backlog)))
end

--- Listens on a unix socket. The path must be free.
---@param path string
---@param options? strobe.ListenOptions
---@return strobe.Server?
---@return string? message
---@return string? code
function net.listen_unix(path, options)
  mistake.expect("net.listen_unix", "path", "string", path)
  local secure = tls_of("net.listen_unix", options)
  return new_server(secured(secure, core_server.listen_unix(path, options and options.backlog, options
    and options.onlookers)))
end

--- A connection of a socket that was made elsewhere: inherited, or by another library. The descriptor is the
--- connection's from now on, which closes it; when this fails it stays the caller's. asyncio's connect(sock=…)
---@param fd integer of a connected TCP or unix stream socket, or of one end of a pipe; `shutdown` closes that
---@return strobe.Connection?
---@return string? message
---@return string? code "EBADF", "ENOTSOCK", "EPROTOTYPE" or "EAFNOSUPPORT" for another kind of socket, "ENOTCONN",
---"EEXIST" for one that is a connection's already
net.open_fd = core_socket.open_fd

--- Listens on a socket that was made elsewhere, see net.listen_fds. The descriptor is the server's from now on.
---@param fd integer of a bound TCP or unix stream socket; whether it listens already does not matter
---@param options? strobe.ListenOptions
---@return strobe.Server?
---@return string? message
---@return string? code as of net.open_fd; "EISCONN" for a connection
function net.listen_fd(fd, options)
  if math.type(fd) ~= "integer" or fd < 0 or fd > 0x7fffffff then
    mistake.raise("net.listen_fd: fd: a file descriptor expected, got %s", tostring(fd))
  end
  local secure = tls_of("net.listen_fd", options)
  return new_server(secured(secure, core_server.listen_fd(fd, options and options.backlog)))
end

-- Descriptors that a service manager hands over begin here.
local LISTEN_FDS_START = 3

--- The descriptors of sockets which systemd, or who else starts us by its protocol, has opened for us; none when there
--- are none. They are told once: neither a second call nor a child sees them. sd_listen_fds(3)
---
--- `local server = assert(net.listen_fd(net.listen_fds()[1]))`
---@return integer[] descriptors
---@return string[] names as the unit calls them, "unknown" where it does not
function net.listen_fds()
  local uv = require "luv"
  local pid, count = os.getenv "LISTEN_PID", math.tointeger(tonumber(os.getenv "LISTEN_FDS"))
  local given, descriptors, names = {}, {}, {}
  for name in (os.getenv "LISTEN_FDNAMES" or ""):gmatch "[^:]+" do
    given[#given + 1] = name
  end
  for _, name in ipairs { "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES" } do
    uv.os_unsetenv(name)
  end
  if tonumber(pid) ~= uv.os_getpid() then -- they are somebody else's
    return descriptors, names
  end
  for i = 1, count or 0 do
    descriptors[i], names[i] = LISTEN_FDS_START + i - 1, given[i] or "unknown"
  end
  return descriptors, names
end

--- Goes on by TLS on a connection that is there, which must not be used any more: for protocols that ask for
--- it (STARTTLS), and over net.pipe. asyncio's loop.start_tls
---@async
---@param connection strobe.Connection
---@param options? strobe.TlsOptions|{server?: boolean} `server_name`: whom to verify; `server = true`: we are that
---@return strobe.Connection? connection instead of the one given
---@return string? message
---@return string? code
function net.start_tls(connection, options)
  options = mistake.options("net.start_tls", options)
  mistake.expect("net.start_tls", "connection", "userdata", connection)
  local server, rest = options.server, {}
  for name, value in pairs(options) do
    rest[name] = name ~= "server" and value or nil
  end
  local tls = tls_module()
  local secure = tls.check("net.start_tls", rest)
  if server then
    return tls.accept(connection, secure)
  end
  return tls.connect(connection, nil, nil, secure)
end

--- What a connection agreed on by TLS: {version, cipher, alpn, reused, peer = {subject, issuer, names, fingerprint}}.
---@param connection strobe.Connection
---@return table? info nil without TLS
function net.tls_info(connection)
  mistake.expect("net.tls_info", "connection", "userdata", connection)
  return tls_module().info(connection)
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

--- Who is at the other end of a unix socket, as the kernel knows it: the process that connected, or to whoever
--- connected, the one that listens. SO_PEERCRED of unix(7)
---@param connection strobe.Connection
---@return integer? pid 0 for one that has no number here
---@return integer|string uid or message
---@return integer|string gid or code "ENOTSOCK" for what is no unix socket, "ENOTCONN" when it was closed
net.credentials = core_socket.credentials

return net
