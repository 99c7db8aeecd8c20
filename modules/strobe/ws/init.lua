--- strobe.ws: WebSockets, both ends, as python websockets has them. RFC 6455
--
-- `local ws = assert(ws.connect "wss://example.org/feed")`, then `ws:send(text)` and
-- `for message in ws:messages() do`. A server: `ws.serve(function(ws) … end, host, port)`.

local client = require "strobe.ws.client"
local connections = require "strobe.ws.connection"
local core = require "strobe.core.ws"
local server = require "strobe.ws.server"
local upgrade = require "strobe.ws.upgrade"

local ws = {}

--- Connects to a server; see client.lua. `ws.connect(uri, {headers, subprotocols, origin, tls, max_size, …})`.
---@type fun(uri: string, options?: strobe.ws.ConnectOptions): strobe.ws.Connection?, string?, string?, table?
ws.connect = client.connect

--- Connects again and again: `for connection in ws.reconnecting(uri) do … end`; see client.lua.
---@type fun(uri: string, options?: strobe.ws.ReconnectOptions): fun(): strobe.ws.Connection
ws.reconnecting = client.reconnecting

--- Serves: `ws.serve(handler, host, port, {origins, process_request, subprotocols, tls, …})`; see server.lua.
---@type fun(handler: function, host?: string, port: integer, options?: strobe.ws.ServeOptions): strobe.ws.Server?
ws.serve = server.serve

--- Answers a request in a handler of http.serve: `return ws.upgrade(request, function(connection) … end)`; see
--- upgrade.lua.
---@type fun(request: strobe.http.Request, handler: function, options?: strobe.ws.UpgradeOptions): integer, table, any
ws.upgrade = upgrade.upgrade

--- The error of a connection that has ended: `code`, `reason`, `by` ("peer", "us" or "link").
ws.ConnectionClosed = connections.ConnectionClosed
--- A ConnectionClosed by a Close of both sides, with 1000, 1001 or no code.
ws.ConnectionClosedOK = connections.ConnectionClosedOK
--- A ConnectionClosed in any other way.
ws.ConnectionClosedError = connections.ConnectionClosedError

-- Bytes that may wait for a peer before a broadcast passes it over.
local MOST_UNSENT = 64 * 1024

-- Iterates over a server's connections, a list, a set, or what an iterator gives.
local function each(peers)
  if type(peers) == "function" then
    return peers
  elseif type(peers) ~= "table" then
    error(("ws.broadcast: a server, a list, a set or an iterator expected, got %s"):format(type(peers)), 3)
  elseif peers.each then
    return peers:each()
  end
  if peers[1] == nil then
    return next, peers
  end
  local i = 0
  return function()
    i = i + 1
    return peers[i]
  end
end

--- Sends a message to many connections of servers; it is encoded once, and nobody is waited for. A peer that is slow,
--- with more than 64 KiB on its way, is passed over, or closed; so is, without being closed, one to which a message is
--- being sent in fragments. For peers who take compressed messages it is compressed once, if it is 1 KiB or more.
--- websockets.broadcast
---@param peers strobe.ws.Server|strobe.ws.Connection[]|table<strobe.ws.Connection, any>|fun(): strobe.ws.Connection?
---@param message string
---@param options? {binary?: boolean, slow?: "skip"|"close"} "close": slow peers are closed with 1008
---@return integer sent
---@return integer skipped
function ws.broadcast(peers, message, options)
  if type(message) ~= "string" then
    error(("ws.broadcast: a message expected, got %s"):format(type(message)), 2)
  end
  options = options or {}
  local encoded <close> = core.encode(message, not options.binary)
  if not encoded then
    error("ws.broadcast: the text is not UTF-8; binary = true takes any bytes", 2)
  end
  local sent, skipped = 0, 0
  for connection in each(peers) do
    local ok = connection:send_encoded(encoded, MOST_UNSENT)
    if ok then
      sent = sent + 1
    else
      skipped = skipped + 1
      if ok == false and options.slow == "close" then
        connection:give_up(1008, "too slow")
      end
    end
  end
  return sent, skipped
end

return ws
