--- Bytes that come in pieces as events: whole lines of CSV or JSON, whichever they are. It does no I/O.
--
-- Lines that are no events are skipped and counted; more than some of them, or a line without end, end it.

local lines = require "strobe.live.feed.lines"
local rows = require "strobe.live.feed.rows"

-- Bytes of a line; lines that may be broken.
local LONGEST, MOST_BROKEN = 4 * 1024 * 1024, 100

---@class strobe.live.Recording
---@field private rest string
---@field private parser? strobe.live.Lines|strobe.live.Rows nil until the first byte tells which
local Recording = {}
Recording.__index = Recording

local recordings = {
  options = { stream = true, seq = true, first = true, data = true, time = true, broken = true },
}

--- The number of broken lines that the option allows; nil and a message.
---@param options table<string, string>
---@return integer?
---@return string? message
function recordings.most_broken(options)
  local text = options.broken or tostring(MOST_BROKEN)
  local count = math.tointeger(tonumber(text))
  if not count or count < 0 then
    return nil, ("broken: a number of lines, 0 or more, expected, got %q"):format(text)
  end
  return count
end

---@param place string the file's name, for messages
---@param name string of the feed
---@param options table<string, string>
---@param skip fun(text: string, ...: any) told of each line that is no event
---@return strobe.live.Recording
function recordings.new(place, name, options, skip)
  return setmetatable({
    place = place, name = name, options = options, skip = skip, rest = "", broken = 0,
    most = recordings.most_broken(options),
  }, Recording)
end

local function new_parser(self, text)
  local kind = text:find "^[\xEF\xBB\xBF%s]*[{%[]" and lines or rows
  return kind.new(self.name, self.options, function(line, why)
    self.broken = self.broken + 1
    if self.broken > self.most then
      error({ recording = self, message = ("%s:%d: %s; that is the %d. broken line: it cannot go on (broken=N allows "
        .. "more)"):format(self.place, line, why, self.broken) }, 0)
    end
    self.skip("%s:%d: %s; the line is skipped", self.place, line, why)
  end)
end

-- Nothing can be told of blanks alone, or of a byte order mark.
local function parse(self, text, hand)
  if not self.parser and text:find "[^\xEF\xBB\xBF%s]" then
    self.parser = new_parser(self, text)
  end
  local from = self.parser and self.parser:parse(text, hand) or 1
  self.rest = from == 1 and text or text:sub(from)
  if #self.rest > LONGEST then
    local line = self.parser and self.parser.line or 0
    error({ recording = self, message = ("%s:%d: a line of more than %d bytes"):format(self.place, line + 1, LONGEST) },
      0)
  end
end

local function try(self, text, hand)
  local ok, e = pcall(parse, self, text, hand)
  if ok then
    return true
  elseif type(e) == "table" and e.recording == self then
    return nil, e.message, "EPROTO"
  end
  error(e, 0)
end

--- Hands on the events of the lines that end in these bytes.
---@async
---@param bytes string
---@param hand fun(stream: string, data: any, at?: number, seq?: integer, first?: integer)
---@return true? done
---@return string? message too much is broken
---@return string? code "EPROTO"
function Recording:feed(bytes, hand)
  return try(self, self.rest .. bytes, hand)
end

--- There are no more bytes: the last line may have had no end.
---@async
---@param hand fun(stream: string, data: any, at?: number, seq?: integer, first?: integer)
---@return true? done
---@return string? message
---@return string? code
function Recording:finish(hand)
  local rest = self.rest
  self.rest = ""
  if rest == "" then
    return true
  end
  return try(self, rest .. "\n", hand)
end

return recordings
