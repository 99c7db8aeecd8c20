--- Serving WebSockets: each connection is a task that runs the handler.

local Connection = require("strobe.ws.connection").Connection
local core = require "strobe.core.ws"
local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"
local connections = require "strobe.ws.connection"
local handshake = require "strobe.ws.handshake"
local net = require "strobe.net"
local tasks = require "strobe.async.task"
local timeouts = require "strobe.async.timeout"

local MAX_SIZE, MAX_FRAGMENTS, MAX_QUEUE = 1024 * 1024, 10000, 16
local MAX_CONNECTIONS = 65536
local CLOSE_TIMEOUT = 10
local LINGER = 2 -- seconds in which a refused client may read why

---@class strobe.ws.ServeOptions : strobe.ws.Options
---@field tls? strobe.TlsOptions
---@field origins? (string|false)[] what the Origin header may be; false = it may be missing. Default: anything
---@field max_connections? integer (65,536)
---@field process_request? fun(request: strobe.ws.Request, connection: strobe.Connection): integer?, table?, string? an
---answer by plain HTTP: status, headers, body; nothing = go on with the WebSocket

---@class strobe.ws.Server
---@field private listener strobe.Server
---@field private handler fun(ws: strobe.ws.Connection)
---@field private options strobe.ws.ServeOptions
---@field private living table<strobe.Task, true> one for each connection, in its handshake or after it
---@field private count integer
---@field private websockets table<strobe.ws.Connection, integer> those that are open, numbered as they came
---@field private opened integer how many there have been
---@field private refused integer
local Server = {}
Server.__index = Server
Server.__name = "WebSocket server"

local function refuse(stream, status, headers, body)
  stream:send(handshake.refusal(status, headers, body))
  stream:shutdown()
  timeouts.move_on_after(LINGER, function()
    repeat
      local bytes = stream:read()
    until not bytes or bytes == ""
  end)
end

local function origin_allowed(origins, origin)
  if not origins then
    return true
  end
  for _, allowed in ipairs(origins) do
    if allowed == (origin or false) then
      return true
    end
  end
  return false
end

-- A message handler: reports an error of process_request, with its traceback.
local function report_fault(e)
  if not errors.is(e, errors.CancelledError) then
    core_error.report { message = "error in process_request\n" .. debug.traceback(tostring(e), 2) }
  end
  return e
end

-- Answers the request; what was agreed on, or nothing when it was refused.
local function answer(server, stream, request)
  local options = server.options
  if options.process_request then
    local ok, status, headers, body = xpcall(options.process_request, report_fault, request, stream)
    if not ok then
      return refuse(stream, 500, nil, "internal error\n")
    elseif status then
      return refuse(stream, status, headers, body)
    end
  end
  local message, status = handshake.check_request(request)
  if not message and not origin_allowed(options.origins, request.headers.origin) then
    message, status = "this origin may not connect", 403
  end
  if message then
    server.refused = server.refused + 1
    return refuse(stream, status, nil, message .. "\n")
  end
  local headers = request.headers
  local agreed = { subprotocol = handshake.choose_subprotocol(headers["sec-websocket-protocol"], options.subprotocols) }
  local offers, extension = options.compression and headers["sec-websocket-extensions"], nil
  if offers then
    agreed.compression, extension = core.choose_deflate(offers)
    if agreed.compression == false then
      return refuse(stream, 400, nil, "Sec-WebSocket-Extensions: a list of extensions expected\n")
    end
  end
  if stream:send(handshake.response(headers["sec-websocket-key"], agreed.subprotocol, extension, options.headers)) then
    return agreed
  end
end

-- The handshake, within its time: the request and what was agreed on, or nothing.
local function open(server, stream)
  local request, message, status = handshake.read_request(stream)
  if not request then
    if math.type(status) == "integer" then
      server.refused = server.refused + 1
      refuse(stream, status, nil, message .. "\n")
    end
    return
  end
  local agreed = answer(server, stream, request)
  if agreed then
    return request, agreed
  end
end

-- Runs the handler; an error of it is reported and closes with 1011.
local function run_handler(server, connection)
  local trace
  local ok, e = xpcall(server.handler, function(e)
    trace = debug.traceback(tostring(e), 2)
    return e
  end, connection)
  if ok then
    connection:close()
  elseif errors.is(e, errors.CancelledError) then
    connection:close(1001)
    error(e, 0)
  else
    if not errors.is(e, connections.ConnectionClosed) then
      core_error.report { message = "error in a WebSocket handler\n" .. trace }
    end
    connection:close(1011)
  end
