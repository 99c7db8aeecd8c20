--- Connecting to a WebSocket server.

local Connection = require("strobe.ws.connection").Connection
local core = require "strobe.core.ws"
local dial = require "strobe.ws.dial"
local errors = require "strobe.async.error"
local handshake = require "strobe.ws.handshake"
local mistake = require "strobe.mistake"
local responses = require "strobe.http.handover"
local proxies = require "strobe.proxy"
local timeouts = require "strobe.async.timeout"
local uris = require "strobe.ws.uri"

local MAX_SIZE, MAX_FRAGMENTS, MAX_QUEUE = 1024 * 1024, 10000, 16
local MOST_REDIRECTS = 5

---@class strobe.ws.ConnectOptions : strobe.ws.Options
---@field tls? strobe.TlsOptions for wss://; without `alpn` it offers http/1.1
---@field origin? string what a browser would send
---@field proxy? string|boolean an HTTP proxy, "http://user:password@host:port"; default true: the environment's
---(https_proxy, http_proxy, all_proxy, no_proxy), if there is one; false: none
---@field proxy_tls? strobe.TlsOptions for an https:// proxy
---@field stream? strobe.Connection an open connection to use instead, which is the WebSocket's from now on; redirects
---are not followed then

local client = {}

-- A failure of the handshake, with what the server said.
local function refused(stream, response, message)
  responses.read_body(stream, response)
  local text = response.body and message .. ": " .. response.body:gsub("%s+$", "") or message
  return nil, text, "EPROTO", response
end

-- Our request, and the server's answer.
local function ask(stream, uri, key, options)
  local ok, message, code = stream:write(handshake.request(uri, key, options))
  if not ok then
    return nil, message, code
  end
  return responses.read(stream)
end

local function open(uri, options)
  local stream, message, code, response = dial.open(uri, options)
  if not stream then
    return nil, message, code, response
  end
  local guard <close> = setmetatable({ stream = stream }, { -- luacheck: ignore
    __close = function(self)
      if self.stream then
        self.stream:abort()
      end
    end,
  })
  local key = core.key()
  response, message, code = ask(stream, uri, key, options)
  if not response then
    return nil, message, code
  end
  local compression
  message, compression = handshake.check_response(response, key, options)
  if message then
    return refused(stream, response, message)
  end
  local opened
  opened, message, code = core.open(stream, "client", options.max_size or MAX_SIZE,
    options.max_fragments or MAX_FRAGMENTS, options.max_queue or MAX_QUEUE, compression)
  if not opened then -- the stream was closed meanwhile, or there is no memory
    return nil, ("ws.connect: %s"):format(message), code
  end
  guard.stream = opened
  local connection = Connection.new(opened, {
    request = { target = uri.target },
    response = response,
    subprotocol = response.headers["sec-websocket-protocol"],
  }, options)
  guard.stream = nil
  return connection
end

local redirects = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }
local credentials = { authorization = true, cookie = true, ["proxy-authorization"] = true }

-- The options for another server: what was meant for the first is not its business.
local function without_credentials(options)
  local copy, headers = {}, {}
  for name, value in pairs(options) do
    copy[name] = value
  end
  for name, value in pairs(options.headers or {}) do
    headers[name] = not credentials[name:lower()] and value or nil
  end
  copy.headers = headers
  return copy
end

-- Where a redirect leads to, and with which options; never from wss to ws, nor away from a unix socket.
local function follow(uri, location, options)
  local target, message = uris.join(uri, location)
  if not target then
    return nil, "the server redirects to " .. message
  elseif uri.secure and not target.secure then
    return nil, "the server redirects from wss to " .. location
  elseif uri.path ~= target.path then
    return nil, "the server redirects from one unix socket, or host, to another: " .. location
  elseif not uris.same_origin(uri, target) then
    options = without_credentials(options)
  end
  return target, options
end

local function open_following(uri, options)
  local connection, message, code, response
  for _ = 0, MOST_REDIRECTS do
    connection, message, code, response = open(uri, options)
    local location = response and not response.proxy and redirects[response.status] and response.headers.location
    if not location or options.stream then
      return connection, message, code, response
    end
    uri, options = follow(uri, location, options)
    if not uri then
      return nil, options, "EPROTO", response
    end
  end
  return nil, ("more than %d redirects"):format(MOST_REDIRECTS), "EPROTO", response
