--- Heaps: the least value first; of equal ones, that which came first.
--
-- A comparison may raise an error. So each change first finds its path by
-- comparing and only then moves values: a heap is never left half changed.

---@class strobe.Heap
---@field count integer how many values there are
---@field private less fun(a, b): boolean
---@field private values any[]
---@field private keys (number|false)[]
---@field private key_of fun(value): number|false
---@field private ranks integer[] of equal values, the one with the lower rank is first
---@field private newest integer the highest rank given
---@field private oldest integer the lowest rank given
local Heap = {}
Heap.__index = Heap
Heap.__name = "heap"

local function has_order(value)
  local metatable = getmetatable(value)
  return type(metatable) == "table" and metatable.__lt ~= nil
end

local list_order

-- Below 0, 0 or above 0. What has no order at all is equal to its like, so that
-- {priority, item} may hold any item.
local function order(a, b)
  local kind = type(a)
  if has_order(a) or has_order(b) then
    return a < b and -1 or b < a and 1 or 0
  elseif kind ~= type(b) then
    error(("PriorityQueue: no order between a %s and a %s (give it a `less` function)"):format(kind, type(b)), 0)
  elseif kind == "number" or kind == "string" then
    return a < b and -1 or b < a and 1 or 0
  elseif kind == "table" then
    return list_order(a, b)
  elseif kind == "boolean" and a ~= b then
    return b and -1 or 1
  end
  return 0
end

-- Lists as Python's tuples: the first difference decides, then the length.
function list_order(a, b)
  for i = 1, math.min(#a, #b) do
    local result = rawequal(a[i], b[i]) and 0 or order(a[i], b[i])
    if result ~= 0 then
      return result
    end
  end
  return #a - #b
end

local function default_less(a, b)
  return order(a, b) < 0
end

-- The number that decides in most cases, so that few comparisons need a call.
local function key_of(value)
  if type(value) == "table" and not has_order(value) then
    value = value[1]
  end
  if math.type(value) then
    if value ~= value then
      error("PriorityQueue: nan has no order", 0)
    end
    return value
  end
  return false
end

local function no_key()
  return false
end

--- A new empty heap.
---@param less? fun(a, b): boolean whether a comes before b; by default `<`, and for
---  lists without `__lt` the order of Python's tuples
---@return strobe.Heap
function Heap.new(less)
  return setmetatable({
    count = 0,
    less = less or default_less,
    key_of = less and no_key or key_of,
    values = {},
    keys = {},
    ranks = {},
    newest = 0,
    oldest = 0,
  }, Heap)
end

-- Whether one entry comes before another one.
local function before(heap, a, key_a, rank_a, b, key_b, rank_b)
  if key_a and key_b then
    local kind = type(a)
    if kind == type(b) and (key_a ~= key_b or kind == "number") then
      return key_a < key_b or key_a == key_b and rank_a < rank_b
    end
  end
  return heap.less(a, b) or rank_a < rank_b and not heap.less(b, a)
end

-- Where a new entry goes: up from the end.
local function place_of_new(heap, value, key, rank)
  local values, keys, ranks = heap.values, heap.keys, heap.ranks
  local place = heap.count + 1
  while place > 1 do
    local above = place // 2
    if not before(heap, value, key, rank, values[above], keys[above], ranks[above]) then
      break
    end
    place = above
  end
  return place
end

local function add(heap, value, rank)
  local values, keys, ranks = heap.values, heap.keys, heap.ranks
  local key, last = heap.key_of(value), heap.count + 1
  local place = place_of_new(heap, value, key, rank)
  heap.count = last
  while last > place do
    local above = last // 2
    values[last], keys[last], ranks[last] = values[above], keys[above], ranks[above]
    last = above
  end
  values[place], keys[place], ranks[place] = value, key, rank
end

--- Adds a value, after those that are equal to it.
---@param value any
function Heap:push(value)
  add(self, value, self.newest + 1)
  self.newest = self.newest + 1
end

--- Adds a value before those that are equal to it.
---@param value any
function Heap:unshift(value)
  add(self, value, self.oldest - 1)
  self.oldest = self.oldest - 1
end

-- The leaf at the end of the way that always goes to the lesser child.
local function lesser_leaf(heap)
  local values, keys, ranks, last = heap.values, heap.keys, heap.ranks, heap.count
  local place, child = 1, 2
  while child < last do
    local other = child + 1
    if other < last and before(heap, values[other], keys[other], ranks[other],
      values[child], keys[child], ranks[child]) then
      child = other
    end
    place, child = child, 2 * child
  end
  return place
end

-- Where the last entry goes when the first is taken and the way to a leaf moves up:
-- it is mostly one of the greatest, so the leaf is asked first.
local function place_of_last(heap)
  local values, keys, ranks, last = heap.values, heap.keys, heap.ranks, heap.count
  local value, key, rank = values[last], keys[last], ranks[last]
  local place = lesser_leaf(heap)
  while place > 1 and before(heap, value, key, rank, values[place], keys[place], ranks[place]) do
    place = place // 2
  end
  return place
end

--- Takes the least value; there must be one.
---@return any value
function Heap:shift()
  local values, keys, ranks, last = self.values, self.keys, self.ranks, self.count
  local place = place_of_last(self)
  local value, key, rank = values[last], keys[last], ranks[last]
  while place > 0 do -- the first falls out
    values[place], value = value, values[place]
    keys[place], key = key, keys[place]
    ranks[place], rank = rank, ranks[place]
    place = place // 2
  end
  values[last], keys[last], ranks[last] = nil, nil, nil
  self.count = last - 1
  return value
end

--- Takes any value, without comparing; there must be one.
---@return any value
function Heap:pop()
  local last = self.count
  local value = self.values[last]
  self.values[last], self.keys[last], self.ranks[last] = nil, nil, nil
  self.count = last - 1
  return value
end

return Heap
