--- TLS for connections and servers: what `tls = …` means to strobe.net.
--
-- Clients verify the server's certificate and its name by default. Servers make the
-- handshakes of several clients at the same time, each within a time limit, so that
-- a slow or hostile one holds up nobody; `accept` gets connections that are ready.

local Deque = require "strobe.async.deque"
local core = require "strobe.core.tls"
local lot = require "strobe.core.lot"
local semaphores = require "strobe.async.semaphore"
local task = require "strobe.core.task"
local timeouts = require "strobe.async.timeout"

local HANDSHAKE_TIMEOUT = 10
-- Connections in their handshake, or ready and not accepted yet.
local MOST_WAITING = 64

---@class strobe.TlsOptions
---@field verify? boolean     whether the peer's certificate must be good; default true for clients, false for servers
---@field ca? string          certificates to trust, a file or PEM text; default those of the system
---@field cert? string        our certificate and its chain, a file or PEM text; servers need one
---@field key? string         its private key, a file or PEM text; default in `cert`
---@field server_name? string the name the certificate must have, and SNI; default the host that is connected to
---@field alpn? string[]      protocols offered or taken, the best first, e.g. {"http/1.1"}
---@field min_version? "1.2"|"1.3" default "1.2"
---@field handshake_timeout? number seconds; default 10

local kinds = {
  verify = "boolean",
  ca = "string",
  cert = "string",
  key = "string",
  server_name = "string",
  alpn = "table",
  min_version = "string",
  handshake_timeout = "number",
}

local tls = {}

--- Options as a table, with mistakes raised at the caller's caller.
---@param where string the public function
---@param options true|strobe.TlsOptions
---@return strobe.TlsOptions
function tls.check(where, options)
  if options == true then
    return {}
  elseif type(options) ~= "table" then
    error(("%s: tls: true or a table expected, got %s"):format(where, type(options)), 3)
  end
  for name, value in pairs(options) do
    if not kinds[name] then
      error(("%s: tls: there is no option '%s'"):format(where, tostring(name)), 3)
    elseif type(value) ~= kinds[name] then
      error(("%s: tls.%s: a %s expected, got %s"):format(where, name, kinds[name], type(value)), 3)
    end
  end
  return options
end

-- Contexts by what they were made of: loading the system's certificates takes 20 ms.
local contexts = setmetatable({}, { __mode = "v" })

-- Those of clients' connections: as long as one lives, the next one finds the tickets with which it resumes.
local used = setmetatable({}, { __mode = "k" })

