--- A client of a TectonicDB server of generation A, which is polled for updates.
--
-- One request, or several in one piece, is on its way at a time. Answers that nobody waits for any more are
-- read before the next request; an update among them, which its poll had asked for, is kept for the next.
--
-- The protocol has one subscription a connection: a second one takes its place.

local Client = require "strobe.tectonic.client"
local frame = require "strobe.tectonic.frame"
local locks = require "strobe.async.lock"
local tick = require "strobe.tectonic.tick"
local time = require "strobe.core.time"

local POLL = "\n"
local NONE = "NONE"

---@class strobe.tectonic.PollClient : strobe.tectonic.Client
---@field private lock strobe.Lock one task at a time asks
---@field private owed integer answers that nobody waits for any more
---@field private polled boolean whether what is owed answers a poll
---@field private kept? string the update of a poll that was cancelled
---@field private iterated? string the book that ticks() iterates over
local PollClient = setmetatable({ __name = "tectonic poll client" }, { __index = Client })
PollClient.__index = PollClient
PollClient.__close = Client.close

--- Makes an unconnected client.
---@param options strobe.tectonic.ConnectOptions
---@return strobe.tectonic.PollClient
function PollClient.new(options)
  local client = Client.new(options, PollClient)
  client.lock = locks.Lock()
  client.owed = 0
  return client
end

---@async
---@protected
---@return true?
---@return string? message
---@return string? code
function PollClient:open()
  local ok, message, code = Client.open(self)
  if not ok then
    return nil, message, code
  end
  self.owed, self.kept = 0, nil
  return true
end

local function is_update(text)
  return text ~= NONE and text ~= ""
end

-- Reads the answers to cancelled requests.
local function settle(client)
  while client.owed > 0 do
    local success, text, code = client:read_reply()
    if success == nil then
      return nil, text, code
    end
    client.owed = client.owed - 1
    if client.polled and success and is_update(text) then
      client.kept = text
    end
  end
  return true
end

-- Sends requests; from here on their answers are owed, whatever becomes of the task. It does not wait for
-- the bytes to go: the server may want its answers to be taken before it reads on.
local function send(client, bytes, count)
  local stream = client.stream
  if not stream then
    return client:not_connected()
  end
  client.owed, client.polled = count, bytes == POLL
  local ok, message, code = stream:send(bytes)
  if not ok then
    return client:broken(stream, message, code)
  end
  return true
end

-- Sends requests in one piece and reads an answer for each; keeps the first error.
local function request(client, bytes, count)
  local ok, message, code = send(client, bytes, count)
  if not ok then
    return nil, message, code
  end
  local success, body = true, ""
  for _ = 1, count do
    local one, text, word = client:read_reply()
    if one == nil then
      return nil, text, word
    end
    client.owed = client.owed - 1
    if success then
      success, body = one, text
    end
  end
  return success, body
end

-- f(client, …) when no other task asks and no answer is owed.
local function in_turn(client, f, ...)
  local held <close> = client.lock:acquire() -- luacheck: ignore
  local ok, message, code = settle(client)
  if not ok then
    return nil, message, code
  end
  return f(client, ...)
end

---@protected
---@param text string
---@return string
function PollClient:encode(text) -- luacheck: ignore self
  return frame.encode_line(text)
end

---@async
---@protected
---@param bytes string encoded requests
---@param count? integer how many
---@return boolean? success
---@return string text
---@return string? code
function PollClient:exchange(bytes, count)
  return in_turn(self, request, bytes, count or 1)
end

-- Updates of the subscription before are no longer wanted.
local function resubscribe(client, bytes)
  client.kept = nil
  return request(client, bytes, 1)
end

---@async
---@protected
---@param name string
---@return boolean? success
---@return string text
---@return string? code
function PollClient:begin_book(name)
  return in_turn(self, resubscribe, self:encode("SUBSCRIBE " .. name))
end

--- Ends the subscription.
---@async
---@return boolean? success
---@return string text
---@return string? code
function PollClient:unsubscribe()
  return in_turn(self, resubscribe, self:encode "UNSUBSCRIBE")
end

local function take_update(client)
  local kept = client.kept
  if kept then
    client.kept = nil
    return true, kept
  end
  return request(client, POLL, 1)
end

--- The oldest update not fetched yet as JSON text, or "NONE". One round trip.
---@async
---@return boolean? success
---@return string text
---@return string? code
function PollClient:poll()
  return in_turn(self, take_update)
end

--- Stores many rows; sends them in one piece.
---@async
---@param values strobe.tectonic.Tick[]
---@param name string
---@return boolean? success
---@return string text the first error, or the last answer
---@return string? code
function PollClient:bulk(values, name)
  local lines = Client.encode_all("bulk", values, tick.format_row)
  table.insert(lines, 1, "BULKADD INTO " .. Client.check_name("bulk", name))
  table.insert(lines, "DDAKLUB")
  return self:exchange(table.concat(lines, "\n") .. "\n", #lines)
end

---@protected
---@param book string
---@return true?
---@return string? message
---@return string? code "EBUSY" when the connection has the ticks of another book
function PollClient:open_ticks(book)
  if self.iterated then
    return self:failure(("ticks %s: this connection has the ticks of %s already, and the poll protocol one "
      .. "subscription a connection; connect once for each book"):format(book, self.iterated), "EBUSY")
  end
  self.iterated = book
  return true
end

---@async
---@protected
function PollClient:close_ticks()
  self.iterated = nil
  if self.stream then
    self:unsubscribe()
  end
end

--- The next update as a tick; nil, "NONE" when there is none yet.
---@async
---@return strobe.tectonic.Tick?
---@return string? message
---@return string? code
function PollClient:next_tick()
  local success, text, code = self:poll()
  if success == nil then
    return nil, text, code
  elseif not is_update(text) then
    return nil, NONE
  end
  local value, message, word = tick.from_json(text)
  if not value then
    return self:broken(self.stream, message, word)
  end
  return value
end

---@async
---@protected
---@param seconds number
function PollClient:pause(seconds) -- luacheck: ignore self
  time.sleep(seconds)
end

return PollClient
