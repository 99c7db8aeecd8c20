--- A recorder: watches the feeds and the fills of a run, in bounded memory, and makes a result of it.
--
-- Equity is cash and what the positions are worth at the last price of their symbols. Every figure is counted as it
-- happens, from all values; only the curves are thinned (see curve.lua), and the lists of trades and fills end at a
-- number, with what was left out counted.
--
-- Feeds may be ahead of the units. So prices wait while a unit is behind, until fills of later times come or all have
-- caught up: equity follows the times of events, not the pace of the machine.

local Book = require "strobe.broker.book"
local curves = require "strobe.backtest.curve"
local drawdowns = require "strobe.backtest.drawdown"
local mistake = require "strobe.mistake"
local results = require "strobe.backtest.result"
local sharpe = require "strobe.backtest.sharpe"
local trades = require "strobe.backtest.trade"

-- Symbols whose prices are drawn if they are not traded; fills that are kept for the picture; reloads of a unit.
local MOST_SYMBOLS, MOST_FILLS, MOST_RELOADS = 32, 20000, 1000
-- Prices that wait for units.
local MOST_WAITING = 65536

---@class strobe.backtest.RecorderOptions
---@field title? string
---@field feed? string       where the events come from, for the reader
---@field cash? number       starting capital, when there is no broker whose account says it (0)
---@field mark? fun(stream: string, data: any): string?, number? symbol and price that an event tells; nil: none.
---By default the middle of the book, else the price of the last trade; the symbol is the stream
---@field most? {points?: integer, trades?: integer, fills?: integer} buckets of a curve (1,000), trades (10,000) and
---fills (20,000) that are kept

---@class strobe.backtest.Recorder
---@field ticks integer
---@field fill_count integer
local Recorder = {}
Recorder.__index = Recorder
Recorder.__name = "backtest recorder"

local function is_tick(data)
  return type(data) == "table" and type(data.price) == "number"
    and (data.is_trade ~= false or type(data.size) == "number")
end

-- Prices by the rule of the broker: the middle of the book, else the last trade. The book is that of the feed, which
-- has not changed by what we took from it.
local function prices_of_books()
  local books = {}
  return function(stream, data)
    if not is_tick(data) then
      return nil
    end
    local symbol = data.symbol or stream
    local book = books[symbol] or Book.new()
    books[symbol] = book
    if data.is_trade == false then
      book:apply(data)
    else
      book.last = data.price
    end
    return symbol, book:mark()
  end
end

local function check_options(options)
  mistake.options("backtest.Recorder", options)
  if options.cash ~= nil and type(options.cash) ~= "number" then
    error(("Recorder: cash: a number expected, got %s"):format(type(options.cash)), 3)
  elseif options.mark ~= nil and type(options.mark) ~= "function" then
    error(("Recorder: mark: a function expected, got %s"):format(type(options.mark)), 3)
  end
end

--- Makes one; see backtest.Recorder.
---@param options? strobe.backtest.RecorderOptions
---@return strobe.backtest.Recorder
function Recorder.new(options)
  options = options or {}
  check_options(options)
  local most = options.most or {}
  return setmetatable({
    options = options, mark_of = options.mark or prices_of_books(), cash = options.cash or 0, start = options.cash or 0,
    most = { points = most.points, fills = most.fills or MOST_FILLS },
    ticks = 0, fill_count = 0, fills = {}, fees = 0, turnover = 0, exposed = 0, symbols = 0,
    positions = {}, held = {}, carried = {}, last = {}, prices = {}, traded = {}, reloads = {},
    waiting = { first = 1, last = 0 },
    equity = curves.new(most.points), falls = curves.new(most.points), drawdown = drawdowns.new(),
    sharpe = sharpe.new(), trades = trades.new(most.trades),
  }, Recorder)
end

-- --- Time and equity ---------------------------------------------------------------------------

-- Time does not run backwards here, whatever several feeds say.
local function advance(self, time)
  if not self.begin then
    self.begin, self.now = time, time
    for _, position in ipairs(self.carried) do
      self.trades:fill(position.symbol, position.size, position.price, 0, time)
    end
  elseif time > self.now then
    if #self.held > 0 then
      self.exposed = self.exposed + time - self.now
    end
    self.now = time
  end
end

-- Summed up anew each time: differences would add up their rounding.
local function equity_of(self)
  local equity = self.cash
  for _, symbol in ipairs(self.held) do
    equity = equity + self.positions[symbol] * self.last[symbol]
  end
  return equity
end

local function account(self)
  local now, equity = self.now, equity_of(self)
  self.equity:add(now, equity)
  self.falls:add(now, -self.drawdown:add(now, equity))
  self.sharpe:add(now, equity)
end

local function hold(self, symbol, position)
  self.positions[symbol] = position
  for i, known in ipairs(self.held) do
    if known == symbol then
      return position == 0 and table.remove(self.held, i)
    end
  end
  if position ~= 0 then
    table.insert(self.held, symbol)
  end
end

local function curve_of(self, symbol)
  local curve = self.prices[symbol]
  if not curve and (self.symbols < MOST_SYMBOLS or self.traded[symbol]) then
    self.symbols = self.symbols + 1
    curve = curves.new(self.most.points)
    self.prices[symbol] = curve
  end
  return curve
end

-- --- What happens ------------------------------------------------------------------------------

--- An event of a feed.
---@param stream string
---@param data any
---@param time number
function Recorder:event(stream, data, time)
  self.ticks = self.ticks + 1
  local symbol, price = self.mark_of(stream, data)
  self:mark(symbol, price, time)
end

