--- A client at the server's side: its requests come in as lines, answers and events go out.
--
-- What it does not read is queued, to 1 MiB. Beyond that events are dropped and counted, and an answer that has no room
-- closes the connection: a slow client never holds up the process.

local errors = require "strobe.async.error"
local protocol = require "strobe.attach.protocol"
local Slice = require "strobe.attach.slice"
local tasks = require "strobe.async.task"
local timeouts = require "strobe.async.timeout"

-- Bytes that may wait for the client; requests at work at once; seconds for the last bytes to go out.
local MOST_QUEUED, MOST_CALLS, LAST_WORDS = 1024 * 1024, 32, 1

---@class strobe.attach.Connection
---@field dropped integer events since the last that was told
---@field session strobe.attach.Session
---@field private stream strobe.Connection
---@field private calls table<strobe.Task, true>
local Connection = {}
Connection.__index = Connection
Connection.__name = "attach connection"

--- Makes one.
---@param stream strobe.Connection
---@return strobe.attach.Connection
function Connection.new(stream)
  return setmetatable({ stream = stream, dropped = 0, calls = {}, count = 0 }, Connection)
end

-- --- Writing -----------------------------------------------------------------------------------

local function has_room(connection, line)
  local _, queued = connection.stream:buffered()
  return queued + #line <= MOST_QUEUED
end

local function send(connection, line)
  if connection.dropped > 0 then
    line = protocol.encode { ev = "dropped", n = connection.dropped } .. line
    connection.dropped = 0
  end
  return (connection.stream:send(line))
end

--- Sends an event, or drops and counts it.
---@param message table
---@return boolean sent
function Connection:push(message)
  local line = protocol.encode(message)
  if not line or self.stream:is_closing() or not has_room(self, line) then
    self.dropped = self.dropped + 1
    return false
  end
  return send(self, line) == true
end

--- Sends an answer. If there is no room for it the connection closes.
---@async
---@param id integer|string|nil
---@param answer table
function Connection:reply(id, answer)
  answer.id = id
  local slice = Slice.new()
  local line, problem = protocol.encode(answer, function()
    slice:rest()
  end)
  line = line or protocol.encode {
    id = id, ok = false, code = "error", error = "the answer cannot be sent: " .. problem,
  }
  if self.stream:is_closing() then
    return
  elseif not has_room(self, line) then
    self.overflown = true
    self.stream:abort()
  else
    send(self, line)
  end
end

-- --- Reading -----------------------------------------------------------------------------------

local function call(connection, id, op, request)
  local ok, answer = pcall(connection.session.perform, connection.session, op, request)
  if ok then
    connection:reply(id, answer)
  elseif errors.is(answer, errors.CancelledError) then
    if not connection.closing then
      connection:reply(id, { ok = false, code = "interrupted", error = tostring(answer) })
    end
    error(answer, 0)
  end
end

-- In a task of its own, which ends with the connection.
local function begin_call(connection, id, op, request)
  if connection.count >= MOST_CALLS then
    local text = "%d requests are at work already: wait for one of them"
    connection:reply(id, { ok = false, code = "too_many", error = text:format(MOST_CALLS) })
    return
  end
  local task = tasks.create_task(call, connection, id, op, request)
  task:set_name(("attach %d %s"):format(connection.session.number, op))
  connection.calls[task], connection.count = true, connection.count + 1
  task:add_done_callback(function()
    connection.calls[task], connection.count = nil, connection.count - 1
  end)
end

local function take(connection, message)
  local id, op, problem = protocol.request(message)
  if problem then
    connection:reply(id, { ok = false, code = "bad_request", error = problem })
  elseif connection.session:waits(op) then
    begin_call(connection, id, op, message)
  else
    call(connection, id, op, message)
  end
  return id ~= nil
end

-- False when the connection is to end.
local function take_all(connection, messages, slice)
  for _, message in ipairs(messages) do
    slice:rest()
    if not take(connection, message) or connection.stream:is_closing() then
      return false
    end
  end
  return true
end

--- Answers requests until the client ends, or sends what is none.
---@async
function Connection:run()
  local decoder, slice = protocol.Decoder(), Slice.new()
  while true do
    local bytes = self.stream:read()
    if not bytes or bytes == "" then
      return
    end
    local messages, problem = decoder:feed(bytes)
    if not take_all(self, messages, slice) then
      return
    elseif problem then
      self:reply(nil, { ok = false, code = "bad_request", error = problem })
      return
    end
  end
end

--- Ends it: what it has asked for and still waits is cancelled. What is queued has a second to go out.
---@async
function Connection:close()
  self.closing = true
  local list = {}
  for task in pairs(self.calls) do
    list[#list + 1] = task
  end
  self.stream:close()
  if #list > 0 then
    tasks.cancel_and_wait(list)
  end
  if not timeouts.move_on_after(LAST_WORDS, self.stream.wait_closed, self.stream) then
    self.stream:abort()
  end
end

return Connection
