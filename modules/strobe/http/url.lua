--- URLs of HTTP: taken apart, joined, and made of parameters. RFC 3986

local authorities = require "strobe.http.authority"

local url = {}

local default_ports = { http = 80, https = 443 }

---@class strobe.http.Url
---@field scheme "http"|"https"
---@field user? string     decoded
---@field password? string decoded
---@field host string      name or address; IPv6 without brackets
---@field port integer
---@field path string      begins with "/", encoded
---@field query? string    encoded, without "?"

local function encode_byte(byte)
  return ("%%%02X"):format(byte:byte())
end

--- Percent-encodes all but letters, digits and "-._~".
---@param text string
---@return string
function url.escape(text)
  return (text:gsub("[^%w%-._~]", encode_byte))
end

--- Decodes %XX.
---@param text string
---@return string
function url.unescape(text)
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

-- As it is in forms: a blank is "+".
local function form_escape(value)
  return (url.escape(tostring(value)):gsub("%%20", "+"))
end

-- {name, value} pairs, in the order of the names where the table has none.
local function pairs_of(fields)
  if #fields > 0 then
    return fields
  end
  local names, list = {}, {}
  for name in pairs(fields) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    return tostring(a) < tostring(b)
  end)
  for _, name in ipairs(names) do
    local values = fields[name]
    for _, value in ipairs(type(values) == "table" and values or { values }) do
      list[#list + 1] = { name, value }
    end
  end
  return list
end

--- Encodes fields as a query or a form: {name = value}, {name = {value, …}}, or a list of {name, value}.
--- urllib.parse.urlencode
---@param fields table
---@return string
function url.encode(fields)
  local parts = {}
  for i, field in ipairs(pairs_of(fields)) do
    parts[i] = form_escape(field[1]) .. "=" .. form_escape(field[2])
  end
  return table.concat(parts, "&")
end

-- What must not stand in a path or query as it is.
local function normalize(text)
  return (text:gsub("[^%w%-._~:/?%[%]@!$&'()*+,;=%%|]", encode_byte))
end

local function check_host(host)
  if host:find "[^%w%-._:]" then
    return "a host of letters, digits and '-' expected (an international name in its xn-- form)"
  end
end

--- Takes a URL apart; its fragment is dropped.
---@param text string
---@return strobe.http.Url?
---@return string? message
function url.parse(text)
  local scheme, authority, rest = text:match "^(%a+)://([^/?#]*)([^#]*)"
  scheme = scheme and scheme:lower()
  if not default_ports[scheme] then
    return nil, "it begins with http:// or https://"
  elseif text:find "%c" then
    return nil, "it has a control character"
  end
  local user, place = authority:match "^(.*)@([^@]*)$"
  local host, port = authorities.split(place or authority)
  if not host then
    return nil, "a host, or host:port, expected"
  end
  local wrong = check_host(host)
  local number = port == "" and default_ports[scheme] or tonumber(port)
  if wrong then
    return nil, wrong
  elseif number < 1 or number > 65535 then
    return nil, "a port from 1 to 65535 expected"
  end
  local path, query = rest:match "^([^?]*)%??(.*)$"
  local name, password = (user or ""):match "^([^:]*):?(.*)$"
  return {
    scheme = scheme,
    user = user and url.unescape(name),
    password = user and url.unescape(password),
    host = host:lower(),
    port = number,
    path = path == "" and "/" or normalize(path),
    query = rest:find("?", 1, true) and normalize(query) or nil,
  }
end

--- "host", "host:port", "[::1]:port": what the Host header says.
---@param parsed strobe.http.Url
---@return string
function url.authority(parsed)
  local host = parsed.host:find(":", 1, true) and "[" .. parsed.host .. "]" or parsed.host
  return parsed.port == default_ports[parsed.scheme] and host or ("%s:%d"):format(host, parsed.port)
end

--- Puts a URL together, without user and password.
---@param parsed strobe.http.Url
---@return string
function url.format(parsed)
  local query = parsed.query and "?" .. parsed.query or ""
  return ("%s://%s%s%s"):format(parsed.scheme, url.authority(parsed), parsed.path, query)
end

-- Resolves "." and "..". RFC 3986, section 5.2.4
local function remove_dots(path)
  local parts = {}
  local last
  for part in path:gmatch "[^/]*" do
    last = part
    if part == ".." then
      parts[#parts > 1 and #parts or 2] = nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  if last == "." or last == ".." then
    parts[#parts + 1] = ""
  end
  local joined = table.concat(parts, "/")
  return joined:sub(1, 1) == "/" and joined or "/" .. joined
end

local function split_reference(reference)
  local path, query = reference:match "^([^?]*)%??(.*)$"
  return path, reference:find("?", 1, true) and query or nil
end

--- Resolves a reference, as a Location or a path under a base URL is. RFC 3986, section 5.2
---@param base strobe.http.Url
---@param reference string
---@return strobe.http.Url?
---@return string? message
function url.join(base, reference)
  reference = reference:gsub("#.*$", "")
  if reference:find "^%a[%w+.-]*:" then
    return url.parse(reference)
  elseif reference:find "^//" then
    return url.parse(base.scheme .. ":" .. reference)
  end
  local path, query = split_reference(reference)
  if path == "" then
    path, query = base.path, query or base.query
  elseif path:sub(1, 1) ~= "/" then
    path = base.path:match "^(.*/)" .. path
  end
  local target = remove_dots(path) .. (query and "?" .. query or "")
  return url.parse(("%s://%s%s"):format(base.scheme, url.authority(base), target))
end

return url
