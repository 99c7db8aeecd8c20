--- A client's connection to our server: its requests, one after the other, and their answers in order.
--
-- No request is read while the one before is being answered. Each phase has its time: the whole head,
-- each wait for some of a body, the pause between two requests, each wait until the client takes more.

local answer = require "strobe.http.answer"
local core = require "strobe.core.http"
local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"
local http_error = require "strobe.http.error"
local time = require "strobe.core.time"
local Request = require "strobe.http.request"

-- What a client sends on, of a body that nobody reads, before we hang up.
local MOST_DRAINED = 64 * 1024
-- Seconds in which a client may send on what nobody reads, and seconds without any of that, before we close: until
-- it has read why it was refused, as unread bytes would make the system take the answer back. nginx's lingering_time
-- and lingering_timeout; who hands on a body of many megabytes sends it whole before it reads.
local LINGER, LINGER_IDLE = 30, 2
-- A body up to that goes out with its head, in one write.
local SMALL = 16 * 1024
local CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n"

---@class strobe.http.ServerConnection
---@field private stream strobe.Connection
---@field private parser userdata
---@field private limits strobe.http.Limits
---@field private service strobe.http.Service
---@field idle boolean whether it waits for a request
---@field closing boolean whether the next answer is the last
---@field private body "none"|"waiting"|"coming"|"whole" of the request at hand; waiting: for our 100
---@field private got integer bytes of it
---@field private most number bytes of it that are read
---@field private deadline? number of the head at hand
---@field private failure? strobe.http.HTTPException why it will not come
local Connection = {}
Connection.__index = Connection

---@class strobe.http.Limits seconds and bytes
---@field head_timeout number
---@field body_timeout number
---@field keep_alive_timeout number
---@field write_timeout number
---@field max_body number

---@class strobe.http.Service what all connections of a server share
---@field handler function
---@field limits strobe.http.Limits
---@field scheme "http"|"https"
---@field refused integer clients whose request no handler saw

---@param stream strobe.Connection
---@param service strobe.http.Service
---@return strobe.http.ServerConnection? connection nil without memory
function Connection.new(stream, service)
  local parser = core.parser "requests"
  return parser and setmetatable({
    stream = stream, parser = parser, service = service, limits = service.limits, idle = false, closing = false,
    body = "none", got = 0, most = 0,
  }, Connection)
end

-- --- Reading ---------------------------------------------------------------------------------

-- Waits for more, and feeds the parser: true; false at the end; nil, message, code.
local function feed(connection, seconds)
  local stream = connection.stream
  stream:set_timeout(seconds)
  local bytes, message, code = stream:read()
  if not bytes then
    return nil, message, code
  elseif bytes == "" then
    return false
  end
  connection.parser:feed(bytes)
  return true
end

-- Seconds the next read of a head may take: the first byte of a later request has longer. None when
-- the time is up.
local function head_time(connection, first)
  local limits = connection.limits
  if not first and connection.parser:idle() then
    return limits.keep_alive_timeout
  end
  local now = time.now()
  connection.deadline = connection.deadline or now + limits.head_timeout
  return connection.deadline > now and connection.deadline - now or nil
end

-- Waits for more of a head: true; false at the end or when the time is up.
local function feed_head(connection, first)
  local seconds = head_time(connection, first)
  if not seconds then
    return false, "ETIMEDOUT"
  end
  connection.idle = connection.parser:idle()
  local fed, _, code = feed(connection, seconds)
  connection.idle = false
  return fed, code
end

-- The next head; nil when there will be none, and what to answer to that, if anything.
local function read_head(connection, first)
  local parser = connection.parser
  connection.deadline = nil
  local kind, value, status = parser:next()
  while not kind do
    local fed, code = feed_head(connection, first)
    if fed then
      kind, value, status = parser:next()
    elseif parser:idle() then
      return nil
    elseif code == "ETIMEDOUT" then
      return nil, 408, "the request's head took too long"
    elseif fed == nil then
      return nil
    else
      kind, value, status = parser:finish()
    end
  end
  if kind == "head" then
    return value
  end
  return nil, status, value
end

local function fail(connection, status, message, code)
  connection.failure, connection.code = http_error.new(status, message), code
  return nil, connection.failure, code
end

-- Why no more of the body came.
local function fail_reading(connection, fed, message, code)
  if code == "ETIMEDOUT" then
    return fail(connection, 408, "the request's body took too long", code)
  elseif fed == false then
    return fail(connection, 400, "the client has gone before its request's body was whole", "ECONNRESET")
  end
  return fail(connection, 400, message, code)
