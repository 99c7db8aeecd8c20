--- A client of today's TectonicDB server (generation C), which pushes updates.
--
-- A task of its own reads all the time: the server throws away what is not read at
-- once. Updates wait in bounded queues, one for each book that ticks() iterates over
-- and one, which poll() reads, for all others; what did not fit is counted in
-- `dropped`. The protocol has no UNSUBSCRIBE: updates of a book left are skipped.
--
-- Source: tectonicdb c0c6819, see frame.lua.

local Client = require "strobe.tectonic.client"
local frame = require "strobe.tectonic.frame"
local future = require "strobe.core.future"
local lot = require "strobe.core.lot"
local ring = require "strobe.tectonic.ring"
local task = require "strobe.core.task"
local tick = require "strobe.tectonic.tick"
local timeouts = require "strobe.async.timeout"

local QUEUE = 65536

---@class strobe.tectonic.PushClient : strobe.tectonic.Client
---@field dropped integer updates lost because a queue was full
---@field private updates strobe.tectonic.Ring what poll() takes from
---@field private queues table<string, strobe.tectonic.Ring> by book: what ticks() takes from
---@field private books table<string, strobe.Stream> the connection each book was subscribed on
---@field private waiting strobe.core.Future[] answers that are awaited, in order
---@field private failure? {[1]: string, [2]: string} of the last connection
local PushClient = setmetatable({ __name = "tectonic push client" }, { __index = Client })
PushClient.__index = PushClient
PushClient.__close = Client.close

--- Makes an unconnected client.
---@param options table as given to tectonic.connect
---@return strobe.tectonic.PushClient
function PushClient.new(options)
  local client = Client.new(options, PushClient)
  client.limit = options.queue or QUEUE
  client.updates = ring.new(client.limit)
  client.queues = {}
  client.arrived = lot.new "update"
  client.waiting = {}
  client.books = {}
  client.dropped = 0
  return client
end

local function keep_update(client, body)
  local value, book = frame.decode_insert(body)
  if not value or not client.stream or client.books[book] ~= client.stream then
    return
  end
  value.book = book
  if (client.queues[book] or client.updates):push(value) then
    client.dropped = client.dropped + 1
  end
  client.arrived:wake()
end

-- Answers come in the order of the requests; updates begin with "ra".
local function read_all(client)
  while true do
    local success, body, code = client:read_reply()
    if success == nil then
      return body, code
    elseif body:sub(1, 2) == "ra" then
      keep_update(client, body)
    else
      local answer = table.remove(client.waiting, 1)
      if answer and not answer:done() then
        answer:set_result(success, body)
      end
    end
  end
end

local function reader(client)
  local waiting = client.waiting
  local message, code = read_all(client)
  client.failure = client.failure or { message, code }
  for _, answer in ipairs(waiting) do
    if not answer:done() then
      answer:set_result(nil, message, code)
    end
  end
  client.arrived:wake()
end

--- Connects, or connects again; subscriptions are to be made anew.
---@async
---@return true?
---@return string? message
---@return string? code
function PushClient:reconnect()
  local ok, message, code = Client.reconnect(self)
  if not ok then
    return nil, message, code
  end
  self.stream:set_timeout(nil) -- silence between updates is no failure
  self.failure = nil
  self.waiting = {}
  self.task = task.spawn(reader, self)
  self.task:set_name(("tectonic reader %s"):format(self:peer()))
  return true
end

function PushClient:encode(text) -- luacheck: ignore self
  return frame.encode_request(text)
end

-- Waits until little is left to send: one task at a time may.
local function drain(client)
  local held <close> = client.lock:acquire() -- luacheck: ignore
  if client.stream then
    client.stream:drain()
  end
end

local function await_all(client, answers)
  drain(client)
  local success, body = true, ""
  for _, answer in ipairs(answers) do
    local one, text, code = answer:await()
    if one == nil then
      return nil, text, code
    elseif success then
      success, body = one, text
    end
  end
  return success, body
