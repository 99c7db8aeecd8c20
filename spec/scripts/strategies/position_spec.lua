local position = assert(loadfile "scripts/strategies/position.lua")()

-- A unit "mm" that writes down what it orders.
local function unit()
  local orders = {}
  local ctx = { unit = "mm", orders = {} }
  for _, side in ipairs { "buy", "sell" } do
    ctx.orders[side] = function(_, symbol, size)
      table.insert(orders, ("%s %g %s"):format(side, size, symbol))
    end
  end
  return ctx, orders
end

describe("a strategy's position", function()
  it("follows its own fills, and no others", function()
    local ctx, st = unit(), { position = 1 }
    position.hear(ctx, st, { unit = "mm", side = "buy", size = 2 })
    position.hear(ctx, st, { unit = "mm", side = "sell", size = 0.5 })
    position.hear(ctx, st, { unit = "other", side = "sell", size = 9 })
    assert.equal(2.5, st.position)
  end)

  it("is brought to a target by one order, and by none when it is there", function()
    local ctx, orders = unit()
    for _, target in ipairs { 3, -1, 1 } do
      position.bring(ctx, { position = 1 }, "btc", target)
    end
    assert.same({ "buy 2 btc", "sell 2 btc" }, orders)
  end)
end)
