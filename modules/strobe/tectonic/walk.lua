--- A seeded random walk over several books: prices that move a little, trades among level changes.

local floor, max = math.floor, math.max

---@class strobe.tectonic.Walk
---@field private state integer
---@field private books {name: string, seq: integer, price: number}[]
local Walk = {}
Walk.__index = Walk

local walks = {}

---@param seed integer
---@param names string[] of the books
---@return strobe.tectonic.Walk
function walks.new(seed, names)
  local books = {}
  for i, name in ipairs(names) do
    books[i] = { name = name, seq = 0, price = 100 * i }
  end
  local state = seed % 2147483647
  return setmetatable({ state = state == 0 and 1 or state, books = books }, Walk)
end

-- Park and Miller's minimal standard: a generator of its own, so that a seed means the same for ever.
local function random(walk)
  local state = walk.state * 48271 % 2147483647
  walk.state = state
  return state / 2147483647
end

--- The next tick, and its book.
---@param at number its time
---@return strobe.tectonic.Tick
---@return string book
function Walk:next(at)
  local books = self.books
  local book = books[floor(random(self) * #books) + 1]
  book.seq = book.seq + 1
  book.price = max(0.01, book.price + (random(self) - 0.5) * book.price * 0.001)
  return {
    ts = floor(at * 1000 + 0.5) / 1000,
    seq = book.seq,
    is_trade = random(self) < 0.3,
    is_bid = random(self) < 0.5,
    price = floor(book.price * 100 + 0.5) / 100,
    size = floor(random(self) * 1000 + 1) / 100,
  }, book.name
end

return walks
