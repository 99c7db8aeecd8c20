--- An HTTP server of which the spec writes every byte:
--- `local server <close> = RawServer.new(function(connection, request) connection:write "HTTP/1.1 …" end)`.

local async = require "strobe.async"
local net = require "strobe.net"

---@class spec.RawServer
---@field url string       "http://127.0.0.1:PORT"
---@field port? integer
---@field accepted integer connections so far
---@field requests table[] {method, target, head, body} so far
---@field errors string[]  what handlers raised
local RawServer = {}
RawServer.__index = RawServer
RawServer.__name = "raw server"

local HEAD_LIMIT = 64 * 1024

local function read_chunks(connection)
  local pieces = {}
  while true do
    local line = connection:read_until("\r\n", 100)
    local size = line and tonumber(line:match "^%x+", 16)
    if not size then
      return nil
    end
    pieces[#pieces + 1] = connection:read_exactly(size)
    connection:read_exactly(2)
    if size == 0 then
      return table.concat(pieces)
    end
  end
end

--- The next request; nil when the client has gone.
---@async
---@param connection strobe.Connection
---@param with_body? boolean false leaves the body unread
---@return {method: string, target: string, head: string, body: string?}?
function RawServer.read(connection, with_body)
  local head = connection:read_until("\r\n\r\n", HEAD_LIMIT)
  if not head then
    return nil
  end
  local method, target = head:match "^(%S+) (%S+)"
  local request = { method = method, target = target, head = head }
  if with_body == false then
    return request
  end
  local size = tonumber(head:lower():match "\r\ncontent%-length: *(%d+)")
  if head:lower():find "\r\ntransfer%-encoding: *chunked" then
    request.body = read_chunks(connection)
  elseif size then
    request.body = connection:read_exactly(size)
  end
  return request
end

--- A response with that body.
---@param body? string
---@param status? string "404 Not Found"
---@param fields? string further header lines, each with its line end
---@return string
function RawServer.response(body, status, fields)
  body = body or ""
  return ("HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s"):format(status or "200 OK", #body, fields or "", body)
end

local function serve(server, connection, handler)
  local _ <close> = connection -- luacheck: ignore
  for request in RawServer.read, connection do
    table.insert(server.requests, request)
    if handler(connection, request, #server.requests) == "close" then
      return
    end
  end
end

local function accept_all(server, handler)
  for connection in server.listener:accept() do
    server.accepted = server.accepted + 1
    local task = async.create_task(function()
      local ok, e = pcall(serve, server, connection, handler)
      if not ok and not async.is(e, async.CancelledError) then
        table.insert(server.errors, tostring(e))
      end
    end)
    task:add_done_callback(function() -- it may be cancelled before it begins
      connection:close()
    end)
    table.insert(server.tasks, task)
  end
end

---@class spec.RawServerOptions : strobe.ListenOptions
---@field unix? string path
---@field host? string to listen on (127.0.0.1)

--- Starts one; the handler may return "close", else it is asked for the next request.
---@param handler fun(connection: strobe.Connection, request: table, count: integer): string?
---@param options? spec.RawServerOptions
---@return spec.RawServer a `<close>` value
function RawServer.new(handler, options)
  options = options or {}
  local listener = options.unix and net.listen_unix(options.unix) or net.listen(options.host, 0, options)
  local server = setmetatable({ listener = assert(listener), accepted = 0, requests = {}, errors = {}, tasks = {} },
    RawServer)
  if not options.unix then
    server.port = listener:port()
    server.url = ("%s://127.0.0.1:%d"):format(options.tls and "https" or "http", server.port)
  end
  server.acceptor = async.create_task(accept_all, server, handler)
  return server
end

--- Answers every request by the same bytes.
---@param bytes string
---@param options? spec.RawServerOptions
---@return spec.RawServer
function RawServer.of(bytes, options)
  return RawServer.new(function(connection)
    connection:write(bytes)
  end, options)
end

--- The value of a header line of the request that came last, or of another.
---@param name string
---@param request? table
---@return string?
function RawServer:header(name, request)
  request = request or self.requests[#self.requests]
  for line in request.head:gmatch "[^\r\n]+" do
    local field, value = line:match "^([^:]+): *(.*)$"
    if field and field:lower() == name:lower() then
      return value
    end
  end
  return nil
end

--- Stops; raises what a handler raised.
---@async
function RawServer:close()
  self.listener:close()
  for _, task in ipairs(self.tasks) do
    task:cancel()
  end
  async.gather({ self.acceptor, table.unpack(self.tasks) }, { return_exceptions = true })
  if #self.errors > 0 then
    error(self.errors[1], 0)
  end
end

RawServer.__close = RawServer.close

return RawServer
