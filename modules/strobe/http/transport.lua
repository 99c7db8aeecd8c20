--- The seam between what a request means and how it is carried out.
--
-- A transport is a function: it gets a request, waits, and returns an answer, or nil, a message and a code word.
-- The one at the bottom (wire.lua) asks libcurl; `strobe.testing.mock` pushes another to answer without a port.
-- Redirects, retries, limits on time and errors' words are above the seam: they work with any transport. Cookies
-- and proxies are libcurl's.
--
--     local pushed <close> = transport.push(function(request, next)
--       if request.url == "http://example.org/" then
--         return { status = 200, headers = { ["content-type"] = "text/plain" }, body = "hello" }
--       end
--       return next(request) -- or nil, "connection refused", "ECONNREFUSED"
--     end)

---@class strobe.http.Outgoing what a transport gets
---@field method string
---@field url string        with its query, without a user
---@field parsed strobe.http.Url
---@field headers table<string, string|string[]> names in lower case; authorization is there
---@field spelled table<string, string> the names as they are sent
---@field body? string|fun(): string? the whole, or a function that gives pieces, nil at the end, and may wait
---@field size? integer     of a body in pieces
---@field stream boolean    the body is wanted piece by piece
---@field max_body integer  bytes
---@field deadline? number  loop time
---@field connect_timeout? number real seconds
---@field cookie? string    further cookies, as in a Cookie header
---@field proxy? string|false
---@field tls? strobe.TlsOptions
---@field unix? string      path of a socket
---@field http2 boolean
---@field session strobe.http.Session

---@class strobe.http.Answer what it returns
---@field status integer
---@field reason? string
---@field version? string "1.1"
---@field headers? table<string, string|string[]> names in lower case, or as they are
---@field head? string    the head as it came, instead of them
---@field body? string|fun(): string? whole, or in pieces
---@field source? {read: fun(self, most: integer, deadline?: number): string?, close: fun(self)} instead of a body

local wire = require "strobe.http.wire"

local transport = {}

---@alias strobe.http.Send fun(request: strobe.http.Outgoing): strobe.http.Answer?, string?, string?
---@alias strobe.http.Transport fun(request: strobe.http.Outgoing, next: strobe.http.Send): strobe.http.Answer?

---@type strobe.http.Transport[] the last is asked first
local stack = { wire.send }

local function send_at(level, request)
  return stack[level](request, function(passed)
    return send_at(level - 1, passed)
  end)
end

--- Puts a transport above the others, until it is closed; those of all tasks go through it.
---@param f strobe.http.Transport
---@return table pushed a `<close>` value; `:close()` twice is harmless
function transport.push(f)
  local function remove()
    for i = #stack, 2, -1 do
      if stack[i] == f then
        table.remove(stack, i)
        return
      end
    end
  end
  local pushed = setmetatable({ close = remove }, { __close = remove })
  stack[#stack + 1] = f -- last: without memory for the way back there is none to it
  return pushed
end

--- Carries out one request: no redirect, no retry.
---@async
---@param request strobe.http.Outgoing
---@return strobe.http.Answer?
---@return string? message
---@return string? code
function transport.send(request)
  if #stack == 1 then
    return wire.send(request)
  end
  return send_at(#stack, request)
end

--- A body as a whole: what is in pieces is read.
---@async
---@param body? string|fun(): string?
---@return string
function transport.whole_body(body)
  if type(body) == "string" or body == nil then
    return body or ""
  end
  local pieces = {}
  for piece in body do
    pieces[#pieces + 1] = piece
  end
  return table.concat(pieces)
end

return transport
