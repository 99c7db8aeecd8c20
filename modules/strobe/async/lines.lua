--- Lines out of chunks of bytes that are cut anywhere. It does no I/O.

local errors = require "strobe.async.error"

---@class strobe.Lines
---@field private text string     the newest chunk
---@field private from integer    where its next line begins
---@field private parts string[]  the beginning of that line, from earlier chunks
---@field private size integer    bytes in the parts
---@field private limit integer   bytes a line may have
local Lines = {}
Lines.__index = Lines
Lines.__name = "lines"

local CR = ("\r"):byte()

--- A new splitter.
---@param limit integer bytes a line may have, without its end
---@return strobe.Lines
function Lines.new(limit)
  return setmetatable({ text = "", from = 1, parts = {}, size = 0, limit = limit }, Lines)
end

--- Gives it the next chunk, when `next` has no more lines.
---@param chunk string
function Lines:feed(chunk)
  self.text, self.from = chunk, 1
end

local function check(lines, more)
  if lines.size + more > lines.limit then
    error(errors.LimitOverrunError(("a line is longer than %d bytes"):format(lines.limit)), 0)
  end
end

local function keep(lines, part)
  check(lines, #part)
  lines.size = lines.size + #part
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

--- The next whole line without its LF or CR LF, or nil when a chunk is needed.
--- Raises LimitOverrunError for a line that is too long.
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
  check(self, at - from)
  self.from = at + 1
  local line = text:sub(from, at - 1)
  return without_cr(self.size > 0 and join(self, line) or line)
end

--- What is left at the end of the input: the last line, or nil if there is none.
---@return string?
function Lines:rest()
  return self.size > 0 and join(self, "") or nil
end

return Lines
