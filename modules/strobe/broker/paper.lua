--- A paper broker: a venue that fills orders from the ticks that pass, and keeps the account.
--
-- Whatever happens becomes a record first. The record is applied to the ledger, and written to the journal, if there
-- is one; who waits is told when it is on the disk. When it cannot be written, it and all records behind it are taken
-- back, as if they had never been, and the broker goes on.
--
-- A unit trades in the market as far as it has seen it: its orders meet the book as of the event it handles, and what a
-- tick fills the unit hears right before that tick. However many ticks wait in the inbox, live as in a back-test, the
-- same ticks make the same fills. See attach.

local amount = require "strobe.broker.amount"
local core_error = require "strobe.core.error"
local futures = require "strobe.async.future"
local Ledger = require "strobe.broker.ledger"
local Market = require "strobe.broker.matching"
local mistake = require "strobe.mistake"
local orders = require "strobe.broker.order"
local shallow = require "strobe.shallow"
local time = require "strobe.core.time"

---@class strobe.broker.PaperOptions
---@field journal? string  path of a file; orders survive the process
---@field cash? number     at the start; a journal that has begun knows its own. What a buy would cost more than is
---free is refused; without it (0) nothing is
---@field fee? number      part of the value that each fill costs (0)
---@field maker? number    … of an order that rested (fee); below 0 it is paid to us
---@field taker? number    … of an order that took (fee)
---@field limits? strobe.broker.Limits
---@field history? integer how many orders that have ended are known by their id, and how many fills (10,000)
---@field time? "event"|"tick" whose time fills and the journal have: the event's, as ctx:now(), or the tick's `ts`
---("event")
---@field read? fun(stream: string, data: any): string?, strobe.tectonic.Tick? symbol and tick of an event (its stream;
---its data)
---@field disk? table      instead of the file of the journal, for specs: see journal.lua

---@class strobe.broker.Paper: strobe.broker.Venue
---@field session integer  how many processes have written to the journal, this one included
---@field notes string[]   what there was to say about the journal
---@field journal? strobe.broker.Journal
---@field ledger strobe.broker.Ledger
local Paper = {}
Paper.__index = Paper
Paper.__name = "paper broker"

-- The market of those who are no units. Orders that have ended, and fills, that are kept.
local SHARED, HISTORY = "", 10000

local function check_rate(options, name, default)
  local rate = options[name]
  if rate == nil then
    return default
  elseif type(rate) ~= "number" or not (rate > -1 and rate < 1) then
    mistake.raise("Paper: %s: a number between -1 and 1 expected, got %s", name, tostring(rate))
  end
  return rate
end

local function check_history(history)
  if history == nil then
    return HISTORY
  elseif math.type(history) ~= "integer" or history < 1 then
    mistake.raise("Paper: history: a whole number above 0 expected, got %s", tostring(history))
  end
  return history
end

local function check_options(options)
  local cash, fee = options.cash or 0, check_rate(options, "fee", 0)
  if type(cash) ~= "number" or not (cash > -1e10 and cash < 1e10) then
    mistake.raise("Paper: cash: a number up to 1e10 expected, got %s", tostring(cash))
  elseif options.time and options.time ~= "event" and options.time ~= "tick" then
    mistake.raise("Paper: time: \"event\" or \"tick\" expected, got %s", tostring(options.time))
  end
  return {
    cash = amount.of(cash), maker = check_rate(options, "maker", fee), taker = check_rate(options, "taker", fee),
    limits = orders.limits(options.limits), history = check_history(options.history), read = options.read,
    by_tick = options.time == "tick",
  }
end

-- Where an order rests.
local function market_of(paper, order)
  return paper:market(not order.shared and order.unit or nil)
end

--- Makes one; with a journal it comes to the state that this tells.
---@async
---@param options? strobe.broker.PaperOptions
---@return strobe.broker.Paper? paper a `<close>` value
---@return string? message why the journal cannot be used: what failed, where in the file, what to do
---@return string? code "EBUSY" another process uses it, "EBADMSG" it is damaged, or the system's
function Paper.new(options)
  options = mistake.options("Paper", options)
  local self = setmetatable(check_options(options), Paper)
  self.ledger, self.markets, self.marks, self.observers = Ledger.new(self.cash, self.history), {}, {}, {}
  self.notes, self.session, self.now = {}, 1, time.now
  self:market(SHARED)
  if options.journal then
    local ok, message, code = require("strobe.broker.journal").attach(self, options)
    if not ok then
      return nil, message, code
    end
  end
  for _, order in pairs(self.ledger.open) do
    market_of(self, order):rest(order)
  end
  self.limited = options.cash ~= nil or (self.ledger.began or 0) ~= 0
  return self
end

-- --- The market ----------------------------------------------------------------------------------

