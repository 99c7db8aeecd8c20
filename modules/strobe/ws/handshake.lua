--- The opening handshake, both sides: heads in, heads out. RFC 6455, section 4
--
-- What is wrong with a request is told with the status to answer.

local core = require "strobe.core.ws"
local fields = require "strobe.http.fields"

local VERSION = "13"
local OPEN_TIMEOUT = 10

local handshake = {}

---@class strobe.ws.Headers lower-case names; fields that came several times are joined by ", "

local function upgrades(headers)
  return fields.has_word(headers.upgrade, "websocket") and fields.has_word(headers.connection, "upgrade")
end

--- What is wrong with a request to open a WebSocket; nil when it is good.
---@param request strobe.ws.Request
---@return string? message
---@return integer? status
function handshake.check_request(request)
  local headers = request.headers
  if request.method ~= "GET" then
    return "GET expected", 405
  elseif request.version ~= "1.1" then
    return "HTTP/1.1 expected", 505
  elseif not upgrades(headers) then
    return "this is a WebSocket server: connect with a WebSocket client", 426
  elseif headers["sec-websocket-version"] ~= VERSION then
    return "Sec-WebSocket-Version: 13 expected", 426
  elseif request.chunked or (request.content_length or 0) > 0 then
    return "a request without a body expected", 400
  elseif not core.is_key(headers["sec-websocket-key"] or "") then
    return "Sec-WebSocket-Key: 16 bytes in base64 expected", 400
  end
end

--- The subprotocol of a list that is ours too, and our most wanted; nil when none is.
---@param offered? string the client's header
---@param supported? string[]
---@return string?
function handshake.choose_subprotocol(offered, supported)
  for _, name in ipairs(supported or {}) do
    for part in (offered or ""):gmatch "[^,]+" do
      if part:match "^%s*(.-)%s*$" == name then
        return name
      end
    end
  end
end

--- Raises, at the caller's caller, for a header that would not be one line.
---@type fun(where: string, headers?: table<string, string|string[]>)
handshake.check_headers = fields.check

--- Seconds for the handshake; false or 0 is without end.
---@param options strobe.ws.Options
---@return number
function handshake.open_timeout(options)
  local seconds = options.open_timeout
  if seconds == nil then
    return OPEN_TIMEOUT
  end
  return seconds and seconds > 0 and seconds or math.huge
end

local compression_kinds = {
  window_bits = "integer", mem_level = "integer", threshold = "integer", no_context_takeover = "boolean",
}

--- Raises, at the caller's caller, for an option `compression` that is none.
---@param where string
---@param compression any
function handshake.check_compression(where, compression)
  if compression ~= nil and type(compression) ~= "boolean" and type(compression) ~= "table" then
    error(("%s: compression: true, false or a table expected, got %s"):format(where, type(compression)), 3)
  end
  for name, value in pairs(type(compression) == "table" and compression or {}) do
    local kind = compression_kinds[name]
    if not kind then
      error(("%s: compression: there is no setting '%s'"):format(where, tostring(name)), 3)
    elseif (math.type(value) or type(value)) ~= kind then
      error(("%s: compression.%s: %s expected, got %s"):format(where, name, kind, tostring(value)), 3)
    end
  end
end

local function settings_of(options)
  return type(options.compression) == "table" and options.compression or nil
end

--- Has an agreement say how we compress.
---@param agreement any
---@param options strobe.ws.Options
function handshake.add_settings(agreement, options)
  for name, value in pairs(agreement and settings_of(options) or {}) do
    agreement[name] = value
  end
end

-- Lines in this order; what has no value is none.
local function lines_of(first, ...)
  local lines = { first }
  for _, field in ipairs { ... } do
    if field[2] then
      lines[#lines + 1] = fields.text { [field[1]] = field[2] }
    end
  end
  return table.concat(lines)
end

--- A client's request.
---@param uri strobe.ws.Uri
---@param key string
---@param options strobe.ws.Options
---@return string head
function handshake.request(uri, key, options)
  local subprotocols = options.subprotocols or {}
  return lines_of(("GET %s HTTP/1.1\r\n"):format(uri.target),
    { "Host", uri.authority },
    { "Upgrade", "websocket" },
    { "Connection", "Upgrade" },
    { "Sec-WebSocket-Key", key },
    { "Sec-WebSocket-Version", VERSION },
    { "Sec-WebSocket-Protocol", #subprotocols > 0 and table.concat(subprotocols, ", ") },
    { "Sec-WebSocket-Extensions", options.compression and core.offer_deflate(settings_of(options)) },
    { "Origin", options.origin },
    { "Authorization", uri.user and "Basic " .. core.base64(uri.user) }
  ) .. fields.text(options.headers) .. "\r\n"
end

--- The headers of a server's answer that takes the WebSocket.
---@param key string the client's
---@param subprotocol? string
---@param extension? string what was agreed on
---@param headers? table<string, string|string[]> more of the server's own
---@return table<string, string|string[]>
function handshake.response_headers(key, subprotocol, extension, headers)
  local all = {}
  for name, value in pairs(headers or {}) do
    all[name] = value
  end
  all["Upgrade"], all["Connection"] = "websocket", "Upgrade"
  all["Sec-WebSocket-Accept"] = core.accept(key)
  all["Sec-WebSocket-Protocol"], all["Sec-WebSocket-Extensions"] = subprotocol, extension
  return all
end

--- The headers of a plain answer to what is no request for a WebSocket; the connection ends then.
---@param status integer
---@return table<string, string>
function handshake.refusal_headers(status)
  local headers = { Connection = "close" }
  if status == 426 then
    headers["Connection"] = "Upgrade, close" -- RFC 9110, section 7.8
    headers["Upgrade"], headers["Sec-WebSocket-Version"] = "websocket", VERSION
  elseif status == 405 then
    headers["Allow"] = "GET"
  end
  return headers
end

--- What is wrong with a server's answer to our request; nil when it is good.
---@param response table
---@param key string ours
---@param options strobe.ws.Options
---@return string? message
---@return table? compression what core.open is to be given
function handshake.check_response(response, key, options)
  local headers = response.headers
  if response.status ~= 101 then
    return ("the server answered %d %s"):format(response.status, response.reason)
  elseif not upgrades(headers) then
    return "the answer does not upgrade to a WebSocket"
  elseif headers["sec-websocket-accept"] ~= core.accept(key) then
    return "Sec-WebSocket-Accept is missing or wrong"
  end
  local extensions = headers["sec-websocket-extensions"]
  local compression = extensions and core.check_deflate(extensions, options.compression)
  handshake.add_settings(compression, options)
  if compression == false then
    return "the answer has an extension, or a parameter, which we did not offer"
  end
  local chosen = headers["sec-websocket-protocol"]
  if chosen and handshake.choose_subprotocol(chosen, options.subprotocols) ~= chosen then
    return ("the answer has the subprotocol %q, which we did not offer"):format(chosen)
  end
  return nil, compression
end

return handshake
