--- A request as a server's handler sees it. Its body is read when the handler asks for it.

local errors = require "strobe.http.error"
local json = require "strobe.json"
local net = require "strobe.net"
local target = require "strobe.http.target"

---@class strobe.http.Request what a server's handler gets
---@field method string             "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"
---@field target string             as it came
---@field path string               decoded, without the query: "/a b"
---@field query_string? string      as it came: "x=1&y=2"
---@field query table<string, string> decoded; of a name that comes twice the last value
---@field version "1.0"|"1.1"
---@field headers table<string, string> lower-case names; fields that came several times are joined by ", "
---@field host string               what was asked for: Host, or what stands in the target
---@field scheme "http"|"https"
---@field content_length? integer   bytes of the body, if they are told in advance
---@field stream strobe.Connection  net.peer(request.stream), net.tls_info(request.stream)
---@field private exchange table    what reads the body
local Request = {}
Request.__name = "HTTP request"

-- What takes time to find out and is seldom asked for.
local lazy = {
  query = function(request)
    return (target.pairs(request.query_string or ""))
  end,
  remote = function(request)
    return (net.peer(request.stream))
  end,
}

Request.__index = function(request, name)
  local method = Request[name]
  if method ~= nil then
    return method
  elseif lazy[name] then
    local value = lazy[name](request)
    rawset(request, name, value)
    return value
  end
end

--- Makes one of a head.
---@package
---@param head table what the parser tells
---@param exchange table `exchange:next_piece()`
---@param stream strobe.Connection
---@param scheme "http"|"https"
---@return strobe.http.Request? request nil for a target that no server knows
function Request.new(head, exchange, stream, scheme)
  local path, query, authority = target.split(head.target, head.method)
  if not path then
    return nil
  end
  head.path, head.query_string = path, query
  head.host = authority or head.headers.host
  head.exchange, head.stream, head.scheme = exchange, stream, scheme
  return setmetatable(head, Request)
end

--- Iterates over the body as it comes: `for bytes in request:chunks() do`. Raises an HTTPException, which the server
--- answers with its status, for a body that is malformed, too large or too slow.
---@async
---@return fun(): string?
function Request:chunks()
  return function()
    local bytes, e = self.exchange:next_piece()
    if e then
      error(e, 0)
    end
    return bytes
  end
end

--- The whole body. aiohttp's Request.read
---@async
---@return string? body
---@return strobe.http.HTTPException? e which assert() raises, and the server answers then
---@return string? code "EMSGSIZE", "ETIMEDOUT", "EPROTO", "ECONNRESET"
function Request:read()
  if self.whole then
    return self.whole
  end
  local pieces = {}
  local bytes, e, code = self.exchange:next_piece()
  while bytes do
    pieces[#pieces + 1] = bytes
    bytes, e, code = self.exchange:next_piece()
  end
  if e then
    return nil, e, code
  end
  self.whole = table.concat(pieces)
  return self.whole
end

--- The body's JSON.
---@async
---@return any value
---@return strobe.http.HTTPException? e 400 when it is none
---@return string? code "EPROTO"
function Request:json()
  local body, e, code = self:read()
  if not body then
    return nil, e, code
  end
  local value, message = json.decode(body)
  if value == nil then
    return nil, errors.new(400, "the body is no JSON: " .. message), "EPROTO"
  end
  return value
end

--- The fields of a form (application/x-www-form-urlencoded). aiohttp's Request.post
---@async
---@return table<string, string>?
---@return strobe.http.HTTPException? e 415 for another kind of body
---@return string? code
function Request:form()
  local kind = (self.headers["content-type"] or ""):match "^%s*([^;%s]*)":lower()
  if kind ~= "application/x-www-form-urlencoded" then
    return nil, errors.new(415, "application/x-www-form-urlencoded expected"), "EPROTO"
  end
  local body, e, code = self:read()
  if not body then
    return nil, e, code
  end
  return (target.pairs(body))
end

function Request:__tostring()
  return ("<HTTP request %s %s>"):format(self.method, self.target)
end

return Request
