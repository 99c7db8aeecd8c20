-- A book: the rows (ticks) of one instrument in memory, in order of arrival.
--
-- Model: at most `limit` rows; one more drops the oldest and counts it. `total` is the number the
-- commands COUNT and INFO show: rows ever appended since the book was created or cleared, those that
-- were flushed or dropped included. Rows are shared, not copied: whoever gets a list must not change its ticks.

local levels = require "strobe.tectonic.levels"
local ring = require "strobe.tectonic.ring"

---@class strobe.tectonic.Book
---@field name string
---@field total integer rows appended, flushed and dropped ones included
---@field package flushed integer what total was at the last flush
---@field package rows strobe.tectonic.Ring
---@field package depth strobe.tectonic.Levels|nil made by the first call of levels()
local Book = {}
Book.__index = Book
Book.__name = "strobe.tectonic.Book"

local book = {}

local DEFAULT_LIMIT = 100000

---@param name string
---@param options? { limit?: integer } limit: rows kept in memory, default 100,000
---@return strobe.tectonic.Book
function book.new(name, options)
  local limit = options and options.limit or DEFAULT_LIMIT
  return setmetatable({ name = name, total = 0, flushed = 0, rows = ring.new(limit) }, Book)
end

---Adds one row at the end. Costs no more for a long book than for a short one.
---@param tick strobe.tectonic.Tick
function Book:append(tick)
  self.rows:push(tick)
  self.total = self.total + 1
  if self.depth then
    self.depth:apply(tick)
  end
end

---How many rows are in memory.
---@return integer
function Book:count()
  return self.rows:count()
end

---How many rows left memory because the book was full, since it was created.
---@return integer
function Book:dropped()
  return self.rows.dropped
end

---The oldest n rows, which is what GET n means.
---@param n? integer default all
---@return strobe.tectonic.Tick[]
function Book:first(n)
  return self.rows:list(1, n)
end

---The newest n rows, oldest of them first.
---@param n integer
---@return strobe.tectonic.Tick[]
function Book:last(n)
  return self.rows:list(self:count() - n + 1)
end

---The rows between two times, both bounds excluded, in order of arrival. Looks at every row.
---@param from number seconds
---@param to number seconds
---@return strobe.tectonic.Tick[]
function Book:range(from, to)
  local found = {}
  for _, tick in ipairs(self:first()) do
    if tick.ts > from and tick.ts < to then
      found[#found + 1] = tick
    end
  end
  return found
end

---Forgets the rows in memory; the count goes back to what it was at the last flush.
function Book:clear()
  self.rows:clear()
  self.total = self.flushed
end

---Hands the rows in memory over and forgets them, unless `write` fails. The count stays.
---@param write fun(name: string, ticks: strobe.tectonic.Tick[]): any, string? a falsy first result is a failure
---@return true|nil ok
---@return string? message from `write`
---@return string? code "EIO"
function Book:flush(write)
  if self:count() == 0 then
    return true
  end
  local ok, message = write(self.name, self:first())
  if not ok then
    return nil, message or "flush failed", "EIO"
  end
  self.flushed = self.total
  self.rows:clear()
  return true
end

---The price levels, kept up to date from the first call on; that call replays the rows in memory.
---Rows that left memory before are not in it.
---@return strobe.tectonic.Levels
function Book:levels()
  if not self.depth then
    self.depth = levels.new(self.rows.limit)
    for _, tick in ipairs(self:first()) do
      self.depth:apply(tick)
    end
  end
  return self.depth
end

return book