end

--- Connects: `local ws = assert(ws.connect "wss://example.org/feed")`. websockets.connect
---@async
---@param uri string ws://, wss:// or ws+unix:
---@param options? strobe.ws.ConnectOptions
---@return strobe.ws.Connection?
---@return string? message
---@return string? code "EPROTO" for an answer that is no WebSocket's, "EPROXY" for a proxy that refused, "EBADCERT",
---"ETIMEDOUT", "ECONNREFUSED", …
---@return strobe.http.ResponseHead? response what the server, or the proxy, answered
function client.connect(uri, options)
  mistake.expect("ws.connect", "uri", "string", uri)
  options = mistake.options("ws.connect", options)
  local parsed, wrong = uris.parse(uri)
  if not parsed then
    error("ws.connect: " .. wrong, 2)
  end
  local function fail(message, code, response)
    return nil, ("ws.connect %s: %s"):format(uris.without_password(uri), message), code, response
  end
  handshake.check_headers("ws.connect", options.headers)
  handshake.check_compression("ws.connect", options.compression)
  local proxy_wrong = type(options.proxy) == "string" and select(2, proxies.parse(options.proxy))
  if proxy_wrong then
    error("ws.connect: proxy: " .. proxy_wrong, 2)
  end
  local seconds = handshake.open_timeout(options)
  local in_time, connection, message, code, response = timeouts.move_on_after(seconds, open_following, parsed, options)
  if not in_time then
    return fail(("no answer within %g s"):format(seconds), "ETIMEDOUT")
  elseif not connection then
    return fail(message, code, response)
  end
  return connection
end

-- Refusals that may pass, beside those with 5xx: who comes too late, too early, too often.
local passing = { [408] = true, [425] = true, [429] = true }

-- What cannot get better by trying again.
local function is_fatal(_, code, response)
  if response then
    return response.status < 500 and not passing[response.status]
  end
  return code == "EBADCERT" or code == "EINVAL"
end

---@class strobe.ws.ReconnectOptions : strobe.ws.ConnectOptions
---@field initial? number  the first pause is a random time up to that (5 s)
---@field factor? number   each next one is so many times as long (1.6)
---@field most? number     and no longer than that (60 s)
---@field on_failure? fun(message: string, code: string, seconds: number) told before each pause
---@field is_fatal? fun(message: string, code: string, response?: strobe.http.ResponseHead): boolean? whether a failure
---is to be raised; nil: as by default, that is for refusals other than 5xx, 408, 425 and 429, and for certificates that
---are not trusted

local function raise_if_fatal(options, message, code, response)
  local fatal = options.is_fatal and options.is_fatal(message, code, response)
  if fatal == nil then
    fatal = is_fatal(message, code, response)
  end
  if fatal then
    local e = errors.ConnectionError(message)
    e.code, e.response = code, response
    error(e, 0)
  end
end

--- Connects again and again: `for ws in ws.reconnecting(uri) do … end`. The body has one
--- connection after another; it ends when that has closed, or by itself. Failures that
--- may pass are waited out, with pauses that grow and vary; the others are raised, as a
--- ConnectionError with `code` and `response`.
---@async
---@param uri string
---@param options? strobe.ws.ReconnectOptions
---@return fun(): strobe.ws.Connection
function client.reconnecting(uri, options)
  options = mistake.options("ws.reconnecting", options)
  local time = require "strobe.core.time"
  local initial, factor, most = options.initial or 5, options.factor or 1.6, options.most or 60
  local last, pause, since
  local function connect_once()
    local connection, message, code, response = client.connect(uri, options)
    if connection then
      return connection
    end
    raise_if_fatal(options, message, code, response)
    pause = pause and math.min(pause * factor, most) or initial
    local seconds = pause == initial and math.random() * initial or pause * (0.8 + 0.4 * math.random())
    if options.on_failure then
      options.on_failure(message, code, seconds)
    end
    time.sleep(seconds)
  end
  return function()
    if last then
      last:close()
      if time.now() - since > most then -- it was up for long: the next failure is a new one
        pause = nil
      end
    end
    repeat
      last = connect_once()
    until last
    since = time.now()
    return last
  end, nil, nil, setmetatable({}, {
    __close = function()
      if last then
        last:close()
      end
    end,
  })
end

return client