end

local function disconnected(client)
  return nil, ("tectonic %s: not connected"):format(client:peer()), "ENOTCONN"
end

-- After a timeout nobody knows what the next answer belongs to.
local function give_up(client, stream)
  local message = ("tectonic %s: no answer within %g s"):format(client:peer(), client.timeout)
  if client.stream == stream then
    client.failure = { message, "ETIMEDOUT" }
    client:close()
  end
  return nil, message, "ETIMEDOUT"
end

function PushClient:exchange(bytes, count)
  if not self.stream then
    return disconnected(self)
  end
  local answers, stream = {}, self.stream
  for i = 1, count or 1 do
    answers[i] = future.new()
    table.insert(self.waiting, answers[i])
  end
  local ok, message, code = stream:send(bytes)
  if not ok then
    self:close()
    return nil, ("tectonic %s: %s"):format(self:peer(), message), code
  elseif not self.timeout then
    return await_all(self, answers)
  end
  local in_time, success, text, word = timeouts.move_on_after(self.timeout, await_all, self, answers)
  if not in_time then
    return give_up(self, stream)
  end
  return success, text, word
end

function PushClient:begin_book(name)
  local before = self.books[name]
  self.books[name] = self.stream -- the first update may come together with the answer
  local success, text, code = Client.begin_book(self, name)
  if not success then
    self.books[name] = before
  end
  return success, text, code
end

--- Skips the updates from now on; the server goes on sending them.
---@param name? string default: of all books
function PushClient:unsubscribe(name)
  local names = {}
  for book in pairs(self.books) do
    if not name or name == book then
      names[#names + 1] = book
      self.books[book] = nil
    end
  end
  table.sort(names)
  return true, "Unsubscribed from " .. table.concat(names, ", ")
end

--- The oldest update as JSON text, or "NONE"; no round trip. Updates of a book that
--- ticks() iterates over are not among them.
function PushClient:poll()
  local value, message, code = self:next_tick()
  if value then
    return true, tick.to_json(value)
  elseif code then
    return nil, message, code
  end
  return true, "NONE"
end

local function encode_insert(name, value, book)
  local ok, message = tick.check(value)
  if not ok then
    error(("tectonic: %s: %s"):format(name, message), 3)
  elseif book and #book > frame.NAME_LIMIT then
    error(("tectonic: %s: a book's name of at most %d bytes expected"):format(name, frame.NAME_LIMIT), 3)
  end
  return frame.encode_request(frame.encode_insert(value, book))
end

function PushClient:insert(value, name)
  return self:exchange(encode_insert("insert", value, name))
end

function PushClient:bulk(values, name)
  local requests = {}
  for i, value in ipairs(values) do
    requests[i] = encode_insert(("bulk: row %d"):format(i), value, name)
  end
  if #requests == 0 then
    return true, ""
  end
  return self:exchange(table.concat(requests), #requests)
end

function PushClient:open_ticks(book)
  if self.queues[book] then
    return nil, ("tectonic %s: ticks %s: this connection has them already"):format(self:peer(), book), "EBUSY"
  end
  self.queues[book] = ring.new(self.limit)
  return true
end

function PushClient:close_ticks(book)
  self.queues[book] = nil
  self:unsubscribe(book)
end

-- nil while the connection that brings the updates stands.
local function failure_of(client, book)
  if client.stream and (not book or client.books[book] == client.stream) then
    return nil
  end
  return client.failure or { select(2, disconnected(client)) }
end

function PushClient:next_tick(book)
  local value = (self.queues[book] or self.updates):shift()
  if value then
    return value
  end
  local failure = failure_of(self, book)
  if failure then
    return nil, failure[1], failure[2]
  end
  return nil, "NONE"
end

function PushClient:pause(_, book)
  local queue = self.queues[book] or self.updates
  if queue:count() == 0 and not failure_of(self, book) then
    self.arrived:park()
  end
end

return PushClient
