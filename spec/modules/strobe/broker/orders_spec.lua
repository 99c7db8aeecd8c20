local orders = require "strobe.broker.orders"

-- The orders of a run that only writes down what it is to send.
local function of_run(desk)
  local sent = {}
  local run = {
    unit = { name = "mm", runtime = { desk = desk } },
    emit = function(_, port, value)
      sent[#sent + 1] = value
      return { id = "mm/1/" .. #sent, port = port }
    end,
  }
  return orders.of(run), sent, run
end

describe("ctx.orders", function()
  it("are effects on the port order, at the market or at a price", function()
    local made, sent = of_run()
    assert.same({ id = "mm/1/1", port = "order" }, made:buy("btc_usd", 0.5, 60000))
    made:sell("btc_usd", 2)
    made:cancel "mm/1/1"
    assert.same({
      { op = "place", symbol = "btc_usd", side = "buy", kind = "limit", size = 0.5, price = 60000 },
      { op = "place", symbol = "btc_usd", side = "sell", kind = "market", size = 2 },
      { op = "cancel", id = "mm/1/1" },
    }, sent)
  end)

  it("know the position of their unit, which is none without a broker", function()
    assert.equal(0, of_run():position "btc_usd")
    local made = of_run {
      position = function(_, unit, symbol)
        return unit == "mm" and symbol == "btc_usd" and -3 or 9
      end,
    }
    assert.equal(-3, made:position "btc_usd")
  end)

  it("are the same for a run each time", function()
    local made, _, run = of_run()
    assert.equal(made, orders.of(run))
  end)
end)
