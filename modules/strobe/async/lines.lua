--- Lines out of chunks of bytes that are cut anywhere. It does no I/O.

local errors = require "strobe.async.error"

---@class strobe.Lines
---@field private text string     the newest chunk
---@field private from integer    where its next line begins
---@field private parts string[]  the beginning of that line, from earlier chunks
---@field private size integer    bytes in the parts
---@field private limit integer   bytes a line may have
---@field private keepends boolean
local Lines = {}
Lines.__index = Lines
Lines.__name = "lines"

local CR = ("\r"):byte()

--- A new splitter.
---@param limit integer bytes a line may have, without its LF or CR LF
---@param keepends? boolean lines keep their ends
---@return strobe.Lines
function Lines.new(limit, keepends)
  return setmetatable({ text = "", from = 1, parts = {}, size = 0, limit = limit, keepends = keepends or false }, Lines)
end

--- Gives it the next chunk, when `next` has no more lines.
---@param chunk string
function Lines:feed(chunk)
  self.text, self.from = chunk, 1
end

-- Whether a line may begin with so many bytes, the last of which is at `at`. A CR may belong to its end.
local function check(lines, size, text, at)
  if size > lines.limit and (size > lines.limit + 1 or text:byte(at) ~= CR) then
    error(errors.LimitOverrunError(("a line is longer than %d bytes"):format(lines.limit)), 0)
  end
end

local function keep(lines, part)
  lines.size = lines.size + #part
  check(lines, lines.size, part, -1)
  lines.parts[#lines.parts + 1] = part
end

local function join(lines, part)
  lines.parts[#lines.parts + 1] = part
  local line = table.concat(lines.parts)
  lines.parts, lines.size = {}, 0
  return line
end

local function without_cr(line)
  return line:byte(-1) == CR and line:sub(1, -2) or line
end

-- The line that ends with the LF of the text at a place.
local function take(lines, text, from, at)
  local last = lines.keepends and at or at - 1
  local line = text:sub(from, last)
  if lines.size > 0 then
    line = join(lines, line)
  end
  return lines.keepends and line or without_cr(line)
end

--- The next whole line, or nil when a chunk is needed. Raises LimitOverrunError for a line that is too long.
---@return string?
function Lines:next()
  local text, from = self.text, self.from
  local at = text:find("\n", from, true)
  if not at then
    if from <= #text then
      keep(self, text:sub(from))
    end
    self:feed ""
    return nil
  end
  local more = at - from
  if self.size + more > self.limit then
    check(self, self.size + more, more > 0 and text or self.parts[#self.parts], more > 0 and at - 1 or -1)
  end
  self.from = at + 1
  return take(self, text, from, at)
end

--- What is left at the end of the input: the last line, or nil if there is none.
---@return string?
function Lines:rest()
  if self.size > self.limit then
    check(self, self.size + 1, "", 1) -- a CR that no LF follows is a byte like others
  end
  return self.size > 0 and join(self, "") or nil
end

return Lines
