--- JSON messages as events: which stream one is of, its number, its data, its time. It does no I/O.
--
-- Without options: `{"stream":…,"data":…}`, as Binance combines streams, is an event of that stream; of an array, as
-- Alpaca sends them, each object is one; any other object is an event of the stream that is called like the feed. The
-- numbers of Binance's payloads are known: `u` (from `U`) of depthUpdate, `t` of trade, `a` of aggTrade. Answers to
-- requests (`{"result":…,"id":…}`) are no events.
--
-- Options are paths into the object, "data.u":
--   stream   the name; where it leads nowhere: that of the feed
--   seq      the number, and `first`: of the numbers which the event stands for the first
--   data     what units get (all of it)
--   time     when it was, see instant.lua (when it came)

local instants = require "strobe.live.feed.instant"
local json = require "strobe.json"

local null = json.null

---@class strobe.live.Messages
---@field name string
---@field private paths table<string, string[]>
local Messages = {}
Messages.__index = Messages

local messages = { options = { stream = true, seq = true, first = true, data = true, time = true } }

local function path_of(text)
  local path = {}
  for key in text:gmatch "[^.]+" do
    path[#path + 1] = key
  end
  return path
end

local function follow(value, path)
  for i = 1, #path do
    if type(value) ~= "table" then
      return nil
    end
    value = value[path[i]]
  end
  if value == null then
    return nil
  end
  return value
end

---@param name string of the feed
---@param options table<string, string>
---@return strobe.live.Messages
function messages.new(name, options)
  local paths = {}
  for option in pairs(messages.options) do
    paths[option] = options[option] and path_of(options[option]) or nil
  end
  return setmetatable({ name = name, paths = paths, answers = 0 }, Messages)
end

local function integer_of(value)
  if type(value) == "string" then
    value = tonumber(value)
  end
  return type(value) == "number" and math.tointeger(value) or nil
end

-- By the kind of Binance's event: the number, and the first one.
local numbers = {
  depthUpdate = { "u", "U" },
  trade = { "t", "t" },
  aggTrade = { "a", "a" },
}

local function number_of(self, message, data)
  local paths = self.paths
  if paths.seq then
    local seq = integer_of(follow(message, paths.seq))
    return seq, paths.first and integer_of(follow(message, paths.first)) or seq
  end
  local names = type(data) == "table" and numbers[data.e]
  if names then
    return integer_of(data[names[1]]), integer_of(data[names[2]])
  end
end

local function stream_of(self, message, combined)
  local path = self.paths.stream
  local stream
  if path then
    stream = follow(message, path)
  elseif combined then
    stream = message.stream
  end
  if type(stream) == "number" then
    stream = math.tointeger(stream) or stream -- numbers of JSON are floats
  end
  return stream ~= nil and type(stream) ~= "table" and tostring(stream) or self.name
end

local function data_of(self, message, combined)
  local path = self.paths.data
  if path then
    return follow(message, path)
  end
  return combined and message.data or message
end

local function take_object(self, message, at, hand)
  local combined = type(message.stream) == "string" and message.data ~= nil
  if message.id ~= nil and (message.result ~= nil or message.error ~= nil) and not self.paths.stream then
    self.answers = self.answers + 1
    return
  end
  local data = data_of(self, message, combined)
  local seq, first = number_of(self, message, data)
  local own = self.paths.time and instants.seconds(follow(message, self.paths.time))
  hand(stream_of(self, message, combined), data, own or at, seq, first)
end

--- Hands on the events of a message.
---@async
---@param message table decoded
---@param at? number when it came
---@param hand fun(stream: string, data: any, at?: number, seq?: integer, first?: integer)
---@return true? taken nil: it is neither an object nor an array of objects
function Messages:take(message, at, hand)
  if type(message) ~= "table" then
    return nil
  elseif message[1] == nil then
    take_object(self, message, at, hand)
    return true
  end
  for _, part in ipairs(message) do
    if type(part) ~= "table" then
      return nil
    end
    take_object(self, part, at, hand)
  end
  return true
end

return messages
