--- What a server answered: requests.Response.
--
-- A response that was asked for whole has its `body`. One that streams (`stream = true`) is open: its body comes by
-- `:chunks()` or `:read()`, and it is to be closed, by hand, as a `<close>` value, or by reading to the end.

local errors = require "strobe.async.error"
local json = require "strobe.json"
local time = require "strobe.core.time"
local transport = require "strobe.http.transport"

local PIECE = 64 * 1024

--- What raise_for_status raises: has `status` and `response`.
local HTTPError = require("strobe.core.error").class("HTTPError", errors.ConnectionError)

---@class strobe.http.Response what a request returns
---@field status integer
---@field reason string   "" in HTTP/2
---@field version string  "1.0", "1.1" or "2"
---@field headers table<string, string> names in lower case; fields that came several times are joined by ", "
---@field headers_list {[1]: string, [2]: string}[] name and value of each field as it came
---@field cookies table<string, string> those which this response sets
---@field ok boolean      the status is below 400
---@field url string      what was asked for last
---@field method string   how
---@field body? string    decoded; nil when it streams
---@field history {status: integer, url: string, location: string}[] the redirects on the way
---@field private source? table
local Response = {}
Response.__name = "response"

local response = { HTTPError = HTTPError }

-- name, value of each line behind the status line.
local function fields_of(head)
  local list = {}
  for name, value in head:gmatch "\n([^\r\n:]+):[ \t]*([^\r\n]*)" do
    list[#list + 1] = { name, (value:gsub("[ \t]+$", "")) }
  end
  return list
end

-- Made when somebody looks.
local lazy = {}

function lazy.headers_list(self)
  return fields_of(rawget(self, "head") or "")
end

function lazy.cookies(self)
  local cookies = {}
  for _, field in ipairs(self.headers_list) do
    if field[1]:lower() == "set-cookie" then
      local name, value = field[2]:match "^%s*([^=;]+)=([^;]*)"
      if name then
        cookies[name] = value:match '^"(.*)"$' or value
      end
    end
  end
  return cookies
end

function Response:__index(key)
  local method = Response[key]
  if method ~= nil then
    return method
  end
  local make = lazy[key]
  if make then
    local value = make(self)
    rawset(self, key, value)
    return value
  end
end

-- A transport of the user may give headers in any case, and several values: both forms of that.
local function normalize(answer)
  local headers, lines = {}, { "" }
  for name, values in pairs(answer.headers or {}) do
    local list = type(values) == "table" and values or { values }
    local texts = {}
    for i, value in ipairs(list) do
      texts[i] = tostring(value)
      lines[#lines + 1] = ("%s: %s"):format(name, texts[i])
    end
    headers[name:lower()] = table.concat(texts, ", ")
  end
  answer.headers, answer.head = headers, table.concat(lines, "\n")
end

--- Brings an answer of any transport into one form.
---@param answer strobe.http.Answer
---@return strobe.http.Answer the same
function response.complete(answer)
  if not answer.head then
    normalize(answer)
  end
  return answer
end

-- A body that a transport of the user gave, as a source.
local function source_of(body)
  local rest = type(body) == "string" and body or ""
  local next_piece = type(body) == "string" and function() end or body
  return {
    read = function(_, most)
      while rest == "" do
        local piece = next_piece()
        if not piece then
          return ""
        end
        rest = piece
      end
      local piece = rest:sub(1, most)
      rest = rest:sub(most + 1)
      return piece
    end,
    close = function()
      next_piece, rest = function() end, ""
    end,
  }
end

--- Makes a response of an answer.
---@async
---@param request strobe.http.Outgoing
---@param answer strobe.http.Answer
---@param history table[]
---@return strobe.http.Response
function response.new(request, answer, history)
  return setmetatable({
    status = answer.status,
    reason = answer.reason or "",
    version = answer.version or "1.1",
    headers = answer.headers,
    head = answer.head,
    ok = answer.status < 400,
    url = request.url,
    method = request.method,
    history = history,
    timeout = request.timeout,
    body = not request.stream and transport.whole_body(answer.body) or nil,
    source = request.stream and (answer.source or source_of(answer.body or "")) or nil,
  }, Response)
end

--- The next piece of a body that streams; "" at its end. Waits at most `timeout` seconds of the request.
---@async
---@param most? integer bytes, at most (64 KiB)
---@return string? piece
---@return string? message
---@return string? code "EOF" when the body was cut short, "ETIMEDOUT", "EMSGSIZE", "ECANCELED" when closed
function Response:read(most)
  local source = self.source
  if not source then
    error("response:read: the body was read already, as a whole: ask with stream = true", 2)
  end
  local deadline = self.timeout and self.timeout < math.huge and time.now() + self.timeout or nil
  local piece, message, code = source:read(most or PIECE, deadline)
  if piece and piece ~= "" then
    return piece
  end
  source:close() -- the end, or what will not get better
  if piece then
    self.source = source_of ""
    return ""
  elseif code == "ETIMEDOUT" then
    message = ("no further piece of the body within %g s"):format(self.timeout)
  end
  return nil, ("http.%s %s: %s"):format(self.method:lower(), self.url, message), code
end

--- Iterates over the body: `for piece in response:chunks() do`. A failure on the way is raised, as the loop could
--- not tell it from the end: a ConnectionError with `code`. Leaving the loop closes the response. aiohttp:
--- iter_chunked
---@async
---@param most? integer bytes of a piece, at most (64 KiB)
---@return fun(): string?
function Response:chunks(most)
  if self.body then
    local source = source_of(self.body)
    return function()
      local piece = source:read(most or PIECE)
      return piece ~= "" and piece or nil
    end
  end
  return function()
    local piece, message, code = self:read(most)
    if not piece then
      local e = errors.ConnectionError(message)
      e.code = code
      error(e, 0)
    end
    return piece ~= "" and piece or nil
  end, nil, nil, setmetatable({}, {
    __close = function()
      self:close()
    end,
  })
end

--- The body as a whole; of a response that streams, what is left of it.
---@async
---@return string? text bytes as they came, whatever their charset
---@return string? message
---@return string? code
function Response:text()
  if self.body then
    return self.body
  end
  local pieces = {}
  while true do
    local piece, message, code = self:read()
    if not piece then
      return nil, message, code
    elseif piece == "" then
      return table.concat(pieces)
    end
    pieces[#pieces + 1] = piece
  end
end

--- The body, decoded as JSON; JSON null is json.null.
---@async
---@return any value
---@return string? message
---@return string? code "EBADMSG" when it is no JSON
function Response:json()
  local text, message, code = self:text()
  if not text then
    return nil, message, code
  end
  local value
  value, message, code = json.decode(text)
  if value == nil then
    return nil, ("http.%s %s: %s: %s"):format(self.method:lower(), self.url, message,
      (text:sub(1, 40):gsub("%c", " "))), code
  end
  return value
end

--- Raises http.HTTPError for a status of 400 or above; returns the response otherwise.
---@return strobe.http.Response self
function Response:raise_for_status()
  if self.ok then
    return self
  end
  local e = HTTPError(("%d %s for %s %s"):format(self.status, self.reason, self.method, self.url))
  e.status, e.response = self.status, self
  error(e, 2)
end

--- Closes a response that streams: what is left of it is not read. Twice is harmless.
function Response:close()
  if self.source then
    self.source:close()
  end
end

Response.__close = Response.close

function Response:__tostring()
  return ("<response %d %s>"):format(self.status, self.url)
end

return response
