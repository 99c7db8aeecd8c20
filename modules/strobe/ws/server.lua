--- Serving WebSockets: an HTTP server whose connections all become one.

local handshake = require "strobe.ws.handshake"
local http = require "strobe.http.server"
local mistake = require "strobe.mistake"
local upgrade = require "strobe.ws.upgrade"

---@class strobe.ws.ServeOptions : strobe.ws.UpgradeOptions
---@field tls? strobe.TlsOptions
---@field max_connections? integer (65,536)
---@field process_request? fun(request: strobe.http.Request): integer?, table?, any an answer by plain HTTP: status,
---headers, body, as http.serve's handler gives it; nothing = go on with the WebSocket

---@class strobe.ws.Server a server; a `<close>` value
---@field private http strobe.http.Server
---@field private members table {set, opened}: the connections that are open, numbered as they came
---@field private refused integer
local Server = {}
Server.__index = Server
Server.__name = "WebSocket server"

-- Headers which say that the connection ends, as a plain answer on a WebSocket's port does.
local function ending(headers)
  local all = { Connection = "close" }
  for name, value in pairs(headers or {}) do
    all[name] = value
  end
  return all
end

-- What the HTTP server's handler returns.
local function answer(server, request, handler, options)
  if options.process_request then
    local status, headers, body = options.process_request(request)
    if status then
      return status, ending(headers), body
    end
  end
  local status, headers, body = upgrade.answer(request, handler, options, server.members)
  if status ~= 101 then
    server.refused = server.refused + 1
  end
  return status, headers, body
end

--- The port it listens on; nil for a unix socket.
---@return integer?
function Server:port()
  return self.http:port()
end

--- The connections that are open now, the oldest first.
---@return strobe.ws.Connection[]
function Server:connections()
  local list, numbers = {}, self.members.set
  for connection in pairs(numbers) do
    list[#list + 1] = connection
  end
  table.sort(list, function(a, b)
    return numbers[a] < numbers[b]
  end)
  return list
end

--- Iterates over them in any order. The loop may wait: those which come meanwhile are not among them, those which
--- go are, closed.
---@return fun(): strobe.ws.Connection?
function Server:each()
  local list, i = {}, 0
  for connection in pairs(self.members.set) do
    list[#list + 1] = connection
  end
  return function()
    i = i + 1
    return list[i]
  end
end

--- Counters: connections, refused.
---@return {connections: integer, refused: integer}
function Server:stats()
  local count = 0
  for _ in pairs(self.members.set) do
    count = count + 1
  end
  return { connections = count, refused = self.refused + self.http:stats().refused }
end

--- Stops listening, closes all connections with 1001, and waits for their handlers, at most
--- `seconds`; what lasts longer is dropped.
---@async
---@param seconds? number (10)
function Server:close(seconds)
  self.http:close(seconds)
end

Server.__close = function(self)
  self:close()
end

local server = {}

--- Serves: `handler(ws)` runs in a task for each connection, which closes when it returns.
--- websockets.serve
---@async
---@param handler fun(ws: strobe.ws.Connection)
---@param host? string 127.0.0.1 unless told otherwise; a unix socket is `unix:/path`, one that was handed to us `fd:3`
---@param port? integer 0 takes a free one
---@param options? strobe.ws.ServeOptions
---@return strobe.ws.Server?
---@return string? message
---@return string? code
function server.serve(handler, host, port, options)
  if type(handler) ~= "function" then
    error(("ws.serve: a handler expected, got %s"):format(type(handler)), 2)
  end
  options = mistake.options("ws.serve", options)
  handshake.check_headers("ws.serve", options.headers)
  handshake.check_compression("ws.serve", options.compression)
  local made = setmetatable({ members = upgrade.members(), refused = 0 }, Server)
  local message, code
  made.http, message, code = http.serve(function(request)
    return answer(made, request, handler, options)
  end, host, port, {
    tls = options.tls,
    max_connections = options.max_connections,
    head_timeout = handshake.open_timeout(options),
  })
  if not made.http then
    return nil, message:gsub("^http.serve", "ws.serve"), code
  end
  return made
end

return server
