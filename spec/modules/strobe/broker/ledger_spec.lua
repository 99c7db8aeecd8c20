local Ledger = require "strobe.broker.ledger"
local amount = require "strobe.broker.amount"

local ONE = amount.UNITS

local function place(id, size, price, ...)
  return { op = "place", time = 1, id = id, unit = "mm", symbol = "btc", side = "buy",
    kind = price and "limit" or "market", size = size * ONE, price = price, fills = { ... } }
end

-- What a ledger knows, without what is only there in passing.
local function state_of(ledger)
  local account, open = ledger.account, {}
  for id, order in pairs(ledger.open) do
    open[id] = { order.left, order.value, order.state }
  end
  return { account.cash, account.fees, account.realised, account.positions, ledger.fill_count, open, ledger.open_count,
    ledger.units.mm and ledger.units.mm.btc or 0 }
end

describe("a ledger", function()
  it("knows what its records say", function()
    local ledger = Ledger.new(0, 100)
    ledger:apply(place("a", 3, 100, { ONE, 99, 5 }))
    ledger:apply { op = "fill", time = 2, id = "a", size = ONE, price = 100, fee = 5 }
    assert.equal(ONE, ledger.open.a.left)
    ledger:apply { op = "cancel", time = 3, id = "a" }
    assert.is_nil(next(ledger.open))
    assert.equal(-199 * ONE - 10, ledger.account.cash)
    assert.equal(2 * ONE, ledger.units.mm.btc)
    assert.equal("cancelled", ledger.orders.a.cancelled.state)
  end)

  it("takes back what it was told, the last first", function()
    local ledger, states, saved = Ledger.new(7, 100), {}, {}
    local list = {
      place("a", 3, 100, { ONE, 99, 5 }),
      { op = "fill", time = 2, id = "a", size = ONE, price = 100, fee = 5 },
      place("b", 1, nil, { ONE, 101, 5 }),
      place("c", 1, 90),
      { op = "fill", time = 2, id = "a", size = ONE, price = 100, fee = 5 },
      { op = "cancel", time = 3, id = "c" },
    }
    for i, record in ipairs(list) do
      states[i], saved[i] = state_of(ledger), ledger:save(record)
      ledger:apply(record)
    end
    for i = #list, 1, -1 do
      ledger:revert(list[i], saved[i])
      assert.same(states[i], state_of(ledger))
    end
    assert.same({}, ledger.orders)
  end)

  local function apply_for_good(ledger, record)
    local fills, order = ledger:apply(record)
    ledger:settle(fills, order)
  end

  it("forgets what has ended long ago, as soon as it cannot be taken back", function()
    local ledger = Ledger.new(0, 2)
    apply_for_good(ledger, place("rests", 3, 90, { ONE, 89, 5 }))
    for id = 1, 5 do
      apply_for_good(ledger, place(id, 1, nil, { ONE, 100 + id, 5 }))
    end
    assert.same({ rests = "open", [4] = "filled", [5] = "filled" }, {
      rests = ledger.orders.rests.state, [4] = ledger.orders[4].state, [5] = ledger.orders[5].state,
    })
    assert.same({ nil, nil, nil, "rests" }, { ledger.orders[1], ledger.orders[2], ledger.orders[3], "rests" })
    assert.same({ 5, 6, 104, 105 }, {
      ledger.first_fill, ledger.fill_count, ledger.fills[5].price, ledger.fills[6].price,
    })
    assert.is_nil(ledger.fills[4])
    local record = place("unsure", 1, nil, { ONE, 110, 5 })
    local saved = ledger:save(record)
    ledger:apply(record)
    assert.is_table(ledger.orders[4])
    ledger:revert(record, saved)
    assert.same({ 5, 6 }, { ledger.first_fill, ledger.fill_count })
  end)

  it("keeps an order whose end was taken back", function()
    local ledger = Ledger.new(0, 1)
    local placed, cancel = place("a", 1, 90), { op = "cancel", time = 3, id = "a" }
    local fills, order = ledger:apply(placed)
    local saved = ledger:save(cancel)
    ledger:apply(cancel)
    ledger:settle(fills, order) -- that it was placed is for good, that it was cancelled is not
    ledger:revert(cancel, saved)
    apply_for_good(ledger, place("b", 1, nil, { ONE, 100, 5 }))
    apply_for_good(ledger, place("c", 1, nil, { ONE, 100, 5 }))
    assert.equal(order, ledger.orders.a)
    apply_for_good(ledger, cancel)
    assert.equal(order, ledger.orders.a)
    apply_for_good(ledger, place("d", 1, nil, { ONE, 100, 5 }))
    assert.is_nil(ledger.orders.a)
  end)

  it("says what does not fit", function()
    local ledger = Ledger.new(0, 100)
    ledger:apply(place("a", 1, 100))
    ledger:apply(place("b", 1, nil, { ONE, 101, 5 }))
    assert.equal("is placed twice", ledger:misfit(place("a", 1, 100)))
    assert.equal("is of no order", ledger:misfit { op = "cancel", id = "x" })
    assert.equal("is of an order that is filled", ledger:misfit { op = "cancel", id = "b" })
    assert.equal("fills more than there is", ledger:misfit { op = "fill", id = "a", size = 2 * ONE })
    assert.equal("has an op that is not known: x", ledger:misfit { op = "x" })
    assert.equal("is of version 2", ledger:misfit { op = "open", version = 2 })
    assert.is_nil(ledger:misfit { op = "cancel", id = "a" })
  end)
end)