--- The market as a unit has seen it.
---@param unit? string without it, as it was offered
---@return strobe.broker.Market
function Paper:market(unit)
  unit = unit or SHARED
  local market = self.markets[unit]
  if not market then
    market = Market.new()
    self.markets[unit] = market
  end
  return market
end

local function now_in(paper, market)
  return market.time or not paper.by_tick and paper.now() or 0
end

local function is_tick(tick)
  if type(tick) ~= "table" or type(tick.is_trade) ~= "boolean" then
    return false
  end
  local price, size = tick.price, tick.size
  return type(price) == "number" and type(size) == "number" and price > 0 and price < math.huge and size >= 0
    and size < math.huge
end

--- An event comes to a market: what that fills. What is no tick only moves its clock.
---@param stream string
---@param data any
---@param when number
---@param unit? string whose market; else everybody's
---@return boolean filled
function Paper:event(stream, data, when, unit)
  local market = self.markets[unit or SHARED] or self:market(unit)
  local symbol, tick = stream, data
  if self.read then
    symbol, tick = self.read(stream, data)
  end
  if self.closed then
    return false
  elseif not symbol or not is_tick(tick) then
    market.time = self.by_tick and market.time or when
    return false
  end
  market.time = self.by_tick and tick.ts or when
  local fills = market:tick(symbol, tick)
  local marked, book = self.marks[symbol], market.books[symbol]
  if marked ~= book and (unit or not marked) then
    self.marks[symbol] = book
  end
  if not fills then
    return false
  end
  for _, fill in ipairs(fills) do
    local order, size = fill[1], fill[2]
    local fee = amount.round(amount.value(size, order.price) * self.maker)
    self:commit { op = "fill", time = market.time, id = order.id, size = size, price = order.price, fee = fee }
  end
  return true
end

--- A tick, when there is no runtime that hands them out.
---@param symbol string
---@param tick strobe.tectonic.Tick {ts, seq, is_trade, is_bid, price, size}
---@param when? number its time (now)
function Paper:tick(symbol, tick, when)
  self:event(symbol, tick, when or self.now())
end

-- --- Records -------------------------------------------------------------------------------------

-- What waits for the disk, by the kind of record.
local WAITS = { place = "placing", cancel = "cancelling", fill = "filling" }

local function follow(paper, record, order)
  local market = market_of(paper, order)
  if order.state ~= "open" then
    market:remove(order)
  elseif record.op == "place" then
    market:rest(order)
  end
end

local function tell(waiting, ...)
  for _, done in ipairs(waiting) do
    done(...)
  end
end

--- A record is there for good.
---@param entry table
function Paper:settle(entry)
  entry.order[WAITS[entry.record.op]] = nil
  self.ledger:settle(entry.fills, entry.order)
  for _, fill in ipairs(entry.fills) do
    for _, observer in ipairs(self.observers) do
      local ok, e = pcall(observer, fill)
      if not ok then
        core_error.report { message = ("a function of on_fill failed: %s"):format(tostring(e)) }
      end
    end
  end
  if self.desk then
    self.desk:release(entry.events)
  end
  tell(entry.waiting, entry.ack)
end

--- A record is taken back: the last of those that are left. Who waits is told by `refuse`.
---@param entry table
function Paper:revert(entry)
  local order, was = entry.order, entry.order.state
  self.ledger:revert(entry.record, entry.saved)
  local market = market_of(self, order)
  if was == "open" and order.state ~= "open" then
    market:remove(order)
  elseif was ~= "open" and order.state == "open" then
    market:rest(order)
  end
  order[WAITS[entry.record.op]] = nil
  if self.desk then
    self.desk:drop(entry.events)
  end
end

--- Tells who waits that a record was taken back.
---@param entry table
---@param message string
---@param code string
function Paper:refuse(entry, message, code)
  tell(entry.waiting, nil, ("order %s: %s"):format(entry.record.id, message), code)
end

--- Applies a record, and has it written.
---@param record table
---@param done? fun(ack: table?, message?: string, code?: string) called now, or when it is on the disk
function Paper:commit(record, done)
  local journal = self.journal
  local saved = journal and self.ledger:save(record)
  local fills, order = self.ledger:apply(record)
  follow(self, record, order)
  local entry = {
    record = record, saved = saved, fills = fills, order = order, waiting = { done },
    ack = record.op == "cancel" and order.cancelled or order.ack,
  }
  entry.events = self.desk and self.desk:announce(fills, journal ~= nil)
  if journal then
    order[WAITS[record.op]] = entry
    journal:append(entry)
  else
    self:settle(entry)
  end
end

-- --- Orders --------------------------------------------------------------------------------------

