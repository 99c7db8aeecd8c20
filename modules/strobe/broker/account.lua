--- An account: cash, positions, fees, and what was won or lost.
--
-- All of it in one currency, that of the prices. A position has a size, below 0 when it is short, and a cost: what was
-- paid for it, or below 0 received. Its average price is cost / size. What reduces a position releases the same part
-- of its cost; what is received beyond that is realised. A fill beyond the position closes it, and opens one the other
-- way.
--
-- At any time, exactly: cash + the costs of all positions + fees - realised = the cash at the start.

local amount = require "strobe.broker.amount"

---@class strobe.broker.Account
---@field cash integer      units, as all of these
---@field fees integer
---@field realised integer  without fees
---@field positions table<string, {size: integer, cost: integer}> by symbol, those which are not 0
local Account = {}
Account.__index = Account

--- Makes one.
---@param cash integer units
---@return strobe.broker.Account
function Account.new(cash)
  return setmetatable({ cash = cash, fees = 0, realised = 0, positions = {} }, Account)
end

local function share(units, part, whole)
  return part == whole and units or amount.round(units * (part / whole))
end

-- What is left of a position after a fill: size, cost, gain.
local function settle(size, cost, sign, filled, value)
  if size * sign >= 0 then
    return size + sign * filled, cost + sign * value, 0
  end
  local closing = math.min(filled, math.abs(size))
  local received, released = share(value, closing, filled), share(cost, closing, math.abs(size))
  return size + sign * filled, cost - released + sign * (value - received), -sign * received - released
end

--- Books a fill.
---@param symbol string
---@param sign 1|-1 1 for a buy
---@param size integer units, above 0
---@param price number
---@param fee integer units
---@return integer realised units
function Account:fill(symbol, sign, size, price, fee)
  local value = amount.value(size, price)
  local before = self.positions[symbol]
  local left, cost, gain = settle(before and before.size or 0, before and before.cost or 0, sign, size, value)
  self.positions[symbol] = left ~= 0 and { size = left, cost = cost } or nil
  self.cash = self.cash - sign * value - fee
  self.fees = self.fees + fee
  self.realised = self.realised + gain
  return gain
end

--- What it is now, to come back to.
---@param symbol string the only position that may change until then
---@return table
function Account:save(symbol)
  return { self.cash, self.fees, self.realised, symbol, self.positions[symbol] }
end

--- Comes back to that.
---@param saved table
function Account:restore(saved)
  self.cash, self.fees, self.realised = saved[1], saved[2], saved[3]
  self.positions[saved[4]] = saved[5]
end

--- The size of a position in units, 0 when there is none.
---@param symbol string
---@return integer
function Account:size(symbol)
  local position = self.positions[symbol]
  return position and position.size or 0
end

---@class strobe.broker.Position
---@field symbol string
---@field size number       below 0 when it is short
---@field price number      average
---@field mark number       last known price
---@field unrealised number

--- The positions.
---@param mark fun(symbol: string): number? the last known price
---@return table<string, strobe.broker.Position> by symbol
function Account:list(mark)
  local list = {}
  for symbol, position in pairs(self.positions) do
    local price = position.cost / position.size
    local now = mark(symbol) or price
    list[symbol] = {
      symbol = symbol, size = amount.number(position.size), price = price, mark = now,
      unrealised = amount.number(amount.value(position.size, now) - position.cost),
    }
  end
  return list
end

---@class strobe.broker.AccountSummary
---@field cash number
---@field equity number     cash and what the positions are worth
---@field realised number   without fees
---@field unrealised number
---@field fees number

--- The account in numbers.
---@param mark fun(symbol: string): number?
---@return strobe.broker.AccountSummary
function Account:summary(mark)
  local worth, cost = 0, 0
  for symbol, position in pairs(self.positions) do
    local now = mark(symbol)
    worth = worth + (now and amount.value(position.size, now) or position.cost)
    cost = cost + position.cost
  end
  return {
    cash = amount.number(self.cash), equity = amount.number(self.cash + worth),
    realised = amount.number(self.realised), unrealised = amount.number(worth - cost), fees = amount.number(self.fees),
  }
end

return Account
