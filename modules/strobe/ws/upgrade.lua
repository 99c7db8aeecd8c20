--- Answering a request of an HTTP server with a WebSocket. RFC 6455, section 4.2

local Connection = require("strobe.ws.connection").Connection
local connections = require "strobe.ws.connection"
local core = require "strobe.core.ws"
local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"
local handshake = require "strobe.ws.handshake"
local mistake = require "strobe.mistake"

local MAX_SIZE, MAX_FRAGMENTS, MAX_QUEUE = 1024 * 1024, 10000, 16

---@class strobe.ws.UpgradeOptions : strobe.ws.Options
---@field origins? (string|false)[] what the Origin header may be; false = it may be missing. Default: anything

local upgrade = {}

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

-- Runs the handler; an error of it is reported and closes with 1011.
local function run_handler(handler, connection)
  local trace
  local ok, e = xpcall(handler, function(e)
    if not errors.is(e, errors.CancelledError) and not errors.is(e, connections.ConnectionClosed) then
      trace = debug.traceback(tostring(e), 2)
    end
    return e
  end, connection)
  if ok then
    connection:close()
  elseif errors.is(e, errors.CancelledError) then
    connection:close(1001)
    error(e, 0)
  else
    if not errors.is(e, connections.ConnectionClosed) then
      core_error.report { message = "error in a WebSocket handler\n" .. (trace or tostring(e)) }
    end
    connection:close(1011)
  end
end

-- What both sides want: {subprotocol, compression} and the extension's field; nil, message, status.
local function agree(headers, options)
  local agreed = { subprotocol = handshake.choose_subprotocol(headers["sec-websocket-protocol"], options.subprotocols) }
  local offers, extension = options.compression and headers["sec-websocket-extensions"], nil
  if offers then
    agreed.compression, extension = core.choose_deflate(offers, options.compression)
    handshake.add_settings(agreed.compression, options)
    if agreed.compression == false then
      return nil, "Sec-WebSocket-Extensions: a list of extensions expected", 400
    end
  end
  return agreed, extension
end

-- What is wrong with the request; nil when it is good.
local function objection(request, options)
  local message, status = handshake.check_request(request)
  if not message and not origin_allowed(options.origins, request.headers.origin) then
    return "this origin may not connect", 403
  end
  return message, status
end

-- Speaks WebSocket on the stream, in the connection's task.
local function speak(stream, request, agreed, handler, options, members)
  local opened, connection
  local leave <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      if connection then
        members.set[connection] = nil
      end
      (opened or stream):abort()
    end,
  })
  opened = core.open(stream, "server", options.max_size or MAX_SIZE, options.max_fragments or MAX_FRAGMENTS,
    options.max_queue or MAX_QUEUE, agreed.compression)
  if not opened then -- the client has gone meanwhile
    return
  end
  connection = Connection.new(opened, { request = request, subprotocol = agreed.subprotocol }, options)
  members.opened = members.opened + 1
  members.set[connection] = members.opened
  run_handler(handler, connection)
end

--- The set of a server's open connections.
---@return table
function upgrade.members()
  return { set = {}, opened = 0 }
end

--- As `upgrade.upgrade`, of a server which knows its connections.
---@param request strobe.http.Request
---@param handler fun(ws: strobe.ws.Connection)
---@param options strobe.ws.UpgradeOptions
---@param members table
---@return integer status
---@return table<string, string|string[]> headers
---@return string|function body
function upgrade.answer(request, handler, options, members)
  local agreed, extension
  local message, status = objection(request, options)
  if not message then
    agreed, extension, status = agree(request.headers, options)
    message = not agreed and extension
  end
  if message then
    return status, handshake.refusal_headers(status), message .. "\n"
  end
  local key = request.headers["sec-websocket-key"]
  local _ = request.remote -- as long as the stream can tell
  return 101, handshake.response_headers(key, agreed.subprotocol, extension, options.headers), function(stream)
    speak(stream, request, agreed, handler, options, members)
  end
end

--- Answers a request with a WebSocket, in a handler of http.serve:
---
---     return ws.upgrade(request, function(connection) … end)
---
--- A request that is none for a WebSocket is answered with what is wrong. The handler runs in the connection's
--- task; the WebSocket closes when it returns.
---@param request strobe.http.Request
---@param handler fun(ws: strobe.ws.Connection)
---@param options? strobe.ws.UpgradeOptions
---@return integer status what http.serve's handler is to return
---@return table<string, string|string[]> headers
---@return string|function body
function upgrade.upgrade(request, handler, options)
  if type(handler) ~= "function" then
    error(("ws.upgrade: a handler expected, got %s"):format(type(handler)), 2)
  end
  mistake.expect("ws.upgrade", "request", "table", request)
  options = mistake.options("ws.upgrade", options)
  handshake.check_headers("ws.upgrade", options.headers)
  handshake.check_compression("ws.upgrade", options.compression)
  return upgrade.answer(request, handler, options, upgrade.members())
end

return upgrade