-- An id that is known: the first acknowledgement, as soon as it is one.
local function repeat_ack(known, order, done)
  if not orders.equal(known, order) then
    local text = "order %s: id: it is that of another order (%s); give each order its own"
    return done(nil, text:format(order.id, orders.describe(known)), "EEXIST")
  end
  if known.placing then
    table.insert(known.placing.waiting, done)
  else
    done(known.ack)
  end
end

local function over_limit(order, text, ...)
  return nil, ("order %s: "):format(order.id) .. text:format(...), "ELIMIT"
end

-- What the limits say about one more order.
local function check_limits(paper, order, market)
  local limits, ledger = paper.limits, paper.ledger
  if paper.journal and paper.journal:is_full() then
    return over_limit(order, "too many records wait for the disk: send fewer at once")
  elseif order.kind == "limit" and ledger.open_count >= limits.open then
    return over_limit(order, "%d orders are open, the limit (limits.open): cancel some", ledger.open_count)
  end
  local book = market.books[order.symbol]
  local price = order.price or book and book:mark() or 0
  if amount.number(order.size) * price > limits.value then
    return over_limit(order, "it is worth more than %.10g (limits.value)", limits.value)
  end
  if limits.position then
    local size = ledger.account:size(order.symbol) * order.sign + order.size
    for _, other in pairs(ledger.open) do
      size = size + (other.symbol == order.symbol and other.side == order.side and other.left or 0)
    end
    if amount.number(size) > limits.position then
      return over_limit(order, "the position could become %.10g, the limit is %.10g (limits.position)",
        amount.number(size), limits.position)
    end
  end
  return true
end

-- What so much binds while it waits to be bought.
local function bound(paper, size, price)
  local value = amount.value(size, price)
  return value + math.max(0, amount.round(value * paper.maker))
end

-- Whether the cash that no other order has bound is enough for a buy.
local function check_cash(paper, order, fills, left)
  local cost, free = 0, paper.ledger.account.cash
  for _, fill in ipairs(fills) do
    cost = cost + amount.value(fill[1], fill[2]) + fill[3]
  end
  if order.kind == "limit" then
    cost = cost + bound(paper, left, order.price)
  end
  for _, other in pairs(paper.ledger.open) do
    free = free - (other.side == "buy" and bound(paper, other.left, other.price) or 0)
  end
  if cost > free then
    local text = "order %s: it costs %.10g with its fees, of %.10g in cash %.10g is free: buy less, sell, or cancel "
      .. "a buy"
    local cash = paper.ledger.account.cash
    return nil, text:format(order.id, amount.number(cost), amount.number(cash), amount.number(free)), "EFUNDS"
  end
  return true
end

local function place_record(paper, order, market)
  local fills, left, code = market:quote(order)
  if not fills then
    return nil, left, code
  end
  for _, fill in ipairs(fills) do
    fill[3] = amount.round(amount.value(fill[1], fill[2]) * paper.taker)
  end
  if paper.limited and order.side == "buy" then
    local ok, message, reason = check_cash(paper, order, fills, left)
    if not ok then
      return nil, message, reason
    end
  end
  market:take(order, fills)
  return {
    op = "place", time = now_in(paper, market), id = order.id, unit = order.unit, shared = order.shared,
    symbol = order.symbol, side = order.side, kind = order.kind, size = order.size, price = order.price, fills = fills,
    ahead = order.kind == "limit" and left > 0 and market:queue(order) or nil,
  }
end

--- Places an order without waiting; see place.
---@param request strobe.broker.OrderRequest
---@param unit? string whose it is
---@param done fun(ack: strobe.broker.Ack?, message?: string, code?: string) called now or later, once
---@return any ... what done returns, when it is called now
function Paper:submit(request, unit, done)
  local order, message, code = orders.check(request, self.limits)
  if not order then
    return done(nil, message, code)
  elseif self.closed then
    return done(nil, ("order %s: the broker is closed"):format(order.id), "ESHUTDOWN")
  end
  local known = self.ledger.orders[order.id]
  if known then
    return repeat_ack(known, order, done)
  end
  order.sign = order.side == "buy" and 1 or -1
  order.unit, order.shared = unit, unit and self.desk and not self.desk:sees(unit, order.symbol) or nil
  local market = market_of(self, order)
  local ok, record
  ok, message, code = check_limits(self, order, market)
  if ok then
    record, message, code = place_record(self, order, market)
  end
  if not record then
    return done(nil, message, code)
  end
  self:commit(record, done)
end

-- Calls one of the functions with `done`, and waits for that.
local function wait_for(start)
  local outcome, waiting
  start(function(...)
    outcome = table.pack(...)
    if waiting and not waiting:done() then
      waiting:set_result(true)
    end
  end)
  if not outcome then
    waiting = futures.Future()
    waiting:await()
  end
  return table.unpack(outcome, 1, outcome.n)
end

