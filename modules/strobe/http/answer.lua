--- What a handler returns, as bytes on the connection: status, headers, body. RFC 9112, sections 4 to 7
--
-- A body is nothing, a string, a table, which goes as JSON, or what is called for one piece after another
-- (a function, a generator, …) until it returns nil. Its length is told when it is known, else it goes in
-- chunks; to an HTTP/1.0 client it then ends with the connection.

local dates = require "strobe.http.date"
local fields = require "strobe.http.fields"
local json = require "strobe.json"
local reasons = require "strobe.http.status"
local time = require "strobe.core.time"

local TEXT, JSON = "text/plain; charset=utf-8", "application/json"

local answer = {}

local date_second, date_text

-- The Date field, which is made once a second, and the head's end.
local function date()
  local second = math.floor(time.wall())
  if second ~= date_second then
    date_second, date_text = second, "Date: " .. dates.format(second) .. "\r\n\r\n"
  end
  return date_text
end

-- The first lines of heads, by status.
local first_lines = setmetatable({}, {
  __index = function(lines, status)
    lines[status] = ("HTTP/1.1 %d %s\r\n"):format(status, reasons[status] or "")
    return lines[status]
  end,
})

-- These end with their head, whatever that says.
local function has_no_body(status)
  return status < 200 or status == 204 or status == 304
end

-- What a handler says of what is the server's business: length, type, and whether the connection stays.
local function find_own(headers)
  local length, has_type, closes
  for name, value in pairs(headers) do
    local lower = fields.lower(name)
    if lower == "transfer-encoding" or lower == "keep-alive" then
      error(("a handler's headers: %s is the server's to say"):format(name), 0)
    elseif lower == "content-length" then
      length = math.tointeger(tonumber(value))
      if not length or length < 0 then
        error(("a handler's headers: Content-Length: a size expected, got %s"):format(tostring(value)), 0)
      end
    elseif lower == "content-type" then
      has_type = true
    elseif lower == "connection" then
      closes = fields.has_word(tostring(value), "close")
    end
  end
  return length, has_type, closes
end

--- Whether a body is asked for its pieces while it is sent.
---@param body any what a handler returned
---@return boolean
function answer.is_producer(body)
  if type(body) == "function" then
    return true
  end
  local meta = getmetatable(body)
  return type(meta) == "table" and meta.__call ~= nil
end

-- The body as a string, a producer or nil, and its media type.
local function body_of(body)
  if body == nil or type(body) == "string" then
    return body, TEXT
  elseif answer.is_producer(body) then
    return body
  elseif type(body) == "table" then
    local text, message = json.encode(body)
    return text or error("a handler's body: " .. message, 0), JSON
  end
  error(("a handler's body: nil, a string, a table or a function expected, got %s"):format(type(body)), 0)
end

local function check_status(status)
  if math.type(status) ~= "integer" or status < 200 or status > 599 then
    error(("a handler's status: a whole number from 200 to 599 expected, got %s"):format(tostring(status)), 0)
  end
end

-- How the body's end is told: a size, "chunked" or "close"; and the field for that.
local function frame(request, status, body, length)
  if has_no_body(status) then
    return 0, length and "Content-Length: " .. length .. "\r\n" or ""
  elseif type(body) == "string" then
    return #body, "Content-Length: " .. #body .. "\r\n"
  elseif length or body == nil then
    return length or 0, "Content-Length: " .. (length or 0) .. "\r\n"
  elseif request.version == "1.0" then
    return "close", ""
  end
  return "chunked", "Transfer-Encoding: chunked\r\n"
end

-- The field that says whether the connection stays, where that is not plain.
local function persistence(request, stays, closes)
  if not stays and closes == nil then
    return "Connection: close\r\n"
  end
  return stays and request.version == "1.0" and "Connection: keep-alive\r\n" or ""
end

---@class strobe.http.ServerAnswer what is to be sent
---@field head string
---@field body? string|function nil for HEAD too
---@field size integer|"chunked"|"close" how the body ends
---@field keep_alive boolean

--- Makes one of what a handler returned; raises what is wrong with that.
---@param request strobe.http.Request
---@param keep_alive boolean whether the connection could stay
---@param status integer
---@param headers? table<string, string|number|(string|number)[]>
---@param body? any
---@return strobe.http.ServerAnswer
function answer.new(request, keep_alive, status, headers, body)
  check_status(status)
  local text, kind = body_of(body)
  local length, has_type, closes, own = nil, false, nil, ""
  if headers then
    length, has_type, closes = find_own(headers)
    own = fields.text(headers, length and "content-length")
  end
  local size, framing = frame(request, status, text, length)
  local stays = keep_alive and not closes and size ~= "close"
  local media = text and kind and not has_type and "Content-Type: " .. kind .. "\r\n" or ""
  local sent = request.method ~= "HEAD" and not has_no_body(status)
  return {
    head = first_lines[status] .. own .. media .. framing .. persistence(request, stays, closes) .. date(),
    body = sent and text or nil,
    size = sent and size or 0,
    keep_alive = stays,
  }
end

--- The head of a 101, after which the connection speaks another protocol.
---@param headers table<string, string|number>
---@return string
function answer.switch(headers)
  return first_lines[101] .. fields.text(headers) .. "\r\n"
end

-- A piece of a body in chunks.
local function chunk(piece)
  return ("%x\r\n"):format(#piece) .. piece .. "\r\n"
end

-- Sends what a producer gives; the number of bytes. Nil, why when they cannot be sent.
local function send_pieces(made, write)
  local left = math.type(made.size) == "integer" and made.size or math.huge
  local chunked = made.size == "chunked"
  for piece in made.body do
    if type(piece) ~= "string" then
      error(("a handler's body: a string or nil expected from it, got %s"):format(type(piece)), 0)
    end
    left = left - #piece
    if left < 0 then
      error("a handler's body: it is longer than its Content-Length says", 0)
    elseif piece ~= "" then
      local ok, message, code = write(chunked and chunk(piece) or piece)
      if not ok then
        return nil, message, code
      end
    end
  end
  if left > 0 and left < math.huge then
    error(("a handler's body: it ended %d bytes before its Content-Length"):format(left), 0)
  end
  return not chunked or write "0\r\n\r\n"
end

--- Sends it. Raises what its body raises.
---@async
---@param made strobe.http.ServerAnswer
---@param write fun(bytes: string): true?, string?, string?
---@return true?
---@return string? message
---@return string? code
function answer.send(made, write)
  local body = made.body
  local ok, message, code = write(made.head)
  if not ok or not body then
    return ok, message, code
  elseif type(body) == "string" then
    return write(body)
  end
  return send_pieces(made, write)
end

--- A whole answer to what was no request, after which the connection ends.
---@param status integer
---@param text string
---@return string bytes
function answer.refusal(status, text)
  local made = answer.new({ method = "GET", version = "1.1" }, false, status, nil, text .. "\n")
  return made.head .. made.body
end

return answer