--- A price of a symbol, at which its position is valued from now on; without one, only time goes on.
---@param symbol? string
---@param price? number
---@param time number
function Recorder:mark(symbol, price, time)
  advance(self, time)
  if not symbol or not price then
    return
  end
  self.last[symbol] = price
  local curve = curve_of(self, symbol)
  if curve then
    curve:add(self.now, price)
  end
  account(self)
end

-- A position that is left when trades are closed is the rounding of sizes.
local function position_after(self, symbol, signed)
  return self.trades.open[symbol] and (self.positions[symbol] or 0) + signed or 0
end

local function keep_fill(self, fill)
  self.fill_count = self.fill_count + 1
  if #self.fills < self.most.fills then
    table.insert(self.fills, {
      id = fill.id, order = fill.order, unit = fill.unit, time = fill.time, symbol = fill.symbol, side = fill.side,
      size = fill.size, price = fill.price, fee = fill.fee or 0,
    })
  end
end

--- A fill of the broker.
---@param fill {symbol: string, side: "buy"|"sell", size: number, price: number, fee?: number, time: number}
function Recorder:fill(fill)
  local symbol, fee = fill.symbol, fill.fee or 0
  local signed = fill.side == "buy" and fill.size or -fill.size
  advance(self, fill.time)
  if not self.equity:last() then
    account(self) -- what there was before
  end
  self.traded[symbol] = true
  self.last[symbol] = self.last[symbol] or fill.price
  self.cash = self.cash - signed * fill.price - fee
  self.fees, self.turnover = self.fees + fee, self.turnover + fill.size * fill.price
  self.trades:fill(symbol, signed, fill.price, fee, fill.time)
  hold(self, symbol, position_after(self, symbol, signed))
  keep_fill(self, fill)
  account(self)
end

-- --- A run -------------------------------------------------------------------------------------

-- Whether a unit still has to hear of events that were recorded.
local function is_behind(runtime)
  for _, unit in ipairs(runtime.order) do
    local run = unit.run
    if run and unit.state == "running" and (#unit.inbox > 0 or not run.at_boundary) then
      return true
    end
  end
  return false
end

-- Lets prices pass that have waited, up to a time.
local function catch_up(self, till)
  local waiting = self.waiting
  local first = waiting.first
  while first <= waiting.last and waiting[first][3] <= till do
    self:mark(table.unpack(waiting[first]))
    waiting[first] = nil
    first = first + 1
  end
  waiting.first = first
end

local function let_wait(self, symbol, price, time)
  local waiting = self.waiting
  waiting.last = waiting.last + 1
  waiting[waiting.last] = { symbol, price, time }
  if waiting.last - waiting.first >= MOST_WAITING then
    catch_up(self, waiting[waiting.first][3])
  end
end

local function hear(self, stream, data, time)
  if self.done then
    return
  end
  local symbol, price = self.mark_of(stream, data)
  self.ticks = self.ticks + 1
  if is_behind(self.runtime) then
    return let_wait(self, symbol, price, time)
  end
  catch_up(self, math.huge)
  self:mark(symbol, price, time)
end

-- What the account holds already is where this run begins: as if it were bought now, at its average price.
local function take_over(self, paper)
  self.cash = paper:account().cash
  self.placed = paper.placed and paper:placed()
  for symbol, position in pairs(paper:positions()) do
    hold(self, symbol, position.size)
    self.last[symbol] = position.price
    table.insert(self.carried, position)
  end
  table.sort(self.held)
  self.start = equity_of(self)
end

local function parameters_of(unit)
  local generation = unit and unit.run and unit.run.generation
  return generation and generation.contract.parameters or {}
end

-- "fast 5 → 10": what another generation has turned.
local function differences(before, after)
  local names, texts = {}, {}
  for name, value in pairs(after) do
    names[#names + 1] = before[name] ~= value and name or nil
  end
  for name in pairs(before) do
    names[#names + 1] = after[name] == nil and name or nil
  end
  table.sort(names)
  for i, name in ipairs(names) do
    local old, new = before[name], after[name]
    texts[i] = ("%s %s → %s"):format(name, old == nil and "–" or tostring(old), new == nil and "–" or tostring(new))
  end
  return texts
end

local function note(self, told, changes)
  local reloads = self.reloads[told.unit] or {}
  self.reloads[told.unit] = reloads
  reloads[told.to] = reloads[told.to] or {}
  local latest = self.waiting[self.waiting.last]
  reloads[told.to][told.verdict] = { time = latest and latest[3] or self.now, changes = changes }
  reloads[told.to - MOST_RELOADS] = nil
end

-- When generations came, and what they have turned.
local function watch_reloads(self, runtime)
  local known = {}
  for name, unit in pairs(runtime.units) do
    known[name] = parameters_of(unit)
  end
  runtime:watch {
    report = function(told)
      local now, before = parameters_of(runtime.units[told.unit]), known[told.unit]
      note(self, told, before and differences(before, now) or {})
      known[told.unit] = now
    end,
  }
end

--- Watches a run, from now on.
---@param runtime strobe.live.Runtime
---@param paper? table the broker
function Recorder:attach(runtime, paper)
  self.runtime, self.paper = runtime, paper
  watch_reloads(self, runtime)
  runtime:observe(function(stream, data, time)
    hear(self, stream, data, time)
  end)
  if paper then
    take_over(self, paper)
    paper:on_fill(function(fill)
      if not self.done then
        catch_up(self, fill.time)
        self:fill(fill)
      end
    end)
  end
end

--- Ends it: from now on nothing is recorded.
---@return strobe.backtest.Result
function Recorder:finish()
  if not self.done then
    catch_up(self, math.huge)
    if self.begin then
      account(self)
    end
    self.orders = self.placed and self.paper:placed() - self.placed
    self.done = results.of(self)
  end
  return self.done
end

return Recorder
