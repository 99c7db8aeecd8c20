--- A client of today's TectonicDB server (generation C), which pushes updates.
--
-- A task of its own reads all the time: the server throws away what is not read at
-- once. Updates wait in a bounded queue per client; what did not fit is counted in
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
---@field dropped integer updates lost because the queue was full
local PushClient = setmetatable({ __name = "tectonic push client" }, { __index = Client })
PushClient.__index = PushClient
PushClient.__close = Client.close

--- Makes an unconnected client.
---@param options table as given to tectonic.connect
---@return strobe.tectonic.PushClient
function PushClient.new(options)
  local client = Client.new(options, PushClient)
  client.updates = ring.new(options.queue or QUEUE)
  client.arrived = lot.new "update"
  client.waiting = {}
  client.books = {}
  return client
end

local function keep_update(client, body)
  local value, book = frame.decode_insert(body)
  if value and client.books[book] then
    value.book = book
    client.updates:push(value)
    client.dropped = client.updates.dropped
    client.arrived:wake(1)
  end
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
  local message, code = read_all(client)
  client.failure = { message, code }
  for _, answer in ipairs(client.waiting) do
    if not answer:done() then
      answer:set_result(nil, message, code)
    end
  end
  client.waiting = {}
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
  self.task = task.spawn(reader, self)
  self.task:set_name(("tectonic reader %s"):format(self:peer()))
  return true
end

function PushClient:close()
  Client.close(self)
end

function PushClient:encode(text) -- luacheck: ignore self
  return frame.encode_request(text)
end

local function await_all(answers)
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

function PushClient:exchange(bytes, count)
  if not self.stream then
    return nil, ("tectonic %s: not connected"):format(self:peer()), "ENOTCONN"
  end
  local answers = {}
  for i = 1, count or 1 do
    answers[i] = future.new()
    table.insert(self.waiting, answers[i])
  end
  local ok, message, code = self.stream:send(bytes)
  if not ok then
    self:close()
    return nil, message, code
  end
  if not self.timeout then
    return await_all(answers)
  end
  local in_time, success, text, word = timeouts.move_on_after(self.timeout, await_all, answers)
  if not in_time then
    self:close()
    return nil, ("tectonic %s: no answer within %g s"):format(self:peer(), self.timeout), "ETIMEDOUT"
  end
  return success, text, word
end

function PushClient:subscribe(name)
  local success, text, code = Client.subscribe(self, name)
  if success then
    self.books[name] = true
  end
  return success, text, code
end

--- Skips the updates from now on; the server goes on sending them.
function PushClient:unsubscribe()
  local names = {}
  for name in pairs(self.books) do
    names[#names + 1] = name
  end
  self.books = {}
  table.sort(names)
  return true, "Unsubscribed from " .. table.concat(names, ", ")
end

--- The oldest update as JSON text, or "NONE"; no round trip.
function PushClient:poll()
  local value, message, code = self:next_tick()
  if value then
    return true, tick.to_json(value)
  elseif code then
    return nil, message, code
  end
  return true, "NONE"
end

function PushClient:insert(value, name)
  return self:exchange(frame.encode_request(frame.encode_insert(value, name)))
end

function PushClient:bulk(values, name)
  local requests = {}
  for i, value in ipairs(values) do
    requests[i] = frame.encode_request(frame.encode_insert(value, name))
  end
  if #requests == 0 then
    return true, ""
  end
  return self:exchange(table.concat(requests), #requests)
end

function PushClient:next_tick()
  local value = self.updates:shift()
  if value then
    return value
  elseif self.failure then
    return nil, self.failure[1], self.failure[2]
  elseif not self.stream then
    return nil, ("tectonic %s: not connected"):format(self:peer()), "ENOTCONN"
  end
  return nil, "NONE"
end

function PushClient:pause()
  if self.updates:count() == 0 and not self.failure then
    self.arrived:park()
  end
end

return PushClient
