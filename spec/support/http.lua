--- HTTP in specs: a server's bare client, which sees every byte.

local net = require "strobe.net"
local serve = require("strobe.http").serve

local http = {
  GET = "GET / HTTP/1.1\nHost: x\n\n",
}

--- A server on a free port.
---@async
---@param handler function
---@param options? strobe.http.ServeOptions
---@return strobe.http.Server
function http.serve(handler, options)
  return assert(serve(handler, "127.0.0.1", 0, options))
end

--- A server whose answer is what f(request) returns as its text.
---@async
---@param f fun(request: strobe.http.Request): any
---@param options? strobe.http.ServeOptions
---@return strobe.http.Server
function http.telling(f, options)
  return http.serve(function(request)
    return 200, nil, tostring(f(request))
  end, options)
end

--- A connection to a server.
---@async
---@param server strobe.http.Server
---@return strobe.Connection
function http.connect(server)
  return assert(net.connect("127.0.0.1", server:port()))
end

--- Sends a request's text, in which each line end is one \n.
---@async
---@param conn strobe.Connection
---@param text string
function http.send(conn, text)
  assert(conn:write((text:gsub("\n", "\r\n"))))
end

-- A head's fields, lower-case.
local function read_fields(head)
  local headers = {}
  for name, value in head:gmatch "\r\n([^:\r\n]+): ([^\r\n]*)" do
    headers[name:lower()] = value
  end
  return headers
end

local function read_chunks(conn)
  local pieces = {}
  while true do
    local size = tonumber(assert(conn:read_until "\r\n"):match "^%x+", 16)
    local data = assert(conn:read_exactly(size))
    assert(conn:read_exactly(2) == "\r\n", "a chunk that does not end")
    if size == 0 then
      return table.concat(pieces), pieces
    end
    pieces[#pieces + 1] = data
  end
end

local function read_all(conn)
  local pieces = {}
  while true do
    local bytes = conn:read()
    if not bytes or bytes == "" then
      return table.concat(pieces)
    end
    pieces[#pieces + 1] = bytes
  end
end

--- Reads an answer.
---@async
---@param conn strobe.Connection
---@param method? string of what was asked; "HEAD" has no body
---@return {status: integer, head: string, headers: table, body: string, pieces: string[]?}? answer none at the end
function http.read(conn, method)
  local head = conn:read_until "\r\n\r\n"
  if not head then
    return nil
  end
  local answer = { head = head, status = tonumber(head:match "^HTTP/1.1 (%d%d%d) "), headers = read_fields(head) }
  local length = tonumber(answer.headers["content-length"])
  if method == "HEAD" or answer.status < 200 or answer.status == 204 or answer.status == 304 then
    answer.body = ""
  elseif answer.headers["transfer-encoding"] == "chunked" then
    answer.body, answer.pieces = read_chunks(conn)
  elseif length then
    answer.body = assert(conn:read_exactly(length))
  else
    answer.body = read_all(conn)
  end
  return answer
end

--- Sends a request's text on a connection of its own, and reads the answer.
---@async
---@param server strobe.http.Server
---@param text string as `send`
---@return table answer as `read`
function http.ask(server, text)
  local conn <close> = http.connect(server)
  http.send(conn, text)
  return assert(http.read(conn, text:match "^%u+"), "no answer")
end

--- All that comes until the end.
---@async
---@param server strobe.http.Server
---@param text string as `send`
---@return string
function http.ask_raw(server, text)
  local conn <close> = http.connect(server)
  http.send(conn, text)
  return read_all(conn)
end

http.read_all = read_all

return http