local function key_of(options, server)
  local parts = { tostring(server), tostring(options.verify), options.min_version or "" }
  for _, name in ipairs { "ca", "cert", "key" } do
    local text = options[name] or ""
    parts[#parts + 1] = ("%d:%s"):format(#text, text)
  end
  for _, protocol in ipairs(options.alpn or {}) do
    parts[#parts + 1] = ("%d:%s"):format(#protocol, protocol)
  end
  return table.concat(parts, ",")
end

-- The shared context for options; files are read again once nobody uses it.
local function context_for(options, server)
  local key = key_of(options, server)
  local context, message, code = contexts[key], nil, nil
  if not context then
    context, message, code = core.context {
      server = server,
      verify = options.verify,
      ca = options.ca,
      cert = options.cert,
      key = options.key,
      alpn = options.alpn,
      min_version = options.min_version,
    }
    contexts[key] = context
  end
  return context, message, code
end

-- Ends the handshake within its time; a connection that fails, or whose task is
-- cancelled meanwhile, is closed.
local function shake_hands(connection, seconds)
  local guard <close> = setmetatable({}, { -- luacheck: ignore
    __close = function(_, e)
      if e ~= nil then
        connection:abort()
      end
    end,
  })
  local in_time, ok, message, code = timeouts.move_on_after(seconds, core.handshake, connection)
  if not in_time then
    ok, message, code = nil, ("tls: no handshake within %g s"):format(seconds), "ETIMEDOUT"
  end
  if not ok then
    connection:abort()
    return nil, message, code
  end
  return connection
end

--- Turns a connection into a TLS client's, which replaces it.
---@async
---@param connection strobe.Connection
---@param host? string what it is connected to: the name to verify
---@param port? integer the same; sessions are resumed with that host and port
---@param options strobe.TlsOptions
---@return strobe.Connection?
---@return string? message
---@return string? code "EBADCERT" when the peer is not trusted, "EPROTO" when it does not speak TLS, "EOF", …
function tls.connect(connection, host, port, options)
  local context, message, code = context_for(options, false)
  if not context then
    connection:abort()
    return nil, message, code
  end
  local secure = core.start(context, connection, options.server_name or host, port)
  used[secure] = context
  return shake_hands(secure, options.handshake_timeout or HANDSHAKE_TIMEOUT)
end

--- Turns a connection that came in into a TLS server's, which replaces it.
---@async
---@param connection strobe.Connection
---@param options strobe.TlsOptions
---@return strobe.Connection?
---@return string? message
---@return string? code
function tls.accept(connection, options)
  local context, message, code = context_for(options, true)
  if not context then
    connection:abort()
    return nil, message, code
  end
  return shake_hands(core.start(context, connection), options.handshake_timeout or HANDSHAKE_TIMEOUT)
end

--- What a TLS connection agreed on: {version, cipher, alpn, reused, peer = {subject, issuer, names, fingerprint}};
--- nil for a connection without TLS.
---@type fun(connection: strobe.Connection): table?
tls.info = core.info

---@class strobe.TlsListener what stands for the core's server in strobe.Server
---@field private core userdata
---@field private options strobe.TlsOptions
---@field private context userdata which keeps the certificate loaded
---@field private ready strobe.Deque of {connection} or {nil, message, code}
---@field private arrived userdata where accept waits for one
---@field private shaking table<strobe.Task, strobe.Connection|true> handshakes, or connections whose task did not begin
---@field private places strobe.Semaphore for those that are under way or ready
local Listener = {}
Listener.__index = Listener

local function put(listener, ...)
  listener.ready:push(table.pack(...))
  listener.arrived:wake(1)
end

-- The body of a handshake's task. Cancelled, it leaves no connection behind.
local function shake(listener, connection)
  listener.shaking[task.current()] = true
  local guard <close> = setmetatable({}, { -- luacheck: ignore
    __close = function(_, e)
      listener.shaking[task.current()] = nil
      if e ~= nil then
        listener.places:release()
      end
    end,
  })
  put(listener, tls.accept(connection, listener.options))
end

local function accept_all(listener)
  while true do
    listener.places:acquire()
    local connection, message, code = listener.core:accept()
    if code == "ECANCELED" then
      break
    elseif connection then
      local child = task.spawn(shake, listener, connection)
      child:set_name "tls handshake"
      listener.shaking[child] = connection
    else
      put(listener, nil, message, code)
    end
  end
  listener.arrived:wake()
end

--- The next connection whose handshake is over, or why one failed.
---@async
---@return strobe.Connection?
---@return string? message
---@return string? code "ECANCELED" when the server is closed
function Listener:accept()
  while self.ready.count == 0 and not self.core:is_closing() do
    self.arrived:park()
  end
  if self.ready.count == 0 then
    return self.core:accept() -- which says that it is closed
  end
  self.places:release()
  local result = self.ready:shift()
  return table.unpack(result, 1, result.n)
end

--- The address and port, or path, it listens on.
---@return string address
---@return integer? port
function Listener:name()
  return self.core:name()
end

--- Stops listening. Handshakes under way end, and what nobody has accepted is closed.
function Listener:close()
  self.core:close()
  for child, connection in pairs(self.shaking) do
    child:cancel()
    if connection ~= true then
      connection:abort()
    end
  end
  while self.ready.count > 0 do
    local connection = self.ready:shift()[1]
    if connection then
      connection:abort()
    end
  end
  self.arrived:wake()
end

--- Whether it was closed.
---@return boolean
function Listener:is_closing()
  return self.core:is_closing()
end

--- Makes a listener of the core's server; its certificate is loaded now.
---@param server userdata
---@param options strobe.TlsOptions
---@return strobe.TlsListener?
---@return string? message
---@return string? code
function tls.listener(server, options)
  local context, message, code = context_for(options, true)
  if not context then
    server:close()
    return nil, message, code
  end
  local listener = setmetatable({
    core = server,
    options = options,
    context = context,
    ready = Deque.new(),
    arrived = lot.new "connection",
    shaking = {},
    places = semaphores.Semaphore(MOST_WAITING),
  }, Listener)
  task.spawn(accept_all, listener):set_name "tls listener"
  return listener
end

return tls
