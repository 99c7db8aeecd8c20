--- A client of today's TectonicDB server (generation C), which pushes updates.
--
-- A task of its own reads all the time: the server throws away what is not read at once. Answers come in the
-- order of the requests. Updates wait in an inbox, those of a book that ticks() iterates over by themselves;
-- what did not fit is counted in `dropped`, and the first of a connection is reported. The protocol has no
-- UNSUBSCRIBE: updates of a book left are skipped.
--
-- Source: tectonicdb c0c6819, see frame.lua.

local Client = require "strobe.tectonic.client"
local Deque = require "strobe.async.deque"
local core_error = require "strobe.core.error"
local frame = require "strobe.tectonic.frame"
local future = require "strobe.core.future"
local inbox = require "strobe.tectonic.inbox"
local locks = require "strobe.async.lock"
local task = require "strobe.core.task"
local tick = require "strobe.tectonic.tick"
local timeouts = require "strobe.async.timeout"

local QUEUE = 65536
local NONE = "NONE"

---@class strobe.tectonic.PushClient : strobe.tectonic.Client
---@field dropped integer updates lost because a queue was full
---@field private inbox strobe.tectonic.Inbox
---@field private books table<string, strobe.Connection> the connection each book was subscribed on
---@field private waiting strobe.Deque of futures: answers that are awaited, in order
---@field private draining strobe.Lock one task at a time waits for the bytes to go
---@field private warned? boolean whether this connection's first dropped update was reported
local PushClient = setmetatable({ __name = "tectonic push client" }, { __index = Client })
PushClient.__index = PushClient
PushClient.__close = Client.close

--- Makes an unconnected client.
---@param options strobe.tectonic.ConnectOptions
---@return strobe.tectonic.PushClient
function PushClient.new(options)
  local client = Client.new(options, PushClient)
  client.inbox = inbox.new(options.queue or QUEUE)
  client.waiting = Deque.new()
  client.draining = locks.Lock()
  client.books = {}
  client.dropped = 0
  return client
end

local function count_dropped(client, book)
  client.dropped = client.dropped + 1
  if not client.warned then
    client.warned = true
    core_error.report {
      warning = true,
      message = ("tectonic %s: updates of %s come faster than they are taken: of %d that waited the oldest was "
        .. "dropped, further ones are counted in `dropped`; connect { queue = … } keeps more"):format(
        client:peer(), book, client.inbox.limit),
    }
  end
end

local function keep_update(client, body)
  local value, book = frame.decode_insert(body)
  if not value or not client.stream or client.books[book] ~= client.stream then
    return
  end
  value.book = book
  if client.inbox:put(value, book) then
    count_dropped(client, book)
  end
end

-- Gives the task that has waited longest its answer.
local function resolve(waiting, ...)
  local answer = waiting:shift()
  if not answer:done() then
    answer:set_result(...)
  end
end

-- An error nobody has asked for is the server's reason to hang up: it has no place for us, for example.
local function keep_answer(client, waiting, success, body)
  if waiting.count > 0 then
    resolve(waiting, success, body)
  elseif not success then
    client.ending = { (body:gsub("%s+$", "")), "ECONNREFUSED" }
  end
end

-- Updates begin with "ra", answers with anything else.
local function read_all(client, stream, waiting)
  while client.stream == stream do
    local success, body, code = client:read_reply()
    if success == nil then
      return body, code
    elseif body:sub(1, 2) == "ra" then
      keep_update(client, body)
    else
      keep_answer(client, waiting, success, body)
    end
  end
  return select(2, client:not_connected())
end

-- The body of the reading task of one connection; `waiting` are the answers awaited on it.
local function reader(client, stream, waiting)
  local message, code = read_all(client, stream, waiting)
  while waiting.count > 0 do
    resolve(waiting, nil, message, code)
  end
  client.inbox:wake()
end

---@async
---@protected
---@return true?
---@return string? message
---@return string? code
function PushClient:open()
  local ok, message, code = Client.open(self)
  if not ok then
    return nil, message, code
  end
  self.stream:set_timeout(nil) -- silence between updates is no failure
  self.waiting, self.warned = Deque.new(), nil
  task.spawn(reader, self, self.stream, self.waiting):set_name(("tectonic reader %s"):format(self:peer()))
  return true
