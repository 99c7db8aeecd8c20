local Account = require "strobe.broker.account"
local amount = require "strobe.broker.amount"

local ONE = amount.UNITS

-- Fills as {sign, size, price, fee?}, all in "btc".
local function after(...)
  local account = Account.new(0)
  for _, fill in ipairs { ... } do
    account:fill("btc", fill[1], amount.of(fill[2]), fill[3], amount.of(fill[4] or 0))
  end
  return account
end

local function at(price)
  return function()
    return price
  end
end

describe("an account", function()
  it("has a long position at its average price", function()
    local account = after({ 1, 1, 100 }, { 1, 3, 200 })
    local position = account:list(at(180)).btc
    assert.equal(4, position.size)
    assert.equal(175, position.price)
    assert.equal(20, position.unrealised)
    assert.same({ cash = -700, equity = 20, realised = 0, unrealised = 20, fees = 0 }, account:summary(at(180)))
  end)

  it("realises what a sale brings beyond the average price", function()
    local account = after({ 1, 4, 175 }, { -1, 1, 200 })
    assert.equal(25, account:summary(at(175)).realised)
    assert.equal(175, account:list(at(175)).btc.price)
  end)

  it("can be short, and realises when it buys back", function()
    local account = after({ -1, 2, 100 }, { 1, 1, 90 })
    local position = account:list(at(110)).btc
    assert.equal(-1, position.size)
    assert.equal(100, position.price)
    assert.equal(-10, position.unrealised)
    assert.equal(10, account:summary(at(110)).realised)
  end)

  it("turns round at once when a fill is more than the position", function()
    local account = after({ 1, 1, 100 }, { -1, 3, 130 })
    local position = account:list(at(130)).btc
    assert.equal(-2, position.size)
    assert.equal(130, position.price)
    assert.equal(30, account:summary(at(130)).realised)
  end)

  it("has no position when it is sold, and then its cash is what it won", function()
    local account = after({ 1, 1, 100, 0.5 }, { -1, 1, 130, 0.5 })
    assert.same({}, account:list(at(130)))
    assert.same({ cash = 29, equity = 29, realised = 30, unrealised = 0, fees = 1 }, account:summary(at(130)))
  end)

  it("keeps positions of symbols apart", function()
    local account = Account.new(0)
    account:fill("a", 1, ONE, 10, 0)
    account:fill("b", -1, ONE, 20, 0)
    assert.equal(ONE, account:size "a")
    assert.equal(-ONE, account:size "b")
    assert.equal(0, account:size "c")
  end)

  it("balances to the last unit, whatever is left of thirds", function()
    local account = after({ 1, 1, 10 / 3, 0.00000001 }, { 1, 0.7, 1 / 3 }, { -1, 0.3, 2 / 3 }, { -1, 2.9, 7 / 3 })
    local cost = account.positions.btc.cost
    assert.equal(0, account.cash + cost + account.fees - account.realised)
  end)

  it("comes back to what was saved", function()
    local account = after({ 1, 1, 100 })
    local saved = account:save "btc"
    account:fill("btc", -1, 5 * ONE, 90, 7)
    account:restore(saved)
    assert.same(after({ 1, 1, 100 }), account)
  end)
end)
