--- The answer to a request that hands the stream over to something else: Upgrade and CONNECT. RFC 9110
--
-- Only the head is read, and the start of a refusal's body: what follows is no HTTP any more.

local http = require "strobe.core.http"
local timeouts = require "strobe.async.timeout"

local HEAD_LIMIT = 16 * 1024
local MOST_INTERIM = 16 -- answers with 1xx before the one that counts
local BODY_SHOWN = 1024 -- bytes of a refusal's body that are read
local BODY_TIME = 1 -- seconds in which they are to come

---@class strobe.http.ResponseHead an answer of which only the head was read
---@field status integer
---@field reason string
---@field headers table<string, string> lower-case names; fields that came several times are joined by ", "
---@field body? string the start of a refusal's
---@field proxy? string the name of the proxy that answered, if it was not the server

local responses = {}

-- An answer before the real one: 100 Continue, 103 Early Hints. 101 is real.
local function is_interim(response)
  return response.status < 200 and response.status ~= 101
end

--- Reads the head of the answer that counts.
---@async
---@param stream strobe.Connection
---@return strobe.http.ResponseHead?
---@return string? message
---@return string? code "EMSGSIZE" for a head above 16 KiB, "EPROTO" for what is no HTTP, …
function responses.read(stream)
  for _ = 0, MOST_INTERIM do
    local head, message, code = stream:read_until("\r\n\r\n", HEAD_LIMIT)
    if not head and code == "EMSGSIZE" then
      return nil, ("a head of more than %d bytes"):format(HEAD_LIMIT), code
    elseif not head then
      return nil, message, code
    end
    local response
    response, message = http.parse_response(head)
    if not response then
      return nil, ("no HTTP answer: %s"):format(message), "EPROTO"
    elseif not is_interim(response) then
      return response
    end
  end
  return nil, ("more than %d answers with 1xx"):format(MOST_INTERIM), "EPROTO"
end

--- Reads the start of a refusal's body, for the message; what does not come soon is left.
---@async
---@param stream strobe.Connection
---@param response strobe.http.ResponseHead gets it as `body`
function responses.read_body(stream, response)
  local size = math.min(response.content_length or 0, BODY_SHOWN)
  if size > 0 then
    local in_time, body = timeouts.move_on_after(BODY_TIME, stream.read_exactly, stream, size)
    response.body = in_time and body or nil
  end
end

return responses