end

-- What the parser has of a body: as next_piece; nothing when it has to be fed.
local function parsed_piece(connection)
  local kind, value, status = connection.parser:next()
  if kind == "body" then
    connection.got = connection.got + #value
    if connection.got > connection.most then
      return true, fail(connection, 413, ("a body of more than %d bytes"):format(connection.most), "EMSGSIZE")
    end
    return true, value
  elseif kind == "end" then
    connection.body = "whole"
    return true, nil
  elseif kind then
    return true, fail(connection, status, value, "EPROTO")
  end
  return false
end

-- Tells a client that it may send the body.
local function invite(connection)
  connection.body = "coming"
  connection.stream:send(CONTINUE)
end

--- The next piece of the request's body; nil at its end. For strobe.http.Request.
---@async
---@return string?
---@return strobe.http.HTTPException? e
---@return string? code
function Connection:next_piece()
  if self.failure then
    return nil, self.failure, self.code
  elseif self.body == "none" then
    return fail(self, 400, "this request was answered already", "ECANCELED")
  elseif self.body == "waiting" then
    invite(self)
  end
  while self.body == "coming" do
    local found, bytes, e, code = parsed_piece(self)
    if found then
      return bytes, e, code
    end
    local fed, message
    fed, message, code = feed(self, self.limits.body_timeout)
    if not fed then
      return fail_reading(self, fed, message, code)
    end
  end
  return nil
end

-- Reads what the handler has left of the body, if that is little: whether the link can stay.
local function drain(connection)
  connection.most = connection.got + MOST_DRAINED
  while connection.body == "coming" do
    if select(2, connection:next_piece()) then
      return false
    end
  end
  return connection.body == "whole"
end

-- --- Writing ---------------------------------------------------------------------------------

-- Sends bytes, and waits as long as the client takes some now and then.
local function write(connection, bytes)
  local stream = connection.stream
  local ok, message, code = stream:send(bytes)
  if not ok then
    return nil, message, code
  end
  local _, queued = stream:buffered()
  if queued == 0 then
    return true
  end
  stream:set_timeout(connection.limits.write_timeout)
  while true do
    ok, message, code = stream:drain()
    local _, left = stream:buffered()
    if ok or code ~= "ETIMEDOUT" or left >= queued then
      return ok, message, code
    end
    queued = left
  end
end

-- How long a client whose connection ends may go on: while it has something to read, and then.
local function lingering(connection, queued)
  if queued > 0 then
    return connection.limits.write_timeout, connection.limits.write_timeout
  end
  return LINGER, LINGER_IDLE
end

--- Lets the client read what was sent last, before it is closed: our side ends first, then its own, within a
--- time in which it takes nothing. RFC 9112, section 9.6
---@async
function Connection:hang_up()
  local stream = self.stream
  stream:shutdown()
  local _, queued = stream:buffered()
  local longest, idle = lingering(self, queued)
  local deadline = time.now() + longest
  while time.now() < deadline do
    stream:set_timeout(math.min(idle, deadline - time.now()))
    local bytes, _, code = stream:read()
    local _, left = stream:buffered()
    if bytes == "" or not bytes and (code ~= "ETIMEDOUT" or left >= queued) then
      return
    elseif left < queued then
      longest, idle = lingering(self, left)
      deadline = time.now() + longest
    end
    queued = left
  end
end

-- --- An exchange -----------------------------------------------------------------------------

-- What an error of the handler answers; the error itself when the handler was cancelled.
local function answer_of_error(request, e, trace)
  if errors.is(e, http_error.HTTPException) and e.status then
    return e.status, e.headers, e.message .. "\n"
  end
  core_error.report { message = ("error in the handler of %s %s\n%s"):format(request.method, request.path, trace) }
  return 500, nil, "internal error\n"
end

-- Calls the handler: status, headers, body.
local function handle(connection, request)
  local trace
  local ok, status, headers, body = xpcall(connection.service.handler, function(e)
    if not errors.is(e, errors.CancelledError) and not errors.is(e, http_error.HTTPException) then
      trace = debug.traceback(tostring(e), 2)
    end
    return e
  end, request)
  local failure = connection.failure
  if not ok and errors.is(status, errors.CancelledError) then
    error(status, 0)
  elseif failure and not (ok and math.type(status) == "integer" and status >= 400) then
    return failure.status, nil, failure.message .. "\n" -- the handler has seen a part of a request
  elseif ok then
    return status, headers, body
  end
  return answer_of_error(request, status, trace or tostring(status)) -- no handler is called without memory
