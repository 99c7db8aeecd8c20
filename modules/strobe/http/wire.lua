--- Requests on the wire: the transport that asks libcurl.
--
-- Names are resolved by our own resolver, and libcurl gets addresses: it then starts no thread of its own, which
-- nobody could cancel and for which virtual time would not wait.

local net = require "strobe.net"
local proxies = require "strobe.proxy"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"
local urls = require "strobe.http.url"

local ADDRESSES_LIVE = 60 -- seconds
local MOST_NAMES = 256

local wire = {}

local function is_numeric(host)
  return host:find ":" or host:find "^%d+%.%d+%.%d+%.%d+$"
end

-- Addresses of a name, kept for a minute by the session.
local function resolve(cache, host, deadline)
  local known, now = cache.hosts[host], time.now()
  if known and known.until_ > now then
    return known.addresses
  end
  local addresses, message, code
  if deadline then
    local in_time
    in_time, addresses, message, code = timeouts.move_on_after(deadline - now, net.resolve, host)
    if not in_time then
      return nil, ("resolve %s: no answer in time"):format(host), "ETIMEDOUT"
    end
  else
    addresses, message, code = net.resolve(host)
  end
  if not addresses then
    return nil, message, code
  end
  cache.count = cache.count + (known and 0 or 1)
  if cache.count > MOST_NAMES then
    cache.hosts, cache.count = {}, 1
  end
  cache.hosts[host] = { addresses = addresses, until_ = now + ADDRESSES_LIVE }
  return addresses
end

local function bracketed(host)
  return host:find ":" and "[" .. host .. "]" or host
end

-- Says where the peer is: its addresses, for us and for libcurl.
local function locate(request, sent, host, port)
  sent.port = port
  if is_numeric(host) then
    sent.addresses = { host }
    return true
  end
  local addresses, message, code = resolve(request.session.names, host, request.deadline)
  if not addresses then
    return nil, message, code
  end
  local list = {}
  for i, address in ipairs(addresses) do
    list[i] = bracketed(address)
  end
  sent.addresses = addresses
  sent.resolve = { ("%s:%d:%s"):format(host, port, table.concat(list, ",")) }
  return true
end

-- Header lines; libcurl's own defaults that nobody asked for are taken out.
local function lines_of(request)
  local lines, headers = {}, request.headers
  for name, spelled in pairs(request.spelled) do
    local values = headers[name]
    for _, value in ipairs(type(values) == "table" and values or { values }) do
      lines[#lines + 1] = value == "" and spelled .. ";" or spelled .. ": " .. value
    end
  end
  if request.body and not headers["content-type"] then
    lines[#lines + 1] = "Content-Type:"
  end
  if request.body and not headers.expect then -- waits a second for servers that do not know it
    lines[#lines + 1] = "Expect:"
  end
  return lines
end

-- What the option says, or the environment.
local function proxy_of(request)
  local parsed, option = request.parsed, request.proxy
  if type(option) == "string" then
    return proxies.parse(option)
  elseif option == false then
    return nil
  end
  return proxies.from_environment(parsed.scheme, parsed.host, parsed.port)
end

-- What `tls` says. The name to verify may differ from the host: libcurl then connects there all the same.
local function add_tls(request, sent)
  local tls, parsed = request.tls, request.parsed
  if not tls or parsed.scheme ~= "https" then
    return
  end
  sent.insecure = tls.verify == false
  sent.ca, sent.cert, sent.key = tls.ca, tls.cert, tls.key
  sent.tls13 = tls.min_version == "1.3"
  if tls.server_name and tls.server_name ~= parsed.host then
    local named = setmetatable({ host = tls.server_name }, { __index = parsed })
    sent.url = urls.format(named)
    sent.connect_to = { ("%s:%d:%s:%d"):format(tls.server_name, parsed.port, bracketed(parsed.host), parsed.port) }
    if not request.headers.host then
      table.insert(sent.headers, "Host: " .. urls.authority(parsed))
    end
  end
end

-- What the core wants to know of a request.
local function describe(request)
  local body, deadline = request.body, request.deadline
  local whole = type(body) == "string" and body or nil
  local sent = {
    method = request.method,
    url = request.url,
    headers = lines_of(request),
    body = whole,
    upload = body ~= nil and not whole,
    upload_size = request.size,
    streams = request.stream,
    max_body = request.max_body,
    connect_timeout = request.connect_timeout,
    timeout = deadline and deadline - time.now(),
    cookie = request.cookie,
    http2 = request.http2,
    unix = request.unix,
  }
  add_tls(request, sent)
  if request.unix then
    return sent
  end
  local proxy, message = proxy_of(request)
  if message then
    return nil, message, "EINVAL"
  end
  sent.proxy = proxy and proxies.url(proxy)
  local peer = proxy or request.parsed
  local ok, code
  ok, message, code = locate(request, sent, peer.host, peer.port)
  if not ok then
    return nil, message, code
  end
  return sent
end

-- Sends a body piece by piece, until it ends or nobody wants more of it.
local function upload(transfer, next_piece, deadline)
  for piece in next_piece do
    local ok, message, code = transfer:write(piece, deadline)
    if ok == nil then
      return nil, message, code
    elseif not ok then
      return true
    end
  end
  transfer:finish()
  return true
end

local function answer_of(request, transfer)
  local status, reason, version, headers, head = transfer:head()
  local answer = { status = status, reason = reason, version = version, headers = headers, head = head }
  if request.stream then
    answer.source = transfer
  else
    answer.body = transfer:body()
    transfer:close()
  end
  return answer
end

local function exchange(request, transfer)
  local ok, message, code = true, nil, nil
  if request.body and type(request.body) ~= "string" then
    ok, message, code = upload(transfer, request.body, request.deadline)
  end
  if ok then
    ok, message, code = transfer:wait(request.deadline)
  end
  if not ok then
    transfer:close()
    return nil, message, code
  end
  return answer_of(request, transfer)
end

-- A transfer is closed unless its answer streams.
local guard = {
  __close = function(self, e)
    if e ~= nil then
      self[1]:close()
    end
  end,
}

--- The transport itself.
---@async
---@param request strobe.http.Outgoing
---@return strobe.http.Answer?
---@return string? message
---@return string? code
function wire.send(request)
  local pool, message, code = request.session:pool()
  if not pool then
    return nil, message, code
  end
  local sent
  sent, message, code = describe(request)
  if not sent then
    return nil, message, code
  end
  local transfer
  transfer, message, code = pool:start(sent)
  if not transfer then
    return nil, message, code
  end
  local _ <close> = setmetatable({ transfer }, guard)
  return exchange(request, transfer)
end

return wire
