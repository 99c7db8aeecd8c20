-- Levels: the resting size at each price of a book, bids and asks, built from its ticks. This is what
-- the OB command of generation C shows.
--
-- Model: a tick that is no trade sets the level of its price (size 0 removes it); a trade takes its size
-- off a level that exists. Prices are counted in units of 10^-10 and cut off, not rounded, like the
-- original. Each side keeps at most `limit` prices; what does not fit is counted in `dropped`.
--
-- Source: tectonicdb c0c6819, tdb-core/src/postprocessing/orderbook.rs and serde_json's number format.

local tick = require "strobe.tectonic.tick"

local DECIMALS = 10
local UNITS = 10.0 ^ DECIMALS
local MAX_UNITS = 2.0 ^ 64 -- the original's cast to u64 stops below
local MAX_UNITS_TEXT = "18446744073709551615"

---@class strobe.tectonic.Levels
---@field limit integer prices per side
---@field dropped integer levels that found no room
---@field package bids table
---@field package asks table
local Levels = {}
Levels.__index = Levels
Levels.__name = "strobe.tectonic.Levels"

local levels = {}

---@param limit integer prices kept on each side
---@return strobe.tectonic.Levels
function levels.new(limit)
  return setmetatable({ limit = limit, dropped = 0,
    bids = { count = 0, sizes = {} }, asks = { count = 0, sizes = {} } }, Levels)
end

local function units(price)
  local cut = math.floor(tick.f32(price) * UNITS) + 0.0
  return cut < 0 and 0.0 or cut < MAX_UNITS and cut or MAX_UNITS
end

local function set_level(self, side, price, size)
  local known = side.sizes[price]
  if size == 0 then
    side.count = known and side.count - 1 or side.count
    side.sizes[price] = nil
  elseif known then
    side.sizes[price] = size
  elseif side.count >= self.limit then
    self.dropped = self.dropped + 1
  else
    side.count = side.count + 1
    side.sizes[price] = size
  end
end

---Applies one tick.
---@param value strobe.tectonic.Tick
function Levels:apply(value)
  local side = value.is_bid and self.bids or self.asks
  local price, size = units(value.price), tick.f32(value.size)
  if not value.is_trade then
    set_level(self, side, price, size)
  elseif side.sizes[price] then
    side.sizes[price] = side.sizes[price] - size
  end
end

local function price_key(price)
  return price < MAX_UNITS and ("%.0f"):format(price) or MAX_UNITS_TEXT
end

-- The original writes sizes as f64, whole ones with ".0".
local function size_digits(size)
  local digits = tick.f64_digits(size)
  return digits:find(".", 1, true) and digits or digits .. ".0"
end

local function side_json(side)
  local prices, fields = {}, {}
  for price in pairs(side.sizes) do
    prices[#prices + 1] = price
  end
  table.sort(prices)
  for i, price in ipairs(prices) do
    fields[i] = ('"%s":%s'):format(price_key(price), size_digits(side.sizes[price]))
  end
  return "{" .. table.concat(fields, ",") .. "}"
end

---The answer to OB: one JSON object, prices ascending, in units of 10^-10.
---@return string
function Levels:to_json()
  return ('{"price_decimals":%d,"bids":%s,"asks":%s}'):format(DECIMALS, side_json(self.bids),
    side_json(self.asks))
end

return levels
