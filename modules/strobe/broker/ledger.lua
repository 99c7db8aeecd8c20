--- The ledger: what follows from the records of a broker, and nothing else. Live and at a start from the journal the
--- same
-- function applies the same records, so both come to the same orders, positions and money.
--
-- Records are plain tables, sizes and money in units:
--
--   {op = "open", version, session, cash}    a process begins to write; cash is a number, told by the first
--   {op = "place", time, id, unit, shared, symbol, side, kind, size, price, ahead, fills = {{size, price, fee}, …}}
--   {op = "fill", time, id, size, price, fee}    of an order that rests
--   {op = "cancel", time, id}

local Account = require "strobe.broker.account"
local amount = require "strobe.broker.amount"

---@class strobe.broker.Fill
---@field id integer        counts from 1
---@field order string      the order's id
---@field unit? string      whose order it is
---@field symbol string
---@field side "buy"|"sell"
---@field size number
---@field price number
---@field fee number
---@field time number
---@field realised number   by this fill, without fees
---@field position number   of the account in the symbol, after it

---@class strobe.broker.Ack
---@field id string         the order's
---@field state "filled"|"open"|"cancelled" cancelled: also what a market order did not find
---@field symbol string
---@field side "buy"|"sell"
---@field kind "market"|"limit"
---@field size number
---@field price? number     its limit
---@field filled number     when it was acknowledged
---@field average? number   price of what was filled
---@field time number

---@class strobe.broker.Ledger
---@field account strobe.broker.Account
---@field orders table<string, table> by id: those that rest, and the last that have ended
---@field open table<string, table>   those that rest
---@field open_count integer
---@field fills table<integer, strobe.broker.Fill> by id: the last, from first_fill to fill_count
---@field fill_count integer those there were
---@field units table<string, table<string, integer>> positions by unit and symbol
---@field session integer
local Ledger = {}
Ledger.__index = Ledger

local VERSION = 1

Ledger.VERSION = VERSION

--- Makes one.
---@param cash integer units
---@param history integer how many orders that have ended it keeps, and how many fills
---@return strobe.broker.Ledger
function Ledger.new(cash, history)
  return setmetatable({
    account = Account.new(cash), orders = {}, open = {}, open_count = 0, placed = 0, units = {}, session = 1,
    fills = {}, first_fill = 1, fill_count = 0, settled = 0, history = history, ended = { first = 1, last = 0 },
  }, Ledger)
end

-- What a unit itself holds of a symbol changes.
local function add_to_unit(ledger, order, size)
  local unit = order.unit
  if unit then
    local sizes = ledger.units[unit] or {}
    ledger.units[unit] = sizes
    sizes[order.symbol] = (sizes[order.symbol] or 0) + order.sign * size
  end
end

local function book_fill(ledger, order, time, size, price, fee)
  local account = ledger.account
  local gain = account:fill(order.symbol, order.sign, size, price, fee)
  order.left = order.left - size
  order.value = order.value + amount.value(size, price)
  add_to_unit(ledger, order, size)
  local fill = {
    id = ledger.fill_count + 1, order = order.id, unit = order.unit, symbol = order.symbol, side = order.side,
    size = amount.number(size), price = price, fee = amount.number(fee), time = time,
    realised = amount.number(gain), position = amount.number(account:size(order.symbol)),
  }
  ledger.fills[fill.id], ledger.fill_count = fill, fill.id
  return fill
end

--- The order as it is told to others.
---@param order table
---@param time number
---@return strobe.broker.Ack
function Ledger.describe(order, time)
  local filled = order.size - order.left
  return {
    id = order.id, state = order.state, symbol = order.symbol, side = order.side, kind = order.kind,
    size = amount.number(order.size), price = order.price, filled = amount.number(filled),
    average = filled > 0 and order.value / filled or nil, time = time,
  }
end

local function set_state(ledger, order, state)
  if order.state == state then
    return
  elseif state == "open" then
    ledger.open[order.id], ledger.open_count = order, ledger.open_count + 1
  elseif order.state == "open" then
    ledger.open[order.id], ledger.open_count = nil, ledger.open_count - 1
  end
  order.state = state
end

local apply = {}

function apply.open(ledger, record)
  if ledger.opened then
    ledger.session = record.session
  else
    ledger.opened, ledger.began = true, amount.of(record.cash)
    ledger.account.cash = ledger.began
  end
