--- The opening handshake, both sides: heads in, heads out. RFC 6455, section 4
--
-- What is wrong with a request is told with the status to answer.

local core = require "strobe.core.ws"
local http = require "strobe.core.http"

local HEAD_LIMIT = 16 * 1024
local VERSION = "13"
local OPEN_TIMEOUT = 10

local handshake = {}

---@class strobe.ws.Headers lower-case names; fields that came several times are joined by ", "

-- Reads to the end of a head.
local function read_head(stream)
  local head, message, code = stream:read_until("\r\n\r\n", HEAD_LIMIT)
  if not head and code == "EMSGSIZE" then
    return nil, ("a head of more than %d bytes"):format(HEAD_LIMIT), code
  end
  return head, message, code
end

local function upgrades(headers)
  return handshake.has_word(headers.upgrade, "websocket") and handshake.has_word(headers.connection, "upgrade")
end

--- Whether a list header has a word, in any case.
---@param value? string
---@param word string lower case
---@return boolean
function handshake.has_word(value, word)
  for part in (value or ""):gmatch "[^,]+" do
    if part:match "^%s*(.-)%s*$":lower() == word then
      return true
    end
  end
  return false
end

---@class strobe.ws.Request
---@field method string
---@field target string path and query
---@field headers strobe.ws.Headers

--- Reads a request.
---@async
---@param stream strobe.Connection
---@return strobe.ws.Request?
---@return string? message
---@return integer|string|nil status to answer, or the code of a failure of the world
function handshake.read_request(stream)
  local head, message, code = read_head(stream)
  if not head then
    return nil, message, code == "EMSGSIZE" and 431 or code
  end
  return http.parse_request(head)
end

--- Reads a response.
---@async
---@param stream strobe.Connection
---@return {status: integer, reason: string, headers: strobe.ws.Headers}?
---@return string? message
---@return string? code
function handshake.read_response(stream)
  local head, message, code = read_head(stream)
  if not head then
    return nil, message, code
  end
  local response
  response, message = http.parse_response(head)
  if not response then
    return nil, ("no HTTP answer: %s"):format(message), "EPROTO"
  end
  return response
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

local function is_field(name, value)
  return type(name) == "string" and name:find "^[%w!#$%%&'*+.^_`|~-]+$" and not tostring(value):find "[\r\n%z]"
end

local function add(lines, name, value)
  if not is_field(name, value) then -- of process_request, or a subprotocol
    error(("ws: header %q: a name without blanks, and a value of one line expected"):format(tostring(name)), 4)
  end
  lines[#lines + 1] = ("%s: %s"):format(name, value)
end

--- Raises, at the caller's caller, for a header that would not be one line.
---@param where string
---@param headers? table<string, string|string[]>
function handshake.check_headers(where, headers)
  for name, values in pairs(headers or {}) do
    for _, value in ipairs(type(values) == "table" and values or { values }) do
      if not is_field(name, value) then
        local text = "%s: header %q: a name without blanks, and a value of one line expected"
        error(text:format(where, tostring(name)), 3)
      end
    end
  end
end

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

-- Adds headers in the order of their names; several values make several lines.
local function add_all(lines, headers)
  local sorted = {}
  for name in pairs(headers or {}) do
    sorted[#sorted + 1] = name
  end
  table.sort(sorted)
  for _, name in ipairs(sorted) do
    local values = headers[name]
    for _, value in ipairs(type(values) == "table" and values or { values }) do
      add(lines, name, value)
    end
  end
end

--- A client's request.
---@param uri strobe.ws.Uri
---@param key string
---@param options strobe.ws.Options
---@return string head
function handshake.request(uri, key, options)
  local lines = { ("GET %s HTTP/1.1"):format(uri.target) }
  add(lines, "Host", uri.authority)
  add(lines, "Upgrade", "websocket")
  add(lines, "Connection", "Upgrade")
  add(lines, "Sec-WebSocket-Key", key)
  add(lines, "Sec-WebSocket-Version", VERSION)
  if options.subprotocols and #options.subprotocols > 0 then
    add(lines, "Sec-WebSocket-Protocol", table.concat(options.subprotocols, ", "))
  end
  if options.compression then
    add(lines, "Sec-WebSocket-Extensions", core.offer_deflate())
  end
  if options.origin then
    add(lines, "Origin", options.origin)
  end
  if uri.user then
    add(lines, "Authorization", "Basic " .. core.base64(uri.user))
  end
  add_all(lines, options.headers)
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

--- A server's answer that takes the WebSocket.
---@param key string the client's
---@param subprotocol? string
---@param extension? string what was agreed on
---@param headers? table<string, string|string[]>
---@return string head
function handshake.response(key, subprotocol, extension, headers)
  local lines = { "HTTP/1.1 101 Switching Protocols" }
  add(lines, "Upgrade", "websocket")
  add(lines, "Connection", "Upgrade")
  add(lines, "Sec-WebSocket-Accept", core.accept(key))
  if subprotocol then
    add(lines, "Sec-WebSocket-Protocol", subprotocol)
  end
  if extension then
    add(lines, "Sec-WebSocket-Extensions", extension)
  end
  add_all(lines, headers)
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

local reasons = {
  [200] = "OK", [204] = "No Content", [301] = "Moved Permanently", [302] = "Found", [304] = "Not Modified",
  [400] = "Bad Request", [401] = "Unauthorized", [403] = "Forbidden", [404] = "Not Found",
  [405] = "Method Not Allowed", [408] = "Request Timeout", [426] = "Upgrade Required",
  [431] = "Request Header Fields Too Large", [500] = "Internal Server Error", [503] = "Service Unavailable",
  [505] = "HTTP Version Not Supported",
}

--- A plain HTTP answer, after which the connection ends.
---@param status integer
---@param headers? table<string, string|string[]>
---@param body? string
---@return string bytes
function handshake.refusal(status, headers, body)
  local lines = { ("HTTP/1.1 %d %s"):format(status, reasons[status] or "Answer") }
  add(lines, "Connection", "close")
  add(lines, "Content-Length", #(body or ""))
  if status == 426 then
    add(lines, "Upgrade", "websocket")
    add(lines, "Sec-WebSocket-Version", VERSION)
  elseif status == 405 then
    add(lines, "Allow", "GET")
  end
  add_all(lines, headers)
  if body and not (headers and (headers["Content-Type"] or headers["content-type"])) then
    add(lines, "Content-Type", "text/plain; charset=utf-8")
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
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