end

-- The answer; one of 500 when the handler returned none.
local function make(connection, request, status, headers, body)
  local stays = request.keep_alive and not connection.closing and not connection.failure
    and connection.body ~= "waiting"
    and (request.content_length or 0) - connection.got <= MOST_DRAINED
  local ok, made = pcall(answer.new, request, stays, status, headers, body)
  if ok then
    return made
  end
  return answer.new(request, stays, answer_of_error(request, made, tostring(made)))
end

-- What a handler has returned as a body, if it is to be closed.
local function closable(body)
  local meta = getmetatable(body)
  return type(body) ~= "string" and type(meta) == "table" and meta.__close and body or nil
end

-- Sends the answer: true; false when the connection is of no use any more.
local function respond(connection, request, made)
  if type(made.body) == "string" and #made.body <= SMALL then
    return write(connection, made.head .. made.body)
  end
  local ok, sent = xpcall(answer.send, function(e)
    if not errors.is(e, errors.CancelledError) then
      answer_of_error(request, e, debug.traceback(tostring(e), 2))
    end
    return e
  end, made, function(bytes)
    return write(connection, bytes)
  end)
  if not ok and errors.is(sent, errors.CancelledError) then
    error(sent, 0)
  end
  return ok and sent or false
end

-- Gives the stream to another protocol, with what the client has sent for it already: returns what is to take it.
local function switch(connection, headers, take)
  local stream = connection.stream
  local rest = connection.parser:take()
  if write(connection, answer.switch(headers)) and stream:unread(rest) then
    stream:set_timeout(nil)
    return take
  end
end

-- Makes the answer, after whose head a 100 would be a part of it: who reads the body while it answers has to
-- have the client send it before; what was waiting still is not read any more. RFC 9110, section 15.2
local function settle(connection, request, status, headers, body)
  local reads_on = answer.is_producer(body) and math.type(status) == "integer" and status < 400
  if connection.body == "waiting" and reads_on then
    invite(connection)
  end
  local made = make(connection, request, status, headers, body)
  if connection.body == "waiting" then
    connection.body = "none"
  end
  return made
end

-- One request and its answer: whether the connection goes on; nil when it does not and is not to be ended in order:
-- it is broken, or for what is returned next to take over.
local function exchange(connection, request)
  local status, headers, body = handle(connection, request)
  if status == 101 then
    request.exchange, request.stream = nil, nil
    return nil, switch(connection, headers, body)
  end
  local guard <close> = closable(body) -- luacheck: ignore
  local made = settle(connection, request, status, headers, body)
  if not respond(connection, request, made) then
    connection.stream:abort()
    return nil
  end
  return made.keep_alive and drain(connection)
end

-- What there is to say against a request before its handler sees it.
local function objection(connection, request)
  local expect = request.headers.expect
  if expect and expect:lower() ~= "100-continue" then
    return 417, "Expect: only 100-continue is known"
  elseif (request.content_length or 0) > connection.limits.max_body then
    return 413, ("a body of more than %d bytes"):format(connection.limits.max_body)
  elseif request.method == "CONNECT" then
    return 501, "this is no proxy"
  end
end

-- Makes the request at hand of a head; nil, status, text when it is refused.
local function begin(connection, head)
  connection.got, connection.failure, connection.code = 0, nil, nil
  connection.body, connection.most = "coming", connection.limits.max_body
  local status, text = objection(connection, head)
  if status then
    return nil, status, text
  end
  local request = Request.new(head, connection, connection.stream, connection.service.scheme)
  if not request then
    return nil, 400, "a target that begins with / expected"
  end
  local has_content = (head.content_length or 0) > 0 or head.headers["transfer-encoding"]
  if head.headers.expect and head.version == "1.1" and has_content then
    connection.body = "waiting"
  end
  return request
end

--- Serves it until one side ends it. The caller closes the stream afterwards, or calls what is returned with it.
---@async
---@return fun(stream: strobe.Connection)? take what speaks another protocol on it
function Connection:run()
  local first = true
  while true do
    local request, status, text = read_head(self, first)
    if request then
      request, status, text = begin(self, request)
    end
    if not request then
      if status then
        self.service.refused = self.service.refused + 1
        write(self, answer.refusal(status, text))
        self:hang_up()
      end
      return nil
    end
    local goes_on, take = exchange(self, request)
    self.body = "none"
    if not goes_on then
      if goes_on == false then
        self:hang_up()
      end
      return take
    end
    first = false
  end
end

return Connection
