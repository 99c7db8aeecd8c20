--- WebSockets in specs: two of them, or one whose peer is a bare stream.

local cleanup = require "spec.support.cleanup"
local net = require "strobe.net"
local ws = require "strobe.core.ws"

local websocket = {
  FIN = 0x80, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10,
  MIB = 1024 * 1024,
}

local FIN, TEXT, CLOSE, MIB = websocket.FIN, websocket.TEXT, websocket.CLOSE, websocket.MIB

local opened = {} -- what the end of the `it` closes

local function abort_all()
  local things = opened
  opened = {}
  for _, thing in ipairs(things) do
    thing:abort()
  end
  for _, thing in ipairs(things) do
    thing:wait_closed()
  end
end

--- Has streams or connections closed at the end of the `it`.
---@param ... userdata
---@return userdata ... the same
function websocket.keep(...)
  for _, thing in ipairs { ... } do
    table.insert(opened, thing)
  end
  return ...
end

--- A function for an `it`, at whose end all closes that was opened here.
---@param f fun()
---@return fun()
function websocket.closing(f)
  return function()
    local _ <close> = cleanup(abort_all)
    f()
  end
end

--- Two connected streams, by what they are.
---@type table<string, fun(): userdata, userdata>
websocket.kinds = {
  pipe = function()
    return net.pipe()
  end,
  ["TCP connection"] = function()
    local server <close> = assert(net.listen("127.0.0.1", 0))
    local left = assert(net.connect("127.0.0.1", server:port()))
    return left, assert(server:accept_one())
  end,
}

--- Takes a stream over.
---@param stream userdata
---@param role "client"|"server"
---@param limits? {message?: integer, fragments?: integer, queue?: integer}
---@return userdata connection
function websocket.open(stream, role, limits)
  limits = limits or {}
  local connection = ws.open(stream, role, limits.message or MIB, limits.fragments or 100, limits.queue or 16)
  return websocket.keep(assert(connection))
end

--- A client and a server, which wait 10 s for the other to close.
---@async
---@param connect? fun(): userdata, userdata
---@param limits? table
---@return userdata client
---@return userdata server
function websocket.pair(connect, limits)
  local left, right = (connect or websocket.kinds.pipe)()
  local client, server = websocket.open(left, "client", limits), websocket.open(right, "server", limits)
  client:set_times(10)
  server:set_times(10)
  return client, server
end

--- A server, and the bare stream that is its client.
---@async
---@param limits? table
---@param connect? fun(): userdata, userdata
---@return userdata server
---@return userdata stream
function websocket.bare(limits, connect)
  local left, right = (connect or websocket.kinds.pipe)()
  local server = websocket.open(right, "server", limits)
  server:set_times(10)
  return server, websocket.keep(left)
end

--- A client's frame; its mask key of zeros leaves the payload as it is.
---@param first integer
---@param payload string
---@return string
function websocket.frame(first, payload)
  local size = #payload
  local header = size < 126 and string.pack(">BB", first, 0x80 | size)
    or size < 65536 and string.pack(">BBI2", first, 0x80 | 126, size)
    or string.pack(">BBI8", first, 0x80 | 127, size)
  return header .. "\0\0\0\0" .. payload
end

--- The same of a whole text.
---@param payload string
---@return string
function websocket.text(payload)
  return websocket.frame(FIN | TEXT, payload)
end

--- The same of a Close.
---@param code? integer
---@param reason? string
---@return string
function websocket.close(code, reason)
  return websocket.frame(FIN | CLOSE, code and string.pack(">I2", code) .. (reason or "") or "")
end

--- The next frame of a server; nothing at the end.
---@async
---@param stream userdata
---@return integer? first
---@return string? payload
function websocket.read_frame(stream)
  local header = stream:read_exactly(2)
  if not header then
    return
  end
  local first, size = header:byte(1, 2)
  if size == 126 then
    size = string.unpack(">I2", stream:read_exactly(2))
  elseif size == 127 then
    size = string.unpack(">I8", stream:read_exactly(8))
  end
  return first, stream:read_exactly(size)
end

--- The next frame of a client, of at most 125 bytes; nothing at the end.
---@async
---@param stream userdata
---@return integer? first
---@return string? payload
function websocket.read_masked(stream)
  local header = stream:read_exactly(6)
  if not header then
    return
  end
  local masked, bytes = stream:read_exactly(header:byte(2) & 0x7f), {}
  for i = 1, #masked do
    bytes[i] = string.char(masked:byte(i) ~ header:byte(3 + (i - 1) % 4))
  end
  return header:byte(1), table.concat(bytes)
end

--- The next frame, which must be a Close.
---@async
---@param stream userdata
---@return {[1]: integer?, [2]: string} code and reason
function websocket.read_close(stream)
  local first, payload = websocket.read_frame(stream)
  if first ~= FIN | CLOSE then
    error(("a Close was expected, got %s"):format(first and ("0x%02x"):format(first) or "the end"), 2)
  end
  return { payload ~= "" and string.unpack(">I2", payload) or nil, payload:sub(3) }
end

--- All messages until the end.
---@async
---@param connection userdata
---@return string[]
function websocket.receive_all(connection)
  local list = {}
  for data in connection.receive, connection do
    list[#list + 1] = data
  end
  return list
end

--- How the connection ended, as this side sees it.
---@param connection userdata
---@return {[1]: integer?, [2]: string} code and reason
function websocket.ours(connection)
  local code, reason = connection:ending()
  return { code, reason }
end

--- "1", "2", …
---@param from integer
---@param to integer
---@return string[]
function websocket.numbers(from, to)
  local list = {}
  for i = from, to do
    list[#list + 1] = tostring(i)
  end
  return list
end

--- A server that sends back what comes.
---@async
---@param options? strobe.ws.ServeOptions
---@return strobe.ws.Server
function websocket.echo(options)
  return assert(require("strobe.ws").serve(function(connection)
    for message, kind in connection:messages() do
      if kind == "text" then
        connection:send(message)
      else
        connection:send_bytes(message)
      end
    end
  end, "127.0.0.1", 0, options))
end

--- Where a server is.
---@param server strobe.ws.Server
---@param target? string
---@return string
function websocket.uri(server, target)
  return ("ws://127.0.0.1:%d%s"):format(server:port(), target or "/")
end

return websocket
