--- A client of the attach socket: asks, and gets answers in whatever order they come, and events in between.

local contexts = require "strobe.async.context"
local core_future = require "strobe.core.future"
local directory = require "strobe.attach.directory"
local Event = require("strobe.async.event").Event
local mistake = require "strobe.mistake"
local net = require "strobe.net"
local protocol = require "strobe.attach.protocol"
local tasks = require "strobe.async.task"
local timeouts = require "strobe.async.timeout"
local uv = require "luv"

-- Seconds to wait for hello, and until an eval must have been interrupted.
local PATIENCE, INTERRUPT_WITHIN = 5, 2

---@class strobe.attach.ClientOptions
---@field timeout? number seconds until the process must have said hello (5)
---@field on_event? fun(event: table) gets what the process says unasked: out, tail, dropped, bye, …

---@class strobe.attach.Client a `<close>` value
---@field pid integer of the process
---@field hello table what it said first: {protocol, strobe, pid, ceiling, units}
---@field ended? string why no more comes
---@field private stream strobe.Connection
---@field private waiting table<integer, strobe.Future> for answers
local Client = {}
Client.__index = Client
Client.__name = "attach client"

local clients = {}

-- --- Reading -----------------------------------------------------------------------------------

local function take_event(client, message)
  if message.ev == "hello" then
    client.hello = message
    client.greeted:set()
  elseif message.ev == "bye" then
    client.ended = message.error or "the process ends"
  end
  if client.options.on_event then
    client.options.on_event(message)
  end
end

local function take(client, message)
  local future = message.ev == nil and client.waiting[message.id]
  if future then
    client.waiting[message.id] = nil
    if not future:done() then
      future:set_result(message)
    end
  elseif message.ev then
    take_event(client, message)
  elseif message.ok == false then -- to nobody: what we sent was no request
    client.ended = message.error or message.code
  end
end

local function read(client)
  local decoder = protocol.Decoder()
  while true do
    local bytes, problem = client.stream:read()
    if not bytes or bytes == "" then
      return problem
    end
    local messages
    messages, problem = decoder:feed(bytes)
    for _, message in ipairs(messages) do
      take(client, message)
    end
    if problem then
      return "it sends what is none of the protocol: " .. problem
    end
  end
end

-- Nobody waits in vain.
local function finish(client, why)
  client.ended = client.ended or why or "the connection has ended"
  client.over = true
  client.greeted:set()
  for _, future in pairs(client.waiting) do
    if not future:done() then
      future:set_result(false)
    end
  end
  client.waiting = {}
end

-- --- Connecting --------------------------------------------------------------------------------

-- It is whom we would trust with what we type.
local function check_peer(stream, path)
  local pid, uid, code = net.credentials(stream)
  if not pid then
    return nil, uid, code
  elseif uid ~= uv.getuid() and uv.getuid() ~= 0 then
    return nil, ("%s belongs to a process of user %d"):format(path, uid), "EPERM"
  end
  return true
end

local function busy(pid, seconds)
  local text = "process %d does not answer within %g s; 'strobe dump %d' lets it print what it does"
  return nil, text:format(pid, seconds, pid), "ETIMEDOUT"
end

-- Closes a connection that nobody gets.
local Guard = {
  __close = function(guard)
    if guard.client then
      guard.client:close()
    end
  end,
}

local function greet(client, patience)
  local guard <close> = setmetatable({ client = client }, Guard)
  client.reader = contexts.Context():run(tasks.create_task, function()
    finish(client, read(client))
  end)
  client.reader:set_name(("attach client of %d"):format(client.pid))
  local in_time = timeouts.move_on_after(patience, client.greeted.wait, client.greeted)
  if not in_time then
    return busy(client.pid, patience)
  elseif not client.hello then
    return nil, ("process %d: %s"):format(client.pid, client.ended), "ECONNRESET"
  end
  guard.client = nil
  return client
end

--- Connects to a process; see attach.connect.
---@async
---@param pid integer
---@param options? strobe.attach.ClientOptions
---@return strobe.attach.Client?
---@return string? message
---@return string? code "ESRCH", "ETIMEDOUT", "EPERM", "ECONNRESET"
function clients.connect(pid, options)
  options = mistake.options("attach.connect", options)
  local patience = options.timeout or PATIENCE
  mistake.expect("attach.connect", "pid", "number", pid)
  local stream, path, code = directory.reach(pid, patience)
  if code == "ETIMEDOUT" then
    return busy(pid, patience)
  elseif not stream then
    return nil, path, code
  end
  local trusted, message
  trusted, message, code = check_peer(stream, path)
  if not trusted then
    stream:abort()
    return nil, message, code
  end
  local client = setmetatable({
    pid = pid, stream = stream, options = options, waiting = {}, last = 0, greeted = Event(),
  }, Client)
  return greet(client, patience)
end

-- --- Asking ------------------------------------------------------------------------------------

--- Asks for an operation and does not wait. The future's result is the answer as it came, or false when none will.
---@param op string
---@param fields? table
---@return strobe.Future
---@return integer id
function Client:send(op, fields)
  local request = { op = op }
  for key, value in pairs(fields or {}) do
    request[key] = value
  end
  self.last = self.last + 1
  request.id = self.last
  local line, problem = protocol.encode(request)
  if not line then
    error(("client:send: %s: %s"):format(op, problem), 2)
  end
  local future = core_future.new()
  if self.over or not self.stream:send(line) then
    future:set_result(false)
  else
    self.waiting[request.id] = future
  end
  return future, request.id
end

--- Asks for an operation, and waits for its answer.
---@async
---@param op string
---@param fields? table
---@param timeout? number seconds
---@return table? answer
---@return string? message
---@return string? code "ETIMEDOUT", "ECONNRESET" when the process has ended, else one of the protocol's
---@return table? refused the whole answer
function Client:call(op, fields, timeout)
  local future, id = self:send(op, fields)
  local answer
  if timeout then
    local in_time
    in_time, answer = timeouts.move_on_after(timeout, future.await, future)
    if not in_time then
      self.waiting[id] = nil
      return busy(self.pid, timeout)
    end
  else
    answer = future:await()
  end
  if not answer then
    return nil, ("process %d: %s"):format(self.pid, self.ended or "the connection was closed"), "ECONNRESET"
  end
  return protocol.results(answer)
end

--- Interrupts an eval.
---@async
---@param id integer of the request
---@return table? answer
---@return string? message
---@return string? code "ETIMEDOUT" when the process does not answer within 2 s, "not_found" when that eval has ended
function Client:interrupt(id)
  return self:call("interrupt", { target = id }, INTERRUPT_WITHIN)
end

--- Waits until no more comes.
---@async
---@return string why
function Client:wait_end()
  tasks.wait { self.reader }
  return self.ended
end

--- Ends the connection. Closing twice is harmless.
---@async
function Client:close()
  self.stream:abort()
  if not self.reader:done() then
    tasks.wait { self.reader }
  end
end

Client.__close = Client.close

return clients
