local Paper = require "strobe.broker.paper"
local broker = require "strobe.broker"
local cleanup = require "spec.support.cleanup"
local dice = require "spec.support.dice"

local function level(is_bid, price, size)
  return { ts = 0, seq = 0, is_trade = false, is_bid = is_bid, price = price, size = size }
end

local function trade(price, size)
  return { ts = 0, seq = 0, is_trade = true, is_bid = true, price = price, size = size }
end

-- A broker that has seen these ticks of "btc".
local function with(options, ...)
  local paper = assert(Paper.new(options))
  for _, tick in ipairs { ... } do
    paper:tick("btc", tick)
  end
  return paper
end

local function order(id, side, size, price)
  return { id = id, symbol = "btc", side = side, size = size, price = price }
end

describe("a paper broker", function()
  it("fills an order, tells of it, and keeps the account", function()
    local paper <close> = with({ cash = 1000, taker = 0.01 }, level(false, 101, 1), level(false, 102, 1))
    local told = {}
    paper:on_fill(function(fill)
      table.insert(told, fill)
    end)
    local ack = assert(paper:place(order("a", "buy", 2)))
    assert.same({ "filled", 2, 101.5 }, { ack.state, ack.filled, ack.average })
    assert.same({ 101, 102 }, { told[1].price, told[2].price })
    assert.same({ 1.01, 1, 2 }, { told[1].fee, told[1].position, told[2].position })
    assert.same(told, paper:fills())
    assert.equal(1000 - 203 - 2.03, paper:account().cash)
  end)

  it("does not grow with the orders that were", function()
    local paper <close> = with({ history = 100 }, level(false, 101, 1e9))
    local first = assert(paper:place(order("rests", "buy", 1, 50)))
    local function trade_on(from, to)
      for i = from, to do
        paper:place(order("taken " .. i, "buy", 1))
        paper:place(order("cancelled " .. i, "buy", 1, 50))
        paper:cancel("cancelled " .. i)
      end
      collectgarbage()
      collectgarbage()
      return collectgarbage "count"
    end
    local before = trade_on(1, 500)
    assert.near(before, trade_on(501, 5000), 64)
    assert.equal(10001, paper:placed())
    assert.same(first, paper:place(order("rests", "buy", 1, 50)))
    assert.same({ 100, 4901 }, { #paper:fills(), paper:fills()[1].id })
    assert.equal("EEXIST", select(3, paper:place(order("taken 5000", "buy", 2))))
    assert.same({ nil, "cancel: id: there is no order cancelled 1", "ENOENT" }, { paper:cancel "cancelled 1" })
  end)

  it("says which option makes no sense, and where it was given", function()
    local wrong = {
      ["history: a whole number above 0 expected, got 0"] = { history = 0 },
      ["history: a whole number above 0 expected, got 1.5"] = { history = 1.5 },
      ["fee: a number between -1 and 1 expected, got 5"] = { fee = 5 },
      ["maker: a number between -1 and 1 expected, got x"] = { maker = "x" },
      ["cash: a number up to 1e10 expected, got x"] = { cash = "x" },
      ['time: "event" or "tick" expected, got y'] = { time = "y" },
      ["limits.open: a number above 0 expected, got -1"] = { limits = { open = -1 } },
      ["limits: open × value may be 5e+10, is 5e+16"] = { limits = { open = 1e9 } },
    }
    for message, options in pairs(wrong) do
      local ok, e = pcall(function()
        local paper = broker.Paper(options)
        return paper
      end)
      assert.is_false(ok)
      assert.matches("paper_spec.lua:%d+: Paper: " .. message:gsub("%p", "%%%0") .. "$", e)
    end
  end)

  it("charges a maker less, or pays it", function()
    local paper <close> = with({ taker = 0.01, maker = -0.001 }, level(false, 101, 1), level(true, 99, 1))
    assert.equal("open", paper:place(order("a", "buy", 1, 100)).state)
    paper:tick("btc", trade(99, 1))
    assert.equal(-0.1, paper:fills()[1].fee)
    assert.equal(100, paper:fills()[1].price)
    assert.same({}, paper:orders())
  end)

  it("cancels what a market order does not find", function()
    local paper <close> = with({}, level(false, 101, 1))
    local ack = assert(paper:place(order("a", "buy", 2)))
    assert.same({ "cancelled", 1 }, { ack.state, ack.filled })
    assert.same({}, paper:orders())
  end)

  it("lists what rests, and cancels it, once or twice", function()
    local paper <close> = with({}, level(false, 101, 1), level(true, 99, 1))
    paper:place(order("a", "buy", 2, 101))
    paper:place(order("b", "sell", 2, 105))
    local list = paper:orders()
    assert.same({ "a", "b" }, { list[1].id, list[2].id })
    assert.equal(1, list[1].filled)
    local ack = assert(paper:cancel "a")
    assert.same({ "cancelled", 1 }, { ack.state, ack.filled })
    assert.same(ack, paper:cancel "a")
    assert.equal(1, #paper:orders())
    paper:tick("btc", trade(50, 9))
    assert.equal(1, #paper:fills())
  end)

  it("says which cancel cannot be", function()
    local paper <close> = with({}, trade(100, 1))
    paper:place(order("a", "buy", 2))
    local _, message, code = paper:cancel "a"
    assert.equal("cancel: order a is filled", message)
    assert.equal("EALREADY", code)
    assert.equal("ENOENT", select(3, paper:cancel "b"))
    assert.equal("EINVAL", select(3, paper:cancel(5)))
  end)

  it("gives the first acknowledgement for an id, whatever has become of the order", function()
    local paper <close> = with({}, level(false, 101, 1), level(true, 99, 1))
    local first = assert(paper:place(order("a", "buy", 1, 100)))
    paper:tick("btc", trade(98, 1))
    assert.equal(1, paper:position "btc")
    assert.same(first, paper:place(order("a", "buy", 1, 100)))
    assert.equal(1, #paper:fills())
    first.state = "changed by the caller"
    assert.equal("open", paper:place(order("a", "buy", 1, 100)).state)
  end)

  it("refuses what is no order, and names the field and its value", function()
    local paper <close> = with({}, trade(100, 1))
    for text, request in pairs {
      ["id: a string .* expected, got nil"] = { symbol = "btc", side = "buy", size = 1 },
      ['id: a string .* expected, got "a\\n"'] = order("a\n", "buy", 1),
      ["symbol: a string .* expected, got 5"] = { id = "a", symbol = 5, side = "buy", size = 1 },
      ['side: "buy" or "sell" expected, got "hold"'] = order("a", "hold", 1),
      ["size: a number above 0.* expected, got 0"] = order("a", "buy", 0),
      ["size: .* got %-1"] = order("a", "buy", -1),
      ["size: .* got nan"] = order("a", "buy", math.abs(0 / 0)),
      ["size: .* got inf"] = order("a", "buy", math.huge),
      ["size: .* got 1e%-09"] = order("a", "buy", 1e-9),
      ['size: .* got "1"'] = order("a", "buy", "1"),
      ["price: a number above 0 expected, got 0"] = order("a", "buy", 1, 0),
      ["price: none for a market order expected, got 5"] =
        { id = "a", symbol = "btc", side = "buy", size = 1, kind = "market", price = 5 },
      ["price: a number above 0 expected, got nil"] =
        { id = "a", symbol = "btc", side = "buy", size = 1, kind = "limit" },
      ['kind: "market" or "limit" expected, got "stop"'] =
        { id = "a", symbol = "btc", side = "buy", size = 1, kind = "stop" },
    } do
      local ack, message, code = paper:place(request)
      assert.is_nil(ack)
      assert.matches(text, (message:gsub("\\\n", "\\n")))
      assert.equal("EINVAL", code)
    end
    assert.equal("EINVAL", select(3, paper:place(nil)))
    assert.same({}, paper:fills())
  end)

  it("keeps to its limits", function()
    local paper <close> = with({ limits = { open = 2, value = 1000, position = 5 } }, level(true, 99, 50),
      level(false, 100, 50))
    paper:place(order("a", "buy", 2, 90))
    paper:place(order("b", "buy", 2, 91))
    for text, request in pairs {
      ["2 orders are open"] = order("c", "buy", 1, 92),
      ["is worth more than"] = order("d", "buy", 11, 92),
      ["it is worth more than 1000"] = order("e", "sell", 11),
      ["the position could become 6"] = order("f", "buy", 2),
    } do
      local _, message, code = paper:place(request)
      assert.equal("ELIMIT", code)
      assert.matches(text, message)
    end
    assert.equal("filled", paper:place(order("g", "buy", 1)).state)
    assert.has_error(function()
      Paper.new { limits = { open = 1e6, value = 1e6 } }
    end)
  end)

  it("takes no order when it is closed, and may be closed twice", function()
    local paper = with({}, trade(100, 1))
    paper:place(order("a", "buy", 1, 90))
    paper:close()
    paper:close()
    paper:tick("btc", trade(80, 1))
    assert.same({}, paper:fills())
    assert.equal("ESHUTDOWN", select(3, paper:place(order("b", "buy", 1))))
    assert.equal("ESHUTDOWN", select(3, paper:cancel "a"))
  end)

  it("goes on when an observer of fills fails", function()
    local async = require "strobe.async"
    local reported
    async.get_running_loop():set_exception_handler(function(_, context)
      reported = context.message
    end)
    local paper <close> = with({}, trade(100, 1))
    paper:on_fill(function()
      error "broken"
    end)
    assert.equal("filled", paper:place(order("a", "buy", 1)).state)
    async.get_running_loop():set_exception_handler(nil)
    assert.matches("on_fill failed: .*broken", reported)
  end)

  it("ignores what is no tick", function()
    local paper <close> = with({}, trade(100, 1))
    for _, data in ipairs { 5, "x", {}, { is_trade = true }, { is_trade = true, price = 0 / 0, size = 1 },
      { is_trade = false, is_bid = true, price = -1, size = 1 }, { is_trade = true, price = 1, size = math.huge } } do
      paper:tick("btc", data)
    end
    assert.equal(100, paper:place(order("a", "buy", 1)).average)
  end)

  it("is told by its options how to read other feeds", function()
    local paper <close> = assert(broker.Paper { read = function(stream, data)
      return stream:match "^(.*)@trade$", { is_trade = true, is_bid = true, price = data.p, size = data.q }
    end })
    paper:tick("btc@trade", { p = 42, q = 1 })
    paper:tick("btc@depth", { p = 43, q = 1 })
    assert.equal(42, paper:place(order("a", "buy", 1)).average)
  end)
end)

-- --- Anything, by chance --------------------------------------------------------------------------

local CENT = 1000000 -- in units of 10^-8

-- Prices and sizes are whole hundredths here, and fees a thousandth, so that the model counts in whole numbers.
local Model = {}
Model.__index = Model

function Model:add(fill)
  local size, price = math.floor(fill.size * 100 + 0.5), math.floor(fill.price * 100 + 0.5)
  local value = size * price * (CENT // 100)
  local sign = fill.side == "buy" and 1 or -1
  self.cash = self.cash - sign * value - value // 1000
  self.fees = self.fees + value // 1000
  self.sizes[fill.symbol] = (self.sizes[fill.symbol] or 0) + sign * size
end

-- The value of what is held, at marks in whole half hundredths.
function Model:equity(marks)
  local equity = self.cash
  for symbol, size in pairs(self.sizes) do
    equity = equity + size * marks[symbol] * (CENT // 200)
  end
  return equity / 1e8
end

local SYMBOLS = { "a", "b", "c" }

-- A tick near 100, never crossed: bids below 100, asks above.
local function draw_tick(random)
  local is_bid, is_trade = random(2) == 1, random(4) == 1
  local price = is_trade and 9800 + random(400) or is_bid and 9799 + random(200) or 10000 + random(200)
  return { ts = 0, seq = 0, is_trade = is_trade, is_bid = is_bid, price = price / 100,
    size = is_trade and random(300) / 100 or (random(4) - 1) * random(100) / 100 }
end

local function draw_order(random, id)
  local limit = random(3) > 1
  return { id = "o" .. id, symbol = SYMBOLS[random(3)], side = random(2) == 1 and "buy" or "sell",
    size = random(500) / 100, price = limit and (9700 + random(600)) / 100 or nil }
end

-- Fills respect the orders that they are of.
local function check_fills(fills, requests)
  local sums = {}
  for _, fill in ipairs(fills) do
    local request = requests[fill.order]
    assert.equal(request.symbol, fill.symbol)
    assert.equal(request.side, fill.side)
    if request.price then
      assert.is_true((fill.price - request.price) * (request.side == "buy" and 1 or -1) <= 0)
    end
    sums[fill.order] = (sums[fill.order] or 0) + math.floor(fill.size * 100 + 0.5)
    assert.is_true(sums[fill.order] <= request.size * 100 + 1e-6)
  end
end

local function check_account(paper, model)
  local account, marks = paper:account(), {}
  for symbol in pairs(model.sizes) do
    local mark = paper.marks[symbol]:mark()
    marks[symbol] = math.floor((mark or 0) * 200 + 0.5)
    marks.missing = marks.missing or not mark
  end
  assert.equal(model.cash / 1e8, account.cash)
  assert.equal(model.fees / 1e8, account.fees)
  assert.is_true(marks.missing or math.abs(model:equity(marks) - account.equity) < 1e-7)
  local ledger, cost = paper.ledger.account, 0
  for _, position in pairs(ledger.positions) do
    cost = cost + position.cost
  end
  assert.equal(1000 * 100000000, ledger.cash + cost + ledger.fees - ledger.realised)
  for symbol, size in pairs(model.sizes) do
    assert.equal(size / 100, paper:position(symbol))
  end
end

describe("a paper broker with cash", function()
  local function refused(paper, request)
    local ack, message, code = paper:place(request)
    assert.same({ nil, "EFUNDS" }, { ack, code })
    return message
  end

  it("refuses to buy for more, and takes nothing from the book", function()
    local paper <close> = with({ cash = 202, taker = 0.01 }, level(false, 100, 1), level(false, 101, 5))
    assert.equal("order a: it costs 203.01 with its fees, of 202 in cash 202 is free: buy less, sell, or cancel a buy",
      refused(paper, order("a", "buy", 2)))
    assert.equal(202, paper:account().cash)
    local ack = assert(paper:place(order("a", "buy", 1.9)))
    assert.same({ "filled", 1.9 }, { ack.state, ack.filled })
    assert.equal(9.191, paper:account().cash)
  end)

  it("keeps what open buys may cost, with their fees, until they are filled or cancelled", function()
    local paper <close> = with({ cash = 300, maker = 0.01 }, level(false, 105, 1), level(true, 95, 1))
    assert(paper:place(order("a", "buy", 2, 100)))
    assert.matches("it costs 101 with its fees, of 300 in cash 98 is free", refused(paper, order("b", "buy", 1, 100)))
    assert(paper:place(order("c", "buy", 0.9, 100)))
    paper:cancel "a"
    assert(paper:place(order("b", "buy", 2, 100)))
    paper:tick("btc", trade(99, 10))
    assert.equal(7.1, paper:account().cash)
  end)

  it("sells without any, and buys for what that brought", function()
    local paper <close> = with({ cash = 0 }, level(false, 101, 9), level(true, 100, 9))
    refused(paper, order("a", "buy", 1))
    assert(paper:place(order("b", "sell", 2)))
    assert(paper:place(order("c", "buy", 1)))
    refused(paper, order("d", "buy", 1))
  end)

  it("lets everything pass that is not given any", function()
    local paper <close> = with({}, level(false, 101, 1e5))
    assert.equal("filled", paper:place(order("a", "buy", 1000)).state)
    assert.equal(-101000, paper:account().cash)
  end)

  it("is one whose journal began with it, also when the next process does not say so", function()
    local path = require("spec.support.path").free()
    local _ <close> = cleanup(function() os.remove(path) end)
    do
      local paper <close> = assert(Paper.new { journal = path, cash = 100 })
      refused(paper, order("a", "buy", 1, 101))
      assert(paper:place(order("b", "buy", 1, 60)))
    end
    local paper <close> = assert(Paper.new { journal = path })
    refused(paper, order("c", "buy", 1, 60))
    assert.equal("open", paper:place(order("b", "buy", 1, 60)).state) -- the same again is no other
  end)
end)

describe("whatever is ordered", function()
  for seed = 1, 8 do
    it(("cash, positions and fees balance to the last unit (seed %d)"):format(seed), function()
      local random, requests, ids = dice(seed), {}, {}
      local model = setmetatable({ cash = 1000 * 100000000, fees = 0, sizes = {} }, Model)
      local paper <close> = assert(Paper.new { cash = 1000, fee = 0.001 })
      paper:on_fill(function(fill)
        model:add(fill)
      end)
      for i = 1, 3000 do
        local what = random(10)
        if what <= 6 then
          paper:tick(SYMBOLS[random(3)], draw_tick(random))
        elseif what <= 9 or #ids == 0 then
          local request = draw_order(random, i)
          requests[request.id], ids[#ids + 1] = request, request.id
          paper:place(request)
        else
          paper:cancel(ids[random(#ids)])
        end
        if i % 100 == 0 then
          check_account(paper, model)
          assert.is_true(paper:account().cash > -1e-6) -- less than the rounding of fees
        end
      end
      check_fills(paper:fills(), requests)
      assert.is_true(#paper:fills() > 300)
    end)
  end
end)