end

---@protected
---@param text string
---@return string
function PushClient:encode(text) -- luacheck: ignore self
  return frame.encode_request(text)
end

-- Waits until little is left to send: one task at a time may.
local function drain(client, stream)
  local held <close> = client.draining:acquire() -- luacheck: ignore
  stream:drain()
end

local function await_all(client, stream, answers)
  drain(client, stream)
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

---@async
---@protected
---@param bytes string encoded requests
---@param count? integer how many
---@return boolean? success
---@return string text
---@return string? code
function PushClient:exchange(bytes, count)
  local stream = self.stream
  if not stream then
    return self:not_connected()
  end
  local answers = {}
  for i = 1, count or 1 do
    answers[i] = future.new()
    self.waiting:push(answers[i])
  end
  local ok, message, code = stream:send(bytes)
  if not ok then
    return self:broken(stream, message, code)
  elseif not self.timeout then
    return await_all(self, stream, answers)
  end
  local in_time, success, text, word = timeouts.move_on_after(self.timeout, await_all, self, stream, answers)
  if not in_time then -- nobody knows any more what the next answer belongs to
    return self:broken(stream, "no answer", "ETIMEDOUT")
  end
  return success, text, word
end

---@async
---@protected
---@param name string
---@return boolean? success
---@return string text
---@return string? code
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
---@return true
---@return string text
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
---@return boolean? success
---@return string text
---@return string? code
function PushClient:poll()
  local value, message, code = self:next_tick()
  if value then
    return true, tick.to_json(value)
  elseif code then
    return nil, message, code
  end
  return true, NONE
end

local function encode_insert(value, book)
  local ok, message = tick.check(value)
  if not ok then
    return nil, message
  elseif book and #book > frame.NAME_LIMIT then
    return nil, ("a book's name of at most %d bytes expected, got %q"):format(frame.NAME_LIMIT, book)
  end
  return frame.encode_request(frame.encode_insert(value, book))
end

--- Stores one row.
---@async
---@param value strobe.tectonic.Tick
---@param name? string default: the current book
---@return boolean? success
---@return string text
---@return string? code
function PushClient:insert(value, name)
  local request, message = encode_insert(value, name and Client.check_name("insert", name))
  if not request then
    error("tectonic: insert: " .. message, 2)
  end
  return self:exchange(request)
end

--- Stores many rows; sends them in one piece.
---@async
---@param values strobe.tectonic.Tick[]
---@param name? string default: the current book
---@return boolean? success
---@return string text the first error, or the last answer
---@return string? code
function PushClient:bulk(values, name)
  if name then
    Client.check_name("bulk", name)
  end
  local requests = Client.encode_all("bulk", values, function(value)
    return encode_insert(value, name)
  end)
  if #requests == 0 then
    return true, ""
  end
  return self:exchange(table.concat(requests), #requests)
end

---@protected
---@param book string
---@return true?
---@return string? message
---@return string? code "EBUSY" when somebody iterates over this book already
function PushClient:open_ticks(book)
  if not self.inbox:open(book) then
    return self:failure(("ticks %s: this connection has them already; share one loop, or connect once more"):format(
      book), "EBUSY")
  end
  return true
end

---@protected
---@param book string
function PushClient:close_ticks(book)
  self.inbox:close(book)
  self:unsubscribe(book)
end

-- Whether the connection that brings the updates stands.
local function stands(client, book)
  return client.stream and (not book or client.books[book] == client.stream)
end

--- The next update as a tick, with its book; nil, "NONE" when there is none yet.
---@param book? string one of ticks(); default: of all others
---@return strobe.tectonic.Tick?
---@return string? message
---@return string? code
function PushClient:next_tick(book)
  local value = self.inbox:take(book)
  if value then
    return value
  elseif stands(self, book) then
    return nil, NONE
  elseif self.ending then
    return self:failure(self.ending[1], self.ending[2])
  end
  return self:not_connected()
end

---@async
---@protected
---@param _ number seconds, which a push does not need
---@param book? string
function PushClient:pause(_, book)
  if stands(self, book) then
    self.inbox:wait(book)
  end
end

return PushClient
