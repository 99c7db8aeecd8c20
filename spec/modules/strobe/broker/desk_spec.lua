local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local broker = require "strobe.broker"
local dice = require "spec.support.dice"

-- Ticks of a market: levels and trades.
local function level(is_bid, price, size)
  return { ts = 0, seq = 0, is_trade = false, is_bid = is_bid, price = price, size = size }
end

local function trade(price, size)
  return { ts = 0, seq = 0, is_trade = true, is_bid = true, price = price, size = size }
end

-- A unit that says all it hears, and does as it is told by events of the stream "orders".
local TALKER = [[
  return { version = 1, subscribe = { "btc", "orders", "fills" }, on_event = function(ctx, st, m)
    if m.stream == "orders" then
      local order = m.data
      local effect = ctx.orders[order[1] ](ctx.orders, order[2], order[3], order[4])
      ctx:emit("out", effect.id)
    elseif m.stream == "fills" then
      ctx:emit("out", ("fill of %s: %g at %g, position %g"):format(m.data.order, m.data.size, m.data.price,
        ctx.orders:position "btc"))
    else
      ctx:emit("out", (m.data.is_trade and "trade" or "level") .. " " .. m.data.price)
    end
  end }]]

local function market(options)
  local units = UnitFolder.new { ["mm.lua"] = TALKER }
  local paper = assert(broker.Paper(options))
  paper:attach(units.runtime)
  assert(units:start("mm").verdict == "committed")
  return units, paper
end

describe("orders of a unit", function()
  it("are filled by its ticks, and it hears of that before the next event", function()
    local units <close>, paper = market { fee = 0.001 }
    units:offer("btc", level(false, 101, 2), level(true, 100, 2))
    units:offer("orders", { "buy", "btc", 1 })
    units:offer("btc", level(false, 102, 2))
    assert.same({ "level 101", "level 100", "mm/3/1", "fill of mm/3/1: 1 at 101, position 1", "level 102" },
      units:values())
    assert.equal(-101 - 0.101, paper:account().cash)
  end)

  it("meet the market as the unit has seen it, however many ticks wait", function()
    local units <close> = market()
    units.runtime:offer("btc", level(false, 101, 2))
    units.runtime:offer("orders", { "buy", "btc", 1 })
    units.runtime:offer("btc", level(false, 101, 0))
    units.runtime:offer("btc", level(false, 150, 2))
    async.sleep(0.1)
    assert.same({ "level 101", "mm/2/1", "fill of mm/2/1: 1 at 101, position 1", "level 101", "level 150" },
      units:values())
  end)

  it("that rest are filled before the unit hears of the tick that does it", function()
    local units <close> = market()
    units:offer("btc", level(true, 99, 5))
    units:offer("orders", { "buy", "btc", 1, 100 })
    units:offer("btc", trade(99.5, 0.1))
    assert.same({ "level 99", "mm/2/1", "fill of mm/2/1: 1 at 100, position 1", "trade 99.5" }, units:values())
  end)

  it("can be cancelled", function()
    local units <close>, paper = market()
    units:offer("orders", { "sell", "btc", 1, 100 })
    assert.equal("mm/1/1", paper:orders()[1].id)
    units:offer("orders", { "cancel", "mm/1/1" })
    assert.same({}, paper:orders())
  end)
end)

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- A disk that writes nothing until it is told to, and fails if that is asked for.
local function slow_disk(gate)
  return function(disk)
    return {
      write = function(_, text, offset)
        gate.open:wait()
        if gate.fails then
          return nil, "write x: no space left on device", "ENOSPC"
        end
        return disk:write(text, offset)
      end,
      sync = function()
        return disk:sync()
      end,
      truncate = function(_, size)
        return disk:truncate(size)
      end,
    }
  end
end

