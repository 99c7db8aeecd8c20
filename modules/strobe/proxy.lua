--- HTTP proxies of clients: which one to take, and the tunnel through it.
--
-- A proxy is named by "http://user:password@host:port", or https:// where the way to the proxy is
-- by TLS too. Without one in the options it is looked for in the environment, by the names which
-- curl and Python read: https_proxy, http_proxy, all_proxy, and no_proxy for whom there is none.
-- The tunnel is CONNECT (RFC 9110, section 9.3.6): after a 2xx the stream is the host's.

local authorities = require "strobe.http.authority"
local base64 = require("strobe.core.ws").base64
local responses = require "strobe.http.handover"

local default_ports = { http = 80, https = 443 }

local proxies = {}

---@class strobe.Proxy an HTTP proxy and how to reach it
---@field scheme "http"|"https" how the proxy itself is spoken to
---@field host string
---@field port integer
---@field user? string "name:password", decoded

-- host, port of "host:port", "[::1]:port" or one of them alone; port is "" when there is none.
local function split_place(place)
  local host, port = place:match "^%[([%x:.]+)%]:?(%d*)$"
  if not host then
    host, port = place:match "^([^:/?#%[%]%s%c]+):?(%d*)$"
  end
  return host, port
end

-- The text as messages may show it.
local function without_password(text)
  return (text:gsub("[^/]*@", "…@"))
end

--- Parses "http://user:password@host:port"; http:// may be left out, and the port is 80 or 443 then.
---@param text string
---@return strobe.Proxy?
---@return string? message
function proxies.parse(text)
  local scheme, rest = text:match "^([%w+.-]+)://(.*)$"
  scheme, rest = (scheme or "http"):lower(), (rest or text):gsub("/+$", "")
  if not default_ports[scheme] then
    return nil, ("%q: a proxy is http://host:port or https://host:port; there are no others"):format(
      without_password(text))
  end
  local user, place = rest:match "^(.*)@([^@]*)$"
  local host, port = split_place(place or rest)
  local number = port == "" and default_ports[scheme] or tonumber(port)
  if not host or not number or number < 1 or number > 65535 then
    return nil, ("%q: no proxy: http://host:port expected"):format(without_password(text))
  end
  return { scheme = scheme, host = host, port = number, user = user and authorities.decode(user) }
end

--- A proxy's name for messages: without the password.
---@param proxy strobe.Proxy
---@return string
function proxies.name(proxy)
  local host = proxy.host:find(":", 1, true) and ("[%s]"):format(proxy.host) or proxy.host
  return ("%s://%s:%d"):format(proxy.scheme, host, proxy.port)
end

