--- Bytes that were read and that nobody has taken yet. It does no I/O.

---@class strobe.Lookahead
---@field private text string     the oldest chunk
---@field private from integer    where in it the bytes begin
---@field private more string[]   the chunks behind it
---@field private count integer   bytes in all
---@field private scanned integer bytes, from their beginning, in which no separator begins
local Lookahead = {}
Lookahead.__index = Lookahead
Lookahead.__name = "lookahead"

local CR = ("\r"):byte()

--- An empty one.
---@return strobe.Lookahead
function Lookahead.new()
  return setmetatable({ text = "", from = 1, more = {}, count = 0, scanned = 0 }, Lookahead)
end

--- How many bytes there are.
---@return integer
function Lookahead:size()
  return self.count
end

--- Puts bytes behind all others.
---@param bytes string
function Lookahead:feed(bytes)
  if self.count == 0 then
    self.text, self.from = bytes, 1
  else
    self.more[#self.more + 1] = bytes
  end
  self.count = self.count + #bytes
end

--- Forgets all.
function Lookahead:clear()
  self.text, self.from, self.more, self.count, self.scanned = "", 1, {}, 0, 0
end

-- Makes one chunk of all.
local function join(self)
  if #self.more > 0 then
    local rest = self.text:sub(self.from)
    self.text, self.from, self.more = rest .. table.concat(self.more), 1, {}
  end
end

--- Takes the first n bytes, or all when there are fewer.
---@param n integer
---@return string
function Lookahead:take(n)
  join(self)
  local text, from = self.text, self.from
  if n >= self.count then
    self:clear()
    return from == 1 and text or text:sub(from)
  end
  self.from, self.count, self.scanned = from + n, self.count - n, 0
  return text:sub(from, from + n - 1)
end

--- Takes the first line. Returns it without its LF or CR LF, and how many bytes it took; nothing when there is
--- no LF, or more than `limit` bytes before it.
---@param limit integer
---@return string? line
---@return integer? size
function Lookahead:take_line(limit)
  join(self)
  local text, from = self.text, self.from
  local at = text:find("\n", from + self.scanned, true)
  if not at then
    return nil
  end
  local last = at - 1
  if last >= from and text:byte(last) == CR then
    last = last - 1
  end
  if last - from >= limit then
    return nil
  end
  local size = at - from + 1
  self.from, self.count, self.scanned = at + 1, self.count - size, 0
  return text:sub(from, last), size
end

--- Bytes before the separator; nil when it is not there.
---@param separator string
---@return integer? size
---@return integer clear bytes that are known to lie before it
function Lookahead:find(separator)
  join(self)
  local at = self.text:find(separator, self.from + self.scanned, true)
  if at then
    return at - self.from, at - self.from
  end
  self.scanned = math.max(self.scanned, self.count - #separator + 1, 0)
  return nil, self.scanned
end

--- A search for another separator begins anew.
function Lookahead:rewind()
  self.scanned = 0
end

return Lookahead
