--- An HTTP/1.1 server: a task for each connection, which calls the handler for each request. RFC 9110, 9112

local Connection = require "strobe.http.connection"
local answer = require "strobe.http.answer"
local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"
local mistake = require "strobe.mistake"
local net = require "strobe.net"
local tasks = require "strobe.async.task"
local task = require "strobe.core.task"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"

local CLOSE_TIMEOUT = 10

-- Seconds until connections are taken again after one could not be.
local RETRY = 0.01

---@class strobe.http.ServeOptions
---@field tls? strobe.TlsOptions      https
---@field max_connections? integer    (65,536); who comes when there are so many gets 503
---@field max_body? number            bytes of a request's body (1 MiB); math.huge for no limit
---@field head_timeout? number        seconds for a request's head (10)
---@field body_timeout? number        seconds without any more of a body (30)
---@field keep_alive_timeout? number seconds between two requests (75: a proxy, which has 60, is to end first)
---@field write_timeout? number       seconds in which a client takes nothing of its answer (30)
---@field backlog? integer            connections that may wait in the kernel (128)

local defaults = {
  max_connections = 65536,
  max_body = 1024 * 1024,
  head_timeout = 10,
  body_timeout = 30,
  keep_alive_timeout = 75,
  write_timeout = 30,
  backlog = 128,
}

---@class strobe.http.Server a server; a `<close>` value
---@field private listener strobe.Server
---@field private service strobe.http.Service
---@field private living table<strobe.Task, strobe.http.ServerConnection|true|"upgraded"> one for each connection; true
---until its task has begun
---@field private count integer
local Server = {}
Server.__index = Server
Server.__name = "HTTP server"

-- Closes what still goes out to a client, which has some time for it.
local function close(stream, seconds)
  stream:close()
  local _, queued = stream:buffered()
  if queued > 0 and not timeouts.move_on_after(seconds, stream.wait_closed, stream) then
    stream:abort()
  end
end

-- Serves a connection to the end of its HTTP; `begun` is told of it. What is to take the stream over then, if anything.
local function serve_connection(service, stream, begun)
  local guard <close> = setmetatable({}, { -- luacheck: ignore
    __close = function(_, e)
      if e ~= nil then
        stream:abort()
      end
    end,
  })
  local connection = Connection.new(stream, service)
  if not connection then
    return stream:abort()
  end
  begun(connection)
  local take = connection:run()
  if not take then
    close(stream, service.limits.write_timeout)
  end
  return take
end

-- The body of a connection's task. Another protocol begins with an empty stack: its connections may stay for long.
local function serve_one(server, stream)
  local current = task.current()
  local take = serve_connection(server.service, stream, function(connection)
    server.living[current] = connection
  end)
  if take then
    server.living[current] = "upgraded"
    return take(stream)
  end
end

-- A task that is cancelled before it begins leaves its stream to us. The child is counted last, when nothing can fail
-- any more.
local function adopt(server, child, stream)
  child:set_name "http connection"
  child:add_done_callback(function()
    if server.living[child] == true then
      stream:abort()
    end
    if server.living[child] then
      server.living[child], server.count = nil, server.count - 1
    end
  end)
  server.living[child] = true
  server.count = server.count + 1
end

-- A connection more.
local function admit(server, stream)
  local child
  local ok, e = pcall(function()
    child = tasks.create_task(serve_one, server, stream)
    adopt(server, child, stream)
  end)
  if not ok then -- there is no memory for it
    stream:abort()
    if child then
      child:cancel()
    end
    error(e, 0)
  end
end

local function accept_each(server)
  for stream in server.listener:accept() do
    if server.count < server.service.limits.max_connections then
      admit(server, stream)
    else
      server.service.refused = server.service.refused + 1
      stream:send(answer.refusal(503, "too many connections"))
      stream:close()
    end
  end
end

-- Goes on when a connection could not be taken.
local function accept_all(server)
  while true do
    local ok, e = pcall(accept_each, server)
    if ok then
      return
    elseif errors.is(e, errors.CancelledError) then
      error(e, 0)
    end
    core_error.report { message = "http.serve: a connection was lost: " .. tostring(e) }
    time.sleep(RETRY)
  end
end

--- The port it listens on; nil for a unix socket.
---@return integer?
function Server:port()
  return self.listener:port()
end

--- Counters: connections that are open, clients that were refused before a handler was asked.
---@return {connections: integer, refused: integer}
function Server:stats()
  return { connections = self.count, refused = self.service.refused }