end

-- The body of a connection's task. Until the WebSocket takes the stream over it is the
-- seat's, and closed when the task has ended, even if that never began.
local function serve_one(server, seat)
  local options, stream = server.options, seat.stream
  local in_time, request, agreed =
    timeouts.move_on_after(handshake.open_timeout(options), open, server, stream)
  if not in_time then
    server.refused = server.refused + 1
    return refuse(stream, 408, nil, "the request took too long\n")
  elseif not request then
    return
  end
  seat.stream = nil
  local opened = core.open(stream, "server", options.max_size or MAX_SIZE, options.max_fragments or MAX_FRAGMENTS,
    options.max_queue or MAX_QUEUE, agreed.compression)
  local connection = Connection.new(opened, { request = request, subprotocol = agreed.subprotocol }, options)
  server.opened = server.opened + 1
  server.websockets[connection] = server.opened
  local leave <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      server.websockets[connection] = nil
      connection:abort()
    end,
  })
  run_handler(server, connection)
end

local function accept_all(server)
  for stream in server.listener:accept() do
    if server.count >= (server.options.max_connections or MAX_CONNECTIONS) then
      server.refused = server.refused + 1
      stream:send(handshake.refusal(503, nil, "too many connections\n"))
      stream:close()
    else
      local seat = { stream = stream }
      local child = tasks.create_task(serve_one, server, seat)
      child:set_name "websocket"
      server.living[child], server.count = true, server.count + 1
      child:add_done_callback(function()
        server.living[child], server.count = nil, server.count - 1
        if seat.stream then
          seat.stream:abort()
        end
      end)
    end
  end
end

--- The port it listens on; nil for a unix socket.
---@return integer?
function Server:port()
  return self.listener:port()
end

--- The connections that are open now, the oldest first.
---@return strobe.ws.Connection[]
function Server:connections()
  local list, numbers = {}, self.websockets
  for connection in pairs(numbers) do
    list[#list + 1] = connection
  end
  table.sort(list, function(a, b)
    return numbers[a] < numbers[b]
  end)
  return list
end

--- Counters: connections, refused.
---@return {connections: integer, refused: integer}
function Server:stats()
  return { connections = #self:connections(), refused = self.refused }
end

--- Stops listening, closes all connections with 1001, and waits for their handlers, at most
--- `seconds`; what lasts longer is dropped.
---@async
---@param seconds? number (10)
function Server:close(seconds)
  if self.closed then
    return
  end
  self.closed = true
  self.listener:close()
  local left = { self.acceptor }
  for child in pairs(self.living) do
    left[#left + 1] = child
    child:cancel()
  end
  local _, pending = tasks.wait(left, { timeout = seconds or CLOSE_TIMEOUT })
  for _, child in ipairs(pending) do
    child:cancel()
  end
end

Server.__close = function(self)
  self:close()
end

local server = {}

--- Serves: `handler(ws)` runs in a task for each connection, which closes when it returns.
--- websockets.serve
---@async
---@param handler fun(ws: strobe.ws.Connection)
---@param host? string 127.0.0.1 unless told otherwise; a unix socket is `unix:/path`
---@param port integer 0 takes a free one
---@param options? strobe.ws.ServeOptions
---@return strobe.ws.Server?
---@return string? message
---@return string? code
function server.serve(handler, host, port, options)
  if type(handler) ~= "function" then
    error(("ws.serve: a handler expected, got %s"):format(type(handler)), 2)
  end
  options = options or {}
  handshake.check_headers("ws.serve", options.headers)
  local path = host and host:match "^unix:(.+)$"
  local listener, message, code
  if path then
    listener, message, code = net.listen_unix(path, { tls = options.tls })
  else
    listener, message, code = net.listen(host, port, { tls = options.tls })
  end
  if not listener then
    return nil, "ws.serve: " .. message, code
  end
  local made = setmetatable({
    listener = listener, handler = handler, options = options, living = {}, count = 0, websockets = {}, opened = 0,
    refused = 0,
  }, Server)
  made.acceptor = tasks.create_task(accept_all, made)
  made.acceptor:set_name "websocket server"
  return made
end

return server