end

function apply.place(ledger, record)
  ledger.placed = ledger.placed + 1
  local order = {
    number = ledger.placed, id = record.id, unit = record.unit, shared = record.shared, symbol = record.symbol,
    side = record.side, sign = record.side == "buy" and 1 or -1, kind = record.kind, size = record.size,
    left = record.size, price = record.price, ahead = record.ahead or 0, value = 0, state = "new",
  }
  ledger.orders[order.id] = order
  local fills = {}
  for i, taken in ipairs(record.fills) do
    fills[i] = book_fill(ledger, order, record.time, taken[1], taken[2], taken[3])
  end
  set_state(ledger, order, order.left == 0 and "filled" or order.kind == "limit" and "open" or "cancelled")
  order.ack = Ledger.describe(order, record.time)
  return fills, order
end

function apply.fill(ledger, record)
  local order = ledger.orders[record.id]
  local fill = book_fill(ledger, order, record.time, record.size, record.price, record.fee)
  if order.left == 0 then
    set_state(ledger, order, "filled")
  end
  return { fill }, order
end

function apply.cancel(ledger, record)
  local order = ledger.orders[record.id]
  set_state(ledger, order, "cancelled")
  order.cancelled = Ledger.describe(order, record.time)
  return {}, order
end

-- Why a record of a journal cannot be applied.
local function misfit(ledger, record)
  local order = ledger.orders[record.id]
  if record.op == "place" then
    return order and order.state == "open" and "is placed twice" -- one that has ended may be forgotten elsewhere
  elseif record.op == "open" then
    return record.version and record.version ~= VERSION and ("is of version %s"):format(tostring(record.version))
  elseif not order then
    return "is of no order"
  elseif order.state ~= "open" then
    return "is of an order that is " .. order.state
  end
  return record.op == "fill" and record.size > order.left and "fills more than there is"
end

--- What does not fit about a record that a journal has, in words.
---@param record table
---@return string? reason
function Ledger:misfit(record)
  if not apply[record.op] then
    return "has an op that is not known: " .. tostring(record.op)
  end
  return misfit(self, record) or nil
end

--- Applies a record.
---@param record table
---@return strobe.broker.Fill[] fills
---@return table? order
function Ledger:apply(record)
  return apply[record.op](self, record)
end

-- An order that had ended may rest again when its last record was taken back: it comes a second time.
local function forget_oldest(ledger)
  local ended = ledger.ended
  local order = ended[ended.first]
  ended[ended.first], ended.first = nil, ended.first + 1
  order.is_listed = nil
  if order.state ~= "open" and ledger.orders[order.id] == order then
    ledger.orders[order.id] = nil
  end
end

--- A record is never taken back from now on: what has ended long ago is forgotten.
---@param fills strobe.broker.Fill[] of the record
---@param order table
function Ledger:settle(fills, order)
  local ended = self.ended
  self.settled = self.settled + #fills
  while self.first_fill <= self.settled - self.history do
    self.fills[self.first_fill], self.first_fill = nil, self.first_fill + 1
  end
  if order.state ~= "open" and not order.is_listed then
    order.is_listed, ended.last = true, ended.last + 1
    ended[ended.last] = order
  end
  while ended.last - ended.first >= self.history do
    forget_oldest(self)
  end
end

--- What a record is about to change, for `revert`.
---@param record table
---@return table
function Ledger:save(record)
  local order = self.orders[record.id]
  return {
    account = self.account:save(order and order.symbol or record.symbol), left = order and order.left,
    value = order and order.value, state = order and order.state,
  }
end

--- Takes back the last record that was applied.
---@param record table
---@param saved table
---@return table? order
function Ledger:revert(record, saved)
  local order = self.orders[record.id]
  local count = record.op == "place" and #record.fills or record.op == "fill" and 1 or 0
  for _ = 1, count do
    local last = self.fill_count
    add_to_unit(self, order, -amount.of(self.fills[last].size))
    self.fills[last], self.fill_count = nil, last - 1
  end
  self.account:restore(saved.account)
  set_state(self, order, saved.state or "refused")
  if record.op == "place" then
    self.orders[record.id], self.placed = nil, self.placed - 1
  else
    order.left, order.value, order.cancelled = saved.left, saved.value, nil
  end
  return order
end

return Ledger
