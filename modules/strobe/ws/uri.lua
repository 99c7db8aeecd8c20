--- WebSocket URIs: ws://host[:port]/path, wss://…, ws+unix:/path/of/socket[:/path]. RFC 6455, section 3

local uri = {}

local default_ports = { ws = 80, wss = 443 }

---@class strobe.ws.Uri
---@field secure boolean
---@field host? string   nil for unix sockets
---@field port? integer
---@field path? string   of a unix socket
---@field target string  what is asked for: path and query
---@field authority string what the Host header says
---@field user? string   "name:password", decoded

local function decode(text)
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

-- host, port of "host:port", "[::1]:port" or one of them alone.
local function split_authority(authority)
  local host, port = authority:match "^%[([%x:.]+)%]:?(%d*)$"
  if not host then
    host, port = authority:match "^([^:%[%]]+):?(%d*)$"
  end
  return host, port
end

local function parse_unix(rest)
  local path, target = rest:match "^//*([^:]*):(/.*)$"
  path = path or rest:match "^//*([^:]+)$"
  if not path then
    return nil, "a path expected"
  end
  return { secure = false, path = "/" .. path, target = target or "/", authority = "localhost" }
end

local function parse_net(scheme, rest)
  local authority, target = rest:match "^//([^/?#]+)([^#]*)"
  if not authority then
    return nil, "a host expected"
  elseif rest:find("#", 1, true) then
    return nil, "it must not have a fragment (#…)"
  elseif target:find "[%c ]" then
    return nil, "it must not have blanks; write %20"
  end
  local user, place = authority:match "^(.*)@([^@]*)$"
  local host, port = split_authority(place or authority)
  if not host then
    return nil, "a host, or host:port, expected"
  end
  local number = port == "" and default_ports[scheme] or tonumber(port)
  if number < 1 or number > 65535 then
    return nil, "a port from 1 to 65535 expected"
  end
  if target:sub(1, 1) ~= "/" then
    target = "/" .. target
  end
  return {
    secure = scheme == "wss",
    host = host,
    port = number,
    target = target,
    authority = (place or authority):gsub(":$", ""),
    user = user and decode(user),
  }
end

--- Parses one.
---@param text string
---@return strobe.ws.Uri?
---@return string? message
function uri.parse(text)
  local scheme, rest = text:match "^([%a+]+):(.*)$"
  scheme = scheme and scheme:lower()
  local parsed, message
  if scheme == "ws+unix" then
    parsed, message = parse_unix(rest)
  elseif default_ports[scheme] then
    parsed, message = parse_net(scheme, rest)
  else
    message = "it begins with ws://, wss:// or ws+unix:"
  end
  if not parsed then
    return nil, ("%q: no WebSocket URI: %s"):format(text, message)
  end
  return parsed
end

return uri
