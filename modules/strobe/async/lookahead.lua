--- Bytes that were read and that nobody has taken yet. It does no I/O.

---@class strobe.Lookahead
---@field private parts string[]   chunks, oldest first
---@field private from integer     where in the first chunk it begins
---@field private count integer    bytes in all
---@field private scanned integer  bytes, from its beginning, in which no separator begins
local Lookahead = {}
Lookahead.__index = Lookahead
Lookahead.__name = "lookahead"

--- An empty one.
---@return strobe.Lookahead
function Lookahead.new()
  return setmetatable({ parts = {}, from = 1, count = 0, scanned = 0 }, Lookahead)
end

--- How many bytes there are.
---@return integer
function Lookahead:size()
  return self.count
end

--- Puts bytes behind all others.
---@param bytes string
function Lookahead:feed(bytes)
  if bytes ~= "" then
    self.parts[#self.parts + 1] = bytes
    self.count = self.count + #bytes
  end
end

--- Forgets all.
function Lookahead:clear()
  self.parts, self.from, self.count, self.scanned = {}, 1, 0, 0
end

-- All of it in one chunk, which is returned with where it begins.
local function join(self)
  if #self.parts > 1 then
    self.parts[1] = self.parts[1]:sub(self.from)
    self.parts, self.from = { table.concat(self.parts) }, 1
  end
  return self.parts[1] or "", self.from
end

--- Takes the first n bytes, or all when there are fewer.
---@param n integer
---@return string
function Lookahead:take(n)
  if n >= self.count then
    local text, from = join(self)
    self:clear()
    return from == 1 and text or text:sub(from)
  end
  local text, from = join(self)
  self.from, self.count, self.scanned = from + n, self.count - n, 0
  return text:sub(from, from + n - 1)
end

--- Bytes before the separator; nil when it is not there.
---@param separator string
---@return integer? size
---@return integer clear bytes that are known to lie before it
function Lookahead:find(separator)
  local text, from = join(self)
  local at = text:find(separator, from + self.scanned, true)
  if at then
    return at - from, at - from
  end
  self.scanned = math.max(self.scanned, self.count - #separator + 1, 0)
  return nil, self.scanned
end

--- A search for another separator begins anew.
function Lookahead:rewind()
  self.scanned = 0
end

return Lookahead
