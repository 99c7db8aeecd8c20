--- Connecting to a WebSocket server.

local Connection = require("strobe.ws.connection").Connection
local core = require "strobe.core.ws"
local errors = require "strobe.async.error"
local handshake = require "strobe.ws.handshake"
local net = require "strobe.net"
local timeouts = require "strobe.async.timeout"
local uris = require "strobe.ws.uri"

local MAX_SIZE, MAX_FRAGMENTS, MAX_QUEUE = 1024 * 1024, 10000, 16
local BODY_SHOWN = 1024 -- bytes of a refusal's body that are read
local MOST_REDIRECTS = 5

---@class strobe.ws.ConnectOptions : strobe.ws.Options
---@field tls? strobe.TlsOptions for wss://
---@field origin? string what a browser would send
---@field stream? strobe.Connection an open connection to use instead

local client = {}

local function open_stream(uri, options)
  if options.stream then
    return options.stream
  elseif uri.path then
    return net.connect_unix(uri.path)
  end
  return net.connect(uri.host, uri.port, { tls = uri.secure and (options.tls or true) or nil })
end

-- A failure of the handshake, with what the server said.
local function refused(stream, response, message)
  local size = tonumber(response.headers["content-length"]) or 0
  local body = size > 0 and stream:read_exactly(math.min(size, BODY_SHOWN)) or nil
  response.body = body
  local text = body and message .. ": " .. body:gsub("%s+$", "") or message
  return nil, text, "EPROTO", response
end

local function open(uri, options)
  local stream, message, code = open_stream(uri, options)
  if not stream then
    return nil, message, code
  end
  local guard <close> = setmetatable({ stream = stream }, { -- luacheck: ignore
    __close = function(self)
      if self.stream then
        self.stream:abort()
      end
    end,
  })
  local key = core.key()
  local ok
  ok, message, code = stream:write(handshake.request(uri, key, options))
  if not ok then
    return nil, message, code
  end
  local response
  response, message, code = handshake.read_response(stream)
  if not response then
    return nil, message, code
  end
  local compression
  message, compression = handshake.check_response(response, key, options)
  if message then
    return refused(stream, response, message)
  end
  guard.stream = nil
  local opened = core.open(stream, "client", options.max_size or MAX_SIZE, options.max_fragments or MAX_FRAGMENTS,
    options.max_queue or MAX_QUEUE, compression)
  return Connection.new(opened, {
    request = { target = uri.target },
    response = response,
    subprotocol = response.headers["sec-websocket-protocol"],
  }, options)
end

-- Follows redirects; never from wss to ws.
local function open_following(text, options)
  local response
  for _ = 0, MOST_REDIRECTS do
    local uri, message = uris.parse(text)
    if not uri then -- the caller's was looked at before
      return nil, "the server redirects to " .. message, "EPROTO", response
    end
    local connection, code
    connection, message, code, response = open(uri, options)
    local location = response and response.status >= 301 and response.status <= 308 and response.headers.location
    if not location then
      return connection, message, code, response
    end
    location = location:gsub("^[hH][tT][tT][pP]", "ws")
    if location:sub(1, 1) == "/" then
      location = ("%s://%s%s"):format(uri.secure and "wss" or "ws", uri.authority, location)
    end
    if uri.secure and not location:find "^wss:" then
      return nil, "the server redirects from wss to " .. location, "EPROTO", response
    end
    text = location
  end
  return nil, ("more than %d redirects"):format(MOST_REDIRECTS), "EPROTO"
end

--- Connects: `local ws = assert(ws.connect "wss://example.org/feed")`. websockets.connect
---@async
---@param uri string ws://, wss:// or ws+unix:
---@param options? strobe.ws.ConnectOptions
---@return strobe.ws.Connection?
---@return string? message
---@return string? code "EPROTO" for an answer that is no WebSocket's, "ETIMEDOUT", "ECONNREFUSED", …
---@return table? response what the server answered: {status, reason, headers, body}
function client.connect(uri, options)
  options = options or {}
  local parsed, wrong = uris.parse(uri)
  if not parsed then
    error("ws.connect: " .. wrong, 2)
  end
  local function fail(message, code, response)
    return nil, ("ws.connect %s: %s"):format(uri, message), code, response
  end
  handshake.check_headers("ws.connect", options.headers)
  local seconds = handshake.open_timeout(options)
  local in_time, connection, message, code, response = timeouts.move_on_after(seconds, open_following, uri, options)
  if not in_time then
    return fail(("no answer within %g s"):format(seconds), "ETIMEDOUT")
  elseif not connection then
    return fail(message, code, response)
  end
  return connection
end

-- What cannot get better by trying again.
local fatal = { [401] = true, [403] = true, [404] = true, [426] = true }

---@class strobe.ws.ReconnectOptions : strobe.ws.ConnectOptions
---@field initial? number  the first pause is a random time up to that (5 s)
---@field factor? number   each next one is so many times as long (1.6)
---@field most? number     and no longer than that (60 s)
---@field on_failure? fun(message: string, code: string, seconds: number) told before each pause

--- Connects again and again: `for ws in ws.reconnecting(uri) do … end`. The body has one
--- connection after another; it ends when that has closed, or by itself. Failures that
--- may pass are waited out, with pauses that grow and vary; the others are raised.
---@async
---@param uri string
---@param options? strobe.ws.ReconnectOptions
---@return fun(): strobe.ws.Connection
function client.reconnecting(uri, options)
  options = options or {}
  local time = require "strobe.core.time"
  local initial, factor, most = options.initial or 5, options.factor or 1.6, options.most or 60
  local last, pause, since
  local function connect_once()
    local connection, message, code, response = client.connect(uri, options)
    if connection then
      return connection
    elseif response and fatal[response.status] then
      error(errors.ConnectionError(message), 0)
    end
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