end

-- Ends what waits for nothing but another request; the others end with their answer. A list of the tasks.
local function dismiss(server)
  local left = { server.acceptor }
  for child, connection in pairs(server.living) do
    if connection == true or connection == "upgraded" or connection.idle then
      child:cancel()
    else
      connection.closing = true
    end
    if child ~= task.current() then -- a handler that closes its server
      left[#left + 1] = child
    end
  end
  return left
end

--- Stops listening, lets the handlers at work answer, at most `seconds`, and closes all connections. Those which
--- were given to another protocol are cancelled at once. Twice is harmless.
---@async
---@param seconds? number (10)
function Server:close(seconds)
  if self.closed then
    return
  end
  self.closed = true
  self.listener:close()
  local _, pending = tasks.wait(dismiss(self), { timeout = seconds or CLOSE_TIMEOUT })
  for _, child in ipairs(pending) do
    child:cancel()
  end
  if #pending > 0 then
    tasks.wait(pending, { timeout = 1 })
  end
end

Server.__close = function(self)
  self:close()
end

local function check_options(where, options)
  local limits = {}
  for name, value in pairs(mistake.options(where, options)) do
    if name ~= "tls" and not defaults[name] then
      error(("%s: there is no option '%s'"):format(where, tostring(name)), 3)
    elseif name ~= "tls" and not (type(value) == "number" and value > 0) then
      error(("%s: %s: a number above 0 expected, got %s"):format(where, name, tostring(value)), 3)
    end
    limits[name] = value
  end
  for name, value in pairs(defaults) do
    limits[name] = limits[name] or value
  end
  return limits
end

local function listen(host, port, limits)
  local path = type(host) == "string" and host:match "^unix:(.+)$"
  local descriptor = type(host) == "string" and host:match "^fd:(%d+)$"
  local options = { tls = limits.tls, backlog = limits.backlog }
  if path then
    return net.listen_unix(path, options)
  elseif descriptor then
    return net.listen_fd(tonumber(descriptor), options)
  end
  return net.listen(host, port, options)
end

local function check_handler(where, handler)
  if type(handler) ~= "function" then
    error(("%s: a handler expected, got %s"):format(where, type(handler)), 3)
  end
end

local function service_of(handler, limits)
  return { handler = handler, limits = limits, scheme = limits.tls and "https" or "http", refused = 0 }
end

local server = {}

--- Serves: `handler(request)` is called in a task for each request, and returns status, headers, body.
---
--- A body is a string, a table (JSON), or what is called for one piece after another until it returns nil: a function
--- or a generator; what of that has `__close` is closed. An error of the handler is reported and answers 500;
--- `error(http.error(404, "no such user"))` answers that. A handler which waits holds up its own client only.
---@async
---@param handler fun(request: strobe.http.Request): integer, table<string, string|number|(string|number)[]>?, any
---@param host? string 127.0.0.1 unless told otherwise; a unix socket is `unix:/path`, one that was handed to us `fd:3`
---@param port? integer 0 takes a free one
---@param options? strobe.http.ServeOptions
---@return strobe.http.Server?
---@return string? message
---@return string? code "EADDRINUSE", …
function server.serve(handler, host, port, options)
  check_handler("http.serve", handler)
  local limits = check_options("http.serve", options)
  local listener, message, code = listen(host, port, limits)
  if not listener then
    return nil, "http.serve: " .. message, code
  end
  local made = setmetatable({ listener = listener, living = {}, count = 0, service = service_of(handler, limits) },
    Server)
  made.acceptor = tasks.create_task(accept_all, made)
  made.acceptor:set_name "http server"
  return made
end

--- Serves one connection that is there already, in the calling task, until it ends: over net.pipe, which needs no
--- port, or a descriptor that was handed over. The stream is the server's from now on.
---@async
---@param handler fun(request: strobe.http.Request): integer, table<string, string|number|(string|number)[]>?, any
---@param stream strobe.Connection
---@param options? strobe.http.ServeOptions its limits and times
---@return any ... of the protocol that took the connection over, if one did
function server.serve_stream(handler, stream, options)
  check_handler("http.serve_stream", handler)
  if type(stream) ~= "userdata" and type(stream) ~= "table" then
    mistake.raise("http.serve_stream: stream: a connection expected, got %s", type(stream))
  end
  local service = service_of(handler, check_options("http.serve_stream", options))
  local take = serve_connection(service, stream, function() end)
  if take then
    return take(stream)
  end
end

return server
