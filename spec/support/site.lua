--- The HTTP server that the clients of spec/interop visit. What it answers, the path says:
--
--   /hello           "hello"
--   /echo            the request's body, when that is whole
--   /through         the same, as it comes
--   /bytes/N         N bytes, which are at no other place the same
--   /pieces/N/SIZE   N pieces of so many bytes each, in chunks
--   /waits           "one", and, when somebody has asked for /go, "two"
--   /status/N        that status, and nothing else
--   /refused         403, without a look at the body
--   /what            the request as JSON: method, target, version, scheme, host, headers
--   /raises, /wrong  500: the handler raises, or returns no answer
--   /ws              a WebSocket that sends back what it gets

local async = require "strobe.async"
local http = require "strobe.http"
local net = require "strobe.net"
local ws = require "strobe.ws"

---@class spec.Site : strobe.http.Server
---@field connections integer that had a request
---@field requests integer

local site = {}

-- 64 bytes with their number.
local RECORD = "%08d" .. ("<>"):rep(28)

--- Bytes in numbered records of 64, as the clients make them too.
---@param size integer
---@return string
function site.numbered(size)
  local parts = {}
  for i = 0, size // 64 do
    parts[#parts + 1] = RECORD:format(i)
  end
  return table.concat(parts):sub(1, size)
end

local function echo(connection)
  for message, kind in connection:messages() do
    local send = kind == "text" and connection.send or connection.send_bytes
    send(connection, message)
  end
end

local pages = {}

function pages.hello()
  return 200, nil, "hello"
end

function pages.echo(_, request)
  return 200, { ["Content-Type"] = "application/octet-stream" }, assert(request:read())
end

function pages.through(_, request)
  return 200, nil, request:chunks()
end

function pages.bytes(_, _, size)
  return 200, nil, site.numbered(tonumber(size))
end

function pages.pieces(_, _, count, size)
  local piece, left = site.numbered(tonumber(size)), tonumber(count)
  return 200, nil, function()
    left = left - 1
    return left >= 0 and piece or nil
  end
end

function pages.waits(at)
  local pieces = { "one", "two" }
  return 200, nil, function()
    if #pieces == 1 then
      at.go:wait()
    end
    return table.remove(pieces, 1)
  end
end

function pages.go(at)
  at.go:set()
  return 204
end

function pages.status(_, _, status)
  return tonumber(status)
end

function pages.refused()
  return 403, nil, "refused"
end

function pages.what(_, request)
  return 200, nil, {
    method = request.method, target = request.target, version = request.version, scheme = request.scheme,
    host = request.host, headers = request.headers,
  }
end

function pages.raises()
  error "raised on purpose"
end

function pages.wrong()
  return "this is no status"
end

function pages.ws(_, request)
  return ws.upgrade(request, echo, { compression = true })
end

local function answer(at, request)
  if not at.seen[request.stream] then
    at.seen[request.stream] = true
    at.connections = at.connections + 1
  end
  at.requests = at.requests + 1
  local name, first, second = request.path:match "^/(%w+)/?([^/]*)/?([^/]*)$"
  local page = pages[name] or error(http.error(404, "no such page"))
  return page(at, request, first, second)
end

--- Serves it.
---@async
---@param host? string
---@param options? strobe.http.ServeOptions
---@param port? integer
---@return spec.Site
function site.serve(host, options, port)
  local at
  at = assert(http.serve(function(request)
    return answer(at, request)
  end, host or "127.0.0.1", port or 0, options))
  at.seen, at.connections, at.requests, at.go = setmetatable({}, { __mode = "k" }), 0, 0, async.Event()
  return at
end

--- A port that is free now, for a program that cannot take any.
---@async
---@return integer
function site.free_port()
  local listener <close> = assert(net.listen(nil, 0))
  return listener:port()
end

return site