describe("with a journal, a unit", function()
  local function held(options)
    local gate = { open = async.Event() }
    local units
    units = UnitFolder.new { ["mm.lua"] = TALKER }
    options = options or {}
    options.journal, options.disk = units.folder.path .. "/orders.journal", slow_disk(gate)
    local paper = assert(broker.Paper(options))
    paper:attach(units.runtime)
    assert(units:start("mm").verdict == "committed")
    return units, paper, gate
  end

  it("hears of a fill when it is on the disk, and of nothing else before", function()
    local units <close>, paper, gate = held()
    local closing <close> = paper -- luacheck: ignore
    units:offer("btc", trade(100, 1))
    units:offer("orders", { "buy", "btc", 1 })
    units:offer("btc", trade(101, 1))
    assert.same({ "trade 100", "mm/2/1" }, units:values())
    assert.equal(1, paper:position "btc")
    gate.open:set()
    async.sleep(1)
    assert.same({ "trade 100", "mm/2/1", "fill of mm/2/1: 1 at 100, position 1", "trade 101" }, units:values())
  end)

  it("hears nothing of an order that the disk did not take, and goes on", function()
    local units <close>, paper, gate = held()
    local closing <close> = paper -- luacheck: ignore
    local failures = {}
    async.get_running_loop():set_exception_handler(function(_, context)
      table.insert(failures, context.message)
    end)
    units:offer("btc", trade(100, 1))
    units:offer("orders", { "buy", "btc", 1 })
    units:offer("btc", trade(101, 1))
    gate.fails = true
    gate.open:set()
    async.sleep(1)
    async.get_running_loop():set_exception_handler(nil)
    assert.same({ "trade 100", "mm/2/1", "trade 101" }, units:values())
    assert.equal(0, paper:position "btc")
    assert.same({}, paper:fills())
    assert.matches("order mm/2/1: .*no space left", units.logged[#units.logged][2])
    assert.matches("1 records are refused", failures[1])
    gate.fails = false
    units:offer("orders", { "buy", "btc", 1 })
    async.sleep(1)
    assert.equal("fill of mm/4/1: 1 at 101, position 1", units:values()[5])
  end)

  it("can be reloaded while a fill waits for the disk", function()
    local units <close>, paper, gate = held()
    local closing <close> = paper -- luacheck: ignore
    units:offer("btc", trade(100, 1))
    units:offer("orders", { "buy", "btc", 1 })
    assert.equal("committed", units:reload("mm", TALKER .. " -- new").verdict)
    gate.open:set()
    async.sleep(1)
    assert.equal("fill of mm/2/1: 1 at 100, position 1", units:values()[3])
  end)

  it("gives its orders ids that no process before it has used", function()
    local units <close>, paper, gate = held()
    gate.open:set()
    units:offer("btc", trade(100, 1))
    units:offer("orders", { "buy", "btc", 1 })
    async.sleep(1)
    paper:close()
    local again <close> = UnitFolder.new { ["mm.lua"] = TALKER }
    local next_one <close> = assert(broker.Paper { journal = units.folder.path .. "/orders.journal" })
    next_one:attach(again.runtime)
    assert(again:start("mm").verdict == "committed")
    again:offer("btc", trade(100, 1))
    again:offer("orders", { "buy", "btc", 1 })
    async.sleep(1)
    assert.same({ "trade 100", "mm@2/2/1", "fill of mm@2/2/1: 1 at 100, position 2" }, again:values())
  end)
end)

-- A strategy that trades on what it sees and hears, and ends up long, short, with orders that rest.
local TRADER = [[
  return { version = 1, subscribe = { "btc", "fills" }, on_event = function(ctx, st, m)
    st.seen = (st.seen or 0) + 1
    if m.stream == "fills" then
      st.position = (st.position or 0) + (m.data.side == "buy" and m.data.size or -m.data.size)
      st.resting = m.data.order ~= st.resting and st.resting or nil
      if m.data.side == "buy" and st.seen % 3 == 0 then
        ctx.orders:sell("btc", m.data.size, m.data.price + 1)
      end
    elseif st.seen % 7 == 0 then
      if st.resting then
        ctx.orders:cancel(st.resting)
      end
      st.resting = ctx.orders:buy("btc", 1 + ctx:random(3), m.data.price - 0.5).id
    elseif st.seen % 11 == 0 and (st.position or 0) > 0 then
      ctx.orders:sell("btc", 2)
    end
  end }]]

local function draw_ticks(count)
  local random, ticks = dice(5), {}
  for i = 1, count do
    local is_bid, price = random(2) == 1, 10000 + random(300)
    local is_trade = random(3) == 1
    ticks[i] = {
      ts = i / 1000, seq = i, is_trade = is_trade, is_bid = is_bid, size = random(5) - (is_trade and 0 or 1),
      price = (is_trade and price or is_bid and price - 150 or price + 150) / 100,
    }
  end
  return ticks
end

-- The journal of that strategy, when `feed` hands it the ticks.
local function journal_of(ticks, feed, options)
  local units <close> = UnitFolder.new({ ["trader.lua"] = TRADER }, options)
  local path = units.folder.path .. "/orders.journal"
  local paper <close> = assert(broker.Paper { journal = path, time = "tick", fee = 0.0004 })
  paper:attach(units.runtime)
  assert(units:start("trader").verdict == "committed")
  feed(units.runtime, ticks)
  async.sleep(10)
  paper:close()
  return read(path), #paper:fills()
end

describe("the same ticks", function()
  local ticks = draw_ticks(1000)

  local function all_at_once(runtime)
    for _, tick in ipairs(ticks) do
      runtime:offer("btc", tick)
    end
  end

  local function one_by_one(runtime)
    for _, tick in ipairs(ticks) do
      runtime:offer("btc", tick)
      async.sleep(0.005)
    end
  end

  it("make the same journal, byte for byte, live and with all of them waiting", function()
    local text, fills = journal_of(ticks, all_at_once)
    assert.is_true(fills > 100)
    assert.equal(text, (journal_of(ticks, one_by_one)))
    assert.equal(text, (journal_of(ticks, all_at_once, { inbox = { size = 3 } })))
  end)

  it("make the same journal when the unit is reloaded again and again", function()
    local text = journal_of(ticks, all_at_once)
    assert.equal(text, (journal_of(ticks, function(runtime)
      for i, tick in ipairs(ticks) do
        runtime:offer("btc", tick)
        if i % 100 == 0 then
          runtime:reload "trader"
        end
      end
    end)))
  end)
end)

describe("a rollback", function()
  -- Sends an order, waits, and fails.
  local BROKEN = [[
    return { version = 1, subscribe = { "btc", "fills" }, on_event = function(ctx, st, m)
      if m.stream == "btc" then
        ctx.orders:buy("btc", 1):await()
        if m.data.price > 100 then
          error "broken"
        end
      end
    end }]]

  it("does not send an order again that was sent", function()
    local units <close> = UnitFolder.new({ ["mm.lua"] = BROKEN:gsub("> 100", "> 1000") }, {
      probation = { events = 50, seconds = 30 },
    })
    local paper <close> = assert(broker.Paper { journal = units.folder.path .. "/orders.journal" })
    paper:attach(units.runtime)
    assert(units:start("mm").verdict == "committed")
    units:offer("btc", trade(99, 1))
    async.sleep(1)
    assert.equal("committed", units:reload("mm", BROKEN).verdict)
    units:offer("btc", trade(100, 1))
    units:offer("btc", trade(101, 1))
    async.sleep(1)
    assert.equal("rolled_back:error", units.reports[#units.reports].verdict)
    units:offer("btc", trade(102, 1))
    async.sleep(1)
    local prices = {}
    for i, fill in ipairs(paper:fills()) do
      prices[i] = fill.price
    end
    assert.same({ 99, 100, 101, 102 }, prices)
    assert.equal(4, paper:position("btc", "mm"))
  end)
end)

describe("other units", function()
  local LISTENER = [[
    return { version = 1, subscribe = { "fills" }, on_event = function(ctx, st, m)
      ctx:emit("out", "heard of " .. m.data.order .. " at " .. m.data.position)
    end }]]

  it("that subscribe to fills hear of all", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = TRADER, ["risk.lua"] = LISTENER }
    local paper <close> = assert(broker.Paper {})
    paper:attach(units.runtime)
    assert(units:start("risk").verdict == "committed")
    units:offer("btc", trade(100, 1))
    assert(paper:place { id = "by hand", symbol = "btc", side = "buy", size = 2 })
    async.sleep(0.1)
    assert.same({ "heard of by hand at 2.0" }, units:values())
  end)

  it("have positions of their own", function()
    local units <close>, paper = market()
    units:offer("btc", trade(100, 1))
    assert(paper:place { id = "by hand", symbol = "btc", side = "buy", size = 2 })
    units:offer("orders", { "sell", "btc", 3 })
    assert.equal(-3, paper:position("btc", "mm"))
    assert.equal(-1, paper:position "btc")
    assert.equal(-1, paper:positions().btc.size)
  end)
end)

describe("an order of a unit that cannot be", function()
  it("is said in the log, and is the effect's outcome", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = [[
      return { version = 1, subscribe = { "btc" }, on_event = function(ctx, st, m)
        for _, effect in ipairs { ctx.orders:buy("btc", -1), ctx.orders:cancel "none", ctx:emit("order", 5),
          ctx.orders:buy("btc", 1) } do
          local ack, message, code = effect:await()
          ctx:emit("out", ack and ack.state or code .. ": " .. message)
        end
        local account = ctx:query("order", "account")
        ctx:emit("out", account.cash)
        ctx:emit("out", select(3, ctx:query("order", "fees")))
      end }]] }
    local paper <close> = assert(broker.Paper {})
    paper:attach(units.runtime)
    assert(units:start("mm").verdict == "committed")
    units:offer("btc", trade(100, 1))
    assert.same({
      "EINVAL: order mm/1/1: size: a number above 0, of 10^-8 or more, expected, got -1",
      "ENOENT: cancel: id: there is no order none",
      'EINVAL: order: a table {op = "place" or "cancel", …} expected, got number',
      "filled", -100, "EINVAL",
    }, units:values())
    assert.equal(3, #units.logged)
  end)
end)

describe("what there is to say about a journal", function()
  it("is said in the log when units are there to trade with it", function()
    local units <close> = UnitFolder.new { ["orders.journal"] = "half a rec" }
    local paper <close> = assert(broker.Paper { journal = units.folder.path .. "/orders.journal" })
    paper:attach(units.runtime)
    assert.matches("cut off 10 bytes at byte 0", units.logged[1][2])
  end)
end)

describe("any venue", function()
  it("can take the orders of units, and may be slow", function()
    local told, placed = nil, {}
    local venue = {
      place = function(_, request)
        async.sleep(0.5)
        table.insert(placed, request)
        told { id = 1, order = request.id, symbol = "btc", side = "buy", size = 1, price = 7, time = 1, fee = 0 }
        return { id = request.id, state = "filled" }
      end,
      cancel = function() end, orders = function() end, account = function() end,
      positions = function()
        return { btc = { size = 5 } }
      end,
      on_fill = function(_, f)
        told = f
      end,
    }
    local units <close> = UnitFolder.new { ["mm.lua"] = TALKER }
    broker.attach(units.runtime, venue)
    assert(units:start("mm").verdict == "committed")
    units:offer("orders", { "buy", "btc", 1, 7 })
    async.sleep(1)
    assert.same({ { id = "mm/1/1", symbol = "btc", side = "buy", kind = "limit", size = 1, price = 7 } }, placed)
    assert.same({ "mm/1/1", "fill of mm/1/1: 1 at 7, position 5" }, units:values())
  end)

  it("has all that a venue has", function()
    assert.has_error(function()
      broker.attach({}, { place = print })
    end)
  end)
end)