--- The same with user and password, for another library to parse.
---@param proxy strobe.Proxy
---@return string
function proxies.url(proxy)
  local user = proxy.user and proxy.user:gsub("[^%w:._~-]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end) .. "@" or ""
  return (proxies.name(proxy):gsub("//", "//" .. user:gsub("%%", "%%%%"), 1))
end

-- --- The environment ---------------------------------------------------------------------------

-- A variable in lower case, even an empty one, hides that in upper case. A CGI script's HTTP_PROXY
-- is what a client sent as its header "Proxy".
local function variable(getenv, name)
  local value = getenv(name .. "_proxy")
  if value == nil and not (name == "http" and getenv "REQUEST_METHOD") then
    value = getenv(name:upper() .. "_PROXY")
  end
  return value ~= "" and value or nil
end

local function ipv4_bytes(text)
  local bytes = { text:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$" }
  for i, digits in ipairs(bytes) do
    bytes[i] = tonumber(digits)
    if #digits > 3 or bytes[i] > 255 then
      return nil
    end
  end
  return #bytes == 4 and string.char(table.unpack(bytes)) or nil
end

-- The bytes of groups between colons; nil when one is none.
local function group_bytes(text)
  local bytes = {}
  for group in text:gmatch "[^:]+" do
    local tail = ipv4_bytes(group)
    if not tail and not group:find "^%x%x?%x?%x?$" then
      return nil
    end
    bytes[#bytes + 1] = tail or string.pack(">I2", tonumber(group, 16))
  end
  return table.concat(bytes)
end

local function ipv6_bytes(text)
  local left, right = text:match "^(.*)::(.*)$"
  local head, tail = group_bytes(left or text), group_bytes(right or "")
  if not text:find(":", 1, true) or not head or not tail then
    return nil
  end
  local missing = 16 - #head - #tail
  if missing < 0 or (missing > 0 and not left) then
    return nil
  end
  return head .. ("\0"):rep(missing) .. tail
end

local function address_bytes(text)
  return ipv4_bytes(text) or ipv6_bytes(text)
end

-- Whether the first `bits` of two addresses are the same.
local function same_network(one, other, bits)
  local whole, rest = bits // 8, bits % 8
  if #one ~= #other or bits > #one * 8 or one:sub(1, whole) ~= other:sub(1, whole) then
    return false
  end
  return rest == 0 or one:byte(whole + 1) >> (8 - rest) == other:byte(whole + 1) >> (8 - rest)
end

local function in_network(entry, host)
  local network, bits = entry:match "^(.+)/(%d+)$"
  local base, address = address_bytes(network or entry), address_bytes(host)
  return base and address and same_network(base, address, tonumber(bits) or #base * 8) or false
end

-- Whether an entry of no_proxy names the host, or what it is part of.
local function entry_names(entry, host, port)
  if entry == "*" or in_network(entry, host) then
    return true
  end
  local name, only_port = split_place(entry)
  name = (name or entry):gsub("^%*?%.", "")
  if name == "" or only_port and only_port ~= "" and tonumber(only_port) ~= port then
    return false
  end
  return host == name or host:sub(-#name - 1) == "." .. name or in_network(name, host)
end

-- A proxy's localhost is not ours.
local function is_loopback(host)
  return host == "localhost" or in_network("127.0.0.0/8", host) or in_network("::1", host)
end

local function bypassed(list, host, port)
  host = host:lower():gsub("%.$", "")
  for entry in (list or ""):lower():gmatch "[^,%s]+" do
    if entry_names(entry, host, port) then
      return true
    end
  end
  return is_loopback(host)
end

--- The proxy which the environment asks for. The first that is set counts: for "https" https_proxy and all_proxy;
--- for "http" http_proxy and all_proxy; for "wss" wss_proxy, https_proxy and all_proxy; for "ws" ws_proxy,
--- https_proxy, http_proxy and all_proxy, as python websockets does. None for those in no_proxy (names, with all
--- below them; name:port; addresses; networks as 10.0.0.0/8; "*"), and for this machine itself.
---@param scheme "http"|"https"|"ws"|"wss" what is to be spoken with the host
---@param host string
---@param port integer
---@param getenv? fun(name: string): string? os.getenv
---@return strobe.Proxy? proxy nil without a message: there is none
---@return string? message what is wrong with the variable
function proxies.from_environment(scheme, host, port, getenv)
  getenv = getenv or os.getenv
  if bypassed(variable(getenv, "no"), host, port) then
    return nil
  end
  local names = {
    https = { "https", "all" },
    http = { "http", "all" },
    wss = { "wss", "https", "all" },
    ws = { "ws", "https", "http", "all" },
  }
  for _, name in ipairs(names[scheme]) do
    local text = variable(getenv, name)
    if text then
      local proxy, message = proxies.parse(text)
      return proxy, message and ("%s_proxy %s; set it anew, or no_proxy for this host"):format(name, message)
    end
  end
end

--- What an option `proxy` says: a text, true for the environment's, false or nil for none. A text that is none raises
--- at the caller's caller.
---@param where string the public function
---@param option? string|boolean|strobe.Proxy
---@param scheme "http"|"https"|"ws"|"wss"
---@param host string
---@param port integer
---@return strobe.Proxy?
---@return string? message
function proxies.choose(where, option, scheme, host, port)
  if option == true then
    return proxies.from_environment(scheme, host, port)
  elseif not option or type(option) == "table" then
    return option or nil
  elseif type(option) ~= "string" then
    error(("%s: proxy: a string, true or false expected, got %s"):format(where, type(option)), 3)
  end
  local proxy, message = proxies.parse(option)
  if not proxy then
    error(("%s: proxy: %s"):format(where, message), 3)
  end
  return proxy
end

-- --- The tunnel --------------------------------------------------------------------------------

local function request(host, port, proxy)
  local place = (host:find(":", 1, true) and "[%s]:%d" or "%s:%d"):format(host, port)
  local lines = { ("CONNECT %s HTTP/1.1"):format(place), "Host: " .. place }
  if proxy.user then
    lines[#lines + 1] = "Proxy-Authorization: Basic " .. base64(proxy.user)
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

-- What to do about a refusal.
local function advice(response, proxy)
  if response.status == 407 and proxy.user then
    return ": the proxy does not take this name and password"
  elseif response.status == 407 then
    return ": the proxy wants a name and a password: http://name:password@host:port"
  elseif response.status == 403 then
    return ": the proxy does not let us connect there; where none is needed, put the host into no_proxy"
  end
  local text = (response.body or ""):match "^%s*([^\r\n<]*)"
  return text and text ~= "" and ": " .. text or ""
end

--- Asks the proxy at the other end of a stream for a tunnel; what is written after that goes to the host. The stream
--- stays the caller's.
---@async
---@param stream strobe.Connection to the proxy
---@param host string
---@param port integer
---@param proxy strobe.Proxy
---@return true?
---@return string? message
---@return string? code "EPROXY" when the proxy refused
---@return strobe.http.ResponseHead? response the refusal
function proxies.open_tunnel(stream, host, port, proxy)
  if host:find "[%c%s]" then
    return nil, ("a host without blanks expected, got %q"):format(host), "EINVAL"
  end
  local ok, message, code = stream:write(request(host, port, proxy))
  local response
  if ok then
    response, message, code = responses.read(stream)
  end
  if not response then
    return nil, ("proxy %s: %s"):format(proxies.name(proxy), message), code
  elseif response.status < 300 then
    return true
  end
  responses.read_body(stream, response)
  response.proxy = proxies.name(proxy)
  return nil, ("proxy %s answered %d %s%s"):format(response.proxy, response.status, response.reason,
    advice(response, proxy)), "EPROXY", response
end

return proxies
