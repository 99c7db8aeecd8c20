--- WebSocket URIs: ws://host[:port]/path, wss://…, ws+unix:/path/of/socket[:/path]. RFC 6455, section 3

local authorities = require "strobe.http.authority"

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
  local host, port = authorities.split(place or authority)
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
    user = user and authorities.decode(user),
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
    return nil, ("%q: no WebSocket URI: %s"):format(uri.without_password(text), message)
  end
  return parsed
end

--- A URI as messages may show it.
---@param text string
---@return string
function uri.without_password(text)
  return (text:gsub("^(%a[%w+.-]*://)([^/?#]*)@", "%1…@"))
end

-- Takes "." and ".." out of a path. RFC 3986, section 5.2.4
local function without_dots(path)
  local parts = {}
  for part in path:gmatch "/([^/]*)" do
    if part == ".." then
      parts[#parts] = nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  local ends_in_folder = path:find "/%.%.?$"
  return "/" .. table.concat(parts, "/") .. (ends_in_folder and #parts > 0 and "/" or "")
end

-- The target of a reference without scheme and host.
local function join_target(base, reference)
  local path = base:match "^[^?]*"
  if reference == "" then
    return base
  elseif reference:sub(1, 1) == "?" then
    return path .. reference
  elseif reference:sub(1, 1) ~= "/" then
    reference = path:match "^.*/" .. reference
  end
  local new_path, query = reference:match "^([^?]*)(.*)$"
  return without_dots(new_path) .. query
end

--- What a reference found at a URI points to, as a Location header has them: whole, or any part of it. What is not
--- said is as before, also who we are. http and https stand for ws and wss. RFC 3986, section 5
---@param base strobe.ws.Uri
---@param reference string
---@return strobe.ws.Uri?
---@return string? message
function uri.join(base, reference)
  reference = reference:gsub("#.*$", "")
  if reference:find "^%a[%w+.-]*:" then
    return uri.parse((reference:gsub("^[hH][tT][tT][pP]", "ws")))
  elseif reference:find "^//" then
    return uri.parse((base.secure and "wss:" or "ws:") .. reference)
  elseif reference:find "[%c ]" then
    return nil, ("%q: no WebSocket URI: it must not have blanks; write %%20"):format(reference)
  end
  local joined = {}
  for name, value in pairs(base) do
    joined[name] = value
  end
  joined.target = join_target(base.target, reference)
  return joined
end

--- Whether two are of the same server, so that one may get what was meant for the other.
---@param one strobe.ws.Uri
---@param other strobe.ws.Uri
---@return boolean
function uri.same_origin(one, other)
  return one.secure == other.secure and one.path == other.path and one.port == other.port
    and (one.host or ""):lower() == (other.host or ""):lower()
end

return uri
