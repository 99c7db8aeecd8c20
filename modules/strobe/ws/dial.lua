--- Where a client's stream comes from: the network, or what a spec has put in its place.

local net = require "strobe.net"
local proxies = require "strobe.proxy"

local dial = {}

-- A proxy of TLS that ended there, or a server with several protocols, is not to choose HTTP/2.
local function tls_of(uri, options)
  if not uri.secure then
    return nil
  end
  local secure = { alpn = { "http/1.1" } }
  for name, value in pairs(options.tls or {}) do
    secure[name] = value
  end
  return secure
end

local function connect(uri, options)
  if uri.path then
    return net.connect_unix(uri.path)
  end
  local proxy, message
  if options.proxy ~= false then
    local scheme = uri.secure and "wss" or "ws"
    proxy, message = proxies.choose("ws.connect", options.proxy or true, scheme, uri.host, uri.port)
  end
  if message then
    return nil, message, "EINVAL"
  end
  return net.connect(uri.host, uri.port, {
    tls = tls_of(uri, options), proxy = proxy, proxy_tls = proxy and options.proxy_tls,
  })
end

-- The last is asked.
local stack = { connect }

--- Has streams come from elsewhere, until it is closed; those of all tasks do. For strobe.testing.mock.
---@param f fun(uri: strobe.ws.Uri, options: strobe.ws.ConnectOptions): strobe.Connection?, string?, string?
---@return table pushed `:close()` twice is harmless
function dial.push(f)
  local pushed = {
    close = function()
      for i = #stack, 2, -1 do
        if stack[i] == f then
          table.remove(stack, i)
          return
        end
      end
    end,
  }
  table.insert(stack, f) -- last: without memory for the way back there is none to it
  return pushed
end

--- A stream to where the URI says, without the handshake.
---@async
---@param uri strobe.ws.Uri
---@param options strobe.ws.ConnectOptions
---@return strobe.Connection?
---@return string? message
---@return string? code
---@return table? response of a proxy that has refused
function dial.open(uri, options)
  if options.stream then
    return options.stream
  end
  return stack[#stack](uri, options)
end

return dial