local function copied(value, message, code)
  if value then
    return shallow.copy(value)
  end
  return nil, message, code
end

--- Places an order. With a journal it waits until the order is on the disk; who is cancelled meanwhile leaves the order
--- behind, and may ask again with the same id.
---@async
---@param request strobe.broker.OrderRequest
---@return strobe.broker.Ack? ack the same for the same id, also after a crash (see the option `history`)
---@return string? message names the field and its value
---@return string? code "EINVAL", "EEXIST" the id is another order's, "ENODATA" no price is known, "ELIMIT", "EFUNDS"
---there is not so much cash, "ENOSPC" and what else the disk says: then there is no such order
function Paper:place(request)
  return copied(wait_for(function(done)
    self:submit(request, nil, done)
  end))
end

--- Cancels an order without waiting; see cancel.
---@param id string
---@param done fun(ack: table?, message?: string, code?: string)
---@return any ... what done returns, when it is called now
function Paper:withdraw(id, done)
  local order = type(id) == "string" and self.ledger.orders[id]
  if not order then
    local code = type(id) == "string" and "ENOENT" or "EINVAL"
    return done(nil, ("cancel: id: there is no order %s"):format(tostring(id)), code)
  elseif order.state == "filled" then
    return done(nil, ("cancel: order %s is filled"):format(id), "EALREADY")
  elseif order.state == "cancelled" then
    local entry = order.cancelling or order.placing
    if entry then
      return table.insert(entry.waiting, done)
    end
    return done(order.cancelled or order.ack)
  elseif self.closed then
    return done(nil, ("cancel: order %s: the broker is closed"):format(id), "ESHUTDOWN")
  end
  self:commit({ op = "cancel", time = now_in(self, market_of(self, order)), id = id }, done)
end

--- Cancels an order that rests; what was filled stays. Twice is harmless.
---@async
---@param id string
---@return strobe.broker.Ack? ack state "cancelled"
---@return string? message
---@return string? code "ENOENT" there is none, "EALREADY" it is filled, "ESHUTDOWN"; "ENOSPC" and the like: it still
---rests
function Paper:cancel(id)
  return copied(wait_for(function(done)
    self:withdraw(id, done)
  end))
end

-- --- What there is -------------------------------------------------------------------------------

local function by_number(a, b)
  return a.number < b.number
end

--- The orders that rest, oldest first; `filled` as it is now.
---@param unit? string only this unit's
---@return strobe.broker.Ack[]
function Paper:orders(unit)
  local list = {}
  for _, order in pairs(self.ledger.open) do
    list[#list + 1] = (unit == nil or order.unit == unit) and order or nil
  end
  table.sort(list, by_number)
  for i, order in ipairs(list) do
    list[i] = Ledger.describe(order, order.ack.time)
  end
  return list
end

--- How many orders it has taken, those of the journal too.
---@return integer
function Paper:placed()
  return self.ledger.placed
end

local function marker(paper)
  return function(symbol)
    local book = paper.marks[symbol]
    return book and book:mark()
  end
end

--- The positions that are not 0, by symbol.
---@return table<string, strobe.broker.Position>
function Paper:positions()
  return self.ledger.account:list(marker(self))
end

--- What a unit itself holds of a symbol; without a unit, the account.
---@param symbol string
---@param unit? string
---@return number
function Paper:position(symbol, unit)
  local sizes = unit and self.ledger.units[unit]
  return amount.number(unit and (sizes and sizes[symbol] or 0) or self.ledger.account:size(symbol))
end

--- Cash, equity, realised and unrealised gain, fees. cash at the start = equity - realised - unrealised + fees.
---@return strobe.broker.AccountSummary
function Paper:account()
  return self.ledger.account:summary(marker(self))
end

--- The last fills (see the option `history`), oldest first; those from the journal too. Their ids count from 1.
---@return strobe.broker.Fill[]
function Paper:fills()
  local ledger = self.ledger
  return table.move(ledger.fills, ledger.first_fill, ledger.fill_count, 1, {})
end

--- Calls f with each fill from now on, when it is on the disk. f must not wait.
---@param f fun(fill: strobe.broker.Fill)
function Paper:on_fill(f)
  table.insert(self.observers, f)
end

--- Takes orders from the units of a runtime, and tells them their fills; see desk.lua.
---@param runtime strobe.live.Runtime
function Paper:attach(runtime)
  mistake.expect("paper:attach", "runtime", "table", runtime)
  self.desk = require("strobe.broker.desk").new(runtime, self)
  for _, note in ipairs(self.notes) do
    runtime:log("warning", note, {})
  end
end

--- Takes no more orders, and waits until the last are on the disk. Twice is harmless.
---@async
function Paper:close()
  self.closed = true
  if self.journal then
    self.journal:close()
  end
end

function Paper:__close()
  self:close()
end

return Paper
