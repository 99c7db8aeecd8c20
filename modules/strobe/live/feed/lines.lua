--- JSON lines as events. It does no I/O.
--
-- A line is a recorded message, `{"at": SECONDS, "message": {…}}`, a tick with its book, `{"book":…,"ts":…,"seq":…,
-- "is_trade":…,"is_bid":…,"price":…,"size":…}`, or a message as it came, see message.lua.

local json = require "strobe.json"
local messages = require "strobe.live.feed.message"
local tick = require "strobe.tectonic.tick"

local decode = json.decode
local find, sub = string.find, string.sub

---@class strobe.live.Lines
---@field line integer read so far
local Lines = {}
Lines.__index = Lines

local lines = {}

---@param name string of the feed
---@param options table<string, string>
---@param broken fun(line: integer, why: string) told of each line that is no event
---@return strobe.live.Lines
function lines.new(name, options, broken)
  return setmetatable({ line = 0, messages = messages.new(name, options), broken = broken }, Lines)
end

local function take_tick(value, hand)
  local book = value.book
  value.book, value.seq = nil, math.tointeger(value.seq)
  local ok, message = tick.check(value)
  if not ok then
    return message
  end
  hand(book, value, value.ts, value.seq)
end

-- Returns what is wrong with it.
local function take(self, text, hand)
  local value, message = decode(text)
  if type(value) ~= "table" then
    return message or "a JSON object expected"
  end
  local at
  if type(value.at) == "number" and type(value.message) == "table" then
    at, value = value.at, value.message
  elseif type(value.book) == "string" and value.is_trade ~= nil then
    return take_tick(value, hand)
  end
  return not self.messages:take(value, at, hand) and "a JSON object expected" or nil
end

--- Hands on the events of the whole lines in a text.
---@async
---@param text string
---@param hand fun(stream: string, data: any, at?: number, seq?: integer, first?: integer)
---@return integer from where the line begins that has no end yet
function Lines:parse(text, hand)
  local from = 1
  local stop = find(text, "\n", 1, true)
  while stop do
    local line = sub(text, from, stop - 1)
    self.line, from = self.line + 1, stop + 1
    if self.line == 1 then
      line = line:gsub("^\xEF\xBB\xBF", "")
    end
    if find(line, "%S") then
      local wrong = take(self, line, hand)
      if wrong then
        self.broken(self.line, wrong)
      end
    end
    stop = find(text, "\n", from, true)
  end
  return from
end

return lines
