--- A client of a board that `board:serve` serves: for tests and programs elsewhere.
--
--   local client <close> = assert(require("strobe.gpio.client").connect(remote.url))
--   client:call("button1", "press")
--   print(client:get("D13").level)

local Deque = require "strobe.async.deque"
local async = require "strobe.async"
local json = require "strobe.json"
local ws = require "strobe.ws"

local clients = {}

local MOST_EVENTS = 64 * 1024 -- kept until they are asked for; then the oldest go

---@class strobe.gpio.Client a `<close>` value
---@field overruns integer events that were lost here, because nobody asked for them
local Client = {}
Client.__index = Client
Client.__name = "gpio.Client"

local function keep_event(self, message)
  self.events:push(message)
  if self.events.count > MOST_EVENTS then
    self.events:shift()
    self.overruns = self.overruns + 1
  end
  self.news:set()
end

local function settle(future, message)
  if not future:done() then -- who asked may have been cancelled
    future:set_result(message)
  end
end

-- Hands each message to who waits for it, until the link ends.
local function run(self)
  for text in function() return (self.connection:recv()) end do
    local message = json.decode(text)
    local future = message and self.waiting[message.id]
    if future then
      self.waiting[message.id] = nil
      settle(future, message)
    elseif message then
      keep_event(self, message)
    end
  end
  self.ended = true
  for _, future in pairs(self.waiting) do
    settle(future, { ok = false, code = "ECONNRESET", error = "the board has closed the connection" })
  end
  self.news:set()
end

--- Connects.
---@async
---@param url string of the board's page, "http://127.0.0.1:8000/", or of its WebSocket
---@param options? strobe.ws.ConnectOptions
---@return strobe.gpio.Client?
---@return string? message
---@return string? code
function clients.connect(url, options)
  if type(url) ~= "string" then
    error(("gpio.client.connect: url: a string expected, got %s"):format(type(url)), 2)
  elseif url:find "^http" then
    url = url:gsub("^http", "ws"):gsub("/*$", "/board")
  end
  local connection, message, code = ws.connect(url, options)
  if not connection then
    return nil, message, code
  end
  local self = setmetatable({
    connection = connection, waiting = {}, serial = 0, events = Deque.new(), overruns = 0, news = async.Event(),
  }, Client)
  self.task = async.create_task(run, self)
  return self
end

--- Asks: `client:ask("step", { seconds = 0.1 })`. See strobe.gpio.remote for what there is.
---@async
---@param action string
---@param fields? table
---@return table? answer
---@return string? message
---@return string? code
function Client:ask(action, fields)
  local request, future = {}, async.Future()
  for name, value in pairs(fields or {}) do
    request[name] = value
  end
  self.serial = self.serial + 1
  request.id, request["do"] = self.serial, action
  if self.ended then
    return nil, "the board has closed the connection", "ECONNRESET"
  end
  self.waiting[self.serial] = future
  local sent, message, code = self.connection:send(json.encode(request))
  if not sent then
    self.waiting[request.id] = nil
    return nil, tostring(message), code
  end
  local answer = future:await()
  if not answer.ok then
    return nil, answer.error, answer.code
  end
  return answer
end

--- What is on a pin: `value` as a program reads it, and `level`.
---@async
---@param pin string
---@return {value: integer, level: string}?
---@return string? message
---@return string? code
function Client:get(pin)
  return self:ask("get", { pin = pin })
end

--- Drives a pin, which is the client's from then on.
---@async
---@param pin string
---@param value 0|1|boolean|"z"
---@return table?
---@return string? message
---@return string? code "EBUSY" when the program has it
function Client:set(pin, value)
  return self:ask("set", { pin = pin, value = value })
end

--- Calls a method of a part: `client:call("button1", "press")`.
---@async
---@param part string
---@param method string
---@param ... string|number|boolean
---@return table? answer with `result`
---@return string? message
---@return string? code
function Client:call(part, method, ...)
  return self:ask("call", { part = part, method = method, arguments = json.array { ... } })
end

--- Watches pins: their changes come by `next_event`.
---@async
---@param pins string[]
---@return table? answer with `watch`
---@return string? message
---@return string? code
function Client:watch(pins)
  return self:ask("watch", { pins = json.array(pins) })
end

--- The next message that nobody asked for: edges, or state. Waits.
---@async
---@return table? message nil when the connection has ended
function Client:next_event()
  while self.events.count == 0 do
    if self.ended then
      return nil
    end
    self.news:clear()
    self.news:wait()
  end
  return self.events:shift()
end

--- Leaves; pins it drives are let go. Closing twice is harmless.
---@async
function Client:close()
  self.connection:close()
  async.wait({ self.task })
end

Client.__close = Client.close

return clients
