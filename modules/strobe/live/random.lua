--- Random numbers of a step: the same run seed, unit, event and task give the same ones, so a replay needs no state.
--
-- xoshiro256** as Lua's own math.random, begun by splitmix64 of a hash of where it is used.

local Random = {}
Random.__index = Random

local function splitmix(state)
  state = state + 0x9E3779B97F4A7C15
  local z = state
  z = (z ~ (z >> 30)) * 0xBF58476D1CE4E5B9
  z = (z ~ (z >> 27)) * 0x94D049BB133111EB
  return state, z ~ (z >> 31)
end

-- FNV-1a.
local function hash(text)
  local h = 0xcbf29ce484222325
  for i = 1, #text do
    h = (h ~ text:byte(i)) * 0x100000001b3
  end
  return h
end

--- @param ... any where it is used
function Random.new(...)
  local state = hash(table.concat({ ... }, "\0"))
  local random = setmetatable({}, Random)
  for i = 1, 4 do
    state, random[i] = splitmix(state)
  end
  return random
end

local function rotate(x, by)
  return x << by | x >> (64 - by)
end

local function next_bits(s)
  local result = rotate(s[2] * 5, 7) * 9
  local t = s[2] << 17
  s[3], s[4] = s[3] ~ s[1], s[4] ~ s[2]
  s[2], s[1] = s[2] ~ s[3], s[1] ~ s[4]
  s[3], s[4] = s[3] ~ t, rotate(s[4], 45)
  return result
end

-- A whole number from 0 to `most`, all as likely.
local function below(s, most)
  local mask = most
  for shift = 0, 5 do
    mask = mask | mask >> (1 << shift)
  end
  local bits = next_bits(s) & mask
  while math.ult(most, bits) do
    bits = next_bits(s) & mask
  end
  return bits
end

--- As math.random: a float from 0 to below 1, or a whole number.
---@param low? integer
---@param high? integer
---@return number
function Random:draw(low, high)
  if not low then
    return (next_bits(self) >> 11) * 0x1p-53
  elseif not high then
    low, high = 1, low
  end
  if low > high then
    error("random: the interval is empty", 3)
  end
  return low + below(self, high - low)
end

return Random
