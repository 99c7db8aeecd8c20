--- Amounts of money and sizes of orders: whole numbers of 10^-8.
--
-- Sums of whole numbers are exact, so that a balance always adds up; a price is a number as the feed gave it. What is
-- multiplied is rounded once, to the nearest 10^-8, a half upwards. Up to 9·10^10 fits; above 9·10^7 what is shown
-- as a number has its last digits rounded, the sums have not.

local amount = {}

--- So many are one.
amount.UNITS = 100000000

local UNITS, floor = amount.UNITS, math.floor

--- The nearest whole number; beyond 64 bits a float.
---@param x number
---@return integer
function amount.round(x)
  return floor(x + 0.5)
end

--- Units of a number.
---@param x number
---@return integer
function amount.of(x)
  return floor(x * UNITS + 0.5)
end

--- The number of so many units.
---@param units integer
---@return number
function amount.number(units)
  return units / UNITS
end

--- What so much costs, in units of money.
---@param size integer units
---@param price number
---@return integer
function amount.value(size, price)
  return floor(size * price + 0.5)
end

return amount
