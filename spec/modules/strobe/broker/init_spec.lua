local UnitFolder = require "spec.support.unit_folder"
local broker = require "strobe.broker"

-- What an adapter of an exchange has to have, and no more.
local function venue()
  local made = { asked = {}, observers = {} }
  function made:place(request)
    table.insert(self.asked, ("%s %s %g"):format(request.side, request.symbol, request.size))
    return { id = request.id, state = "open" }
  end
  function made:cancel(id)
    return nil, "there is no order " .. id, "ENOENT"
  end
  function made:orders()
    return { { id = "x" } }
  end
  function made:positions()
    return { ticks = { symbol = "ticks", size = 3 } }
  end
  function made:account()
    return { cash = 1 }
  end
  function made:on_fill(f)
    table.insert(self.observers, f)
  end
  return made
end

local UNIT = [[return { version = 1, subscribe = { "ticks", "fills" }, on_event = function(ctx, st, m)
  if m.stream == "fills" then
    return ctx:emit("out", "filled " .. m.data.order)
  end
  local ack = ctx.orders:buy("ticks", m.data):await()
  local _, message, code = ctx.orders:cancel("nobody"):await()
  ctx:emit("out", ("%s %s %s %s %g"):format(ack.id, ack.state, message, code, ctx.orders:position("ticks")))
end }]]

describe("broker.Paper", function()
  it("is a paper broker, or nil and why not", function()
    local paper <close> = assert(broker.Paper { cash = 5 })
    assert.equal(5, paper:account().cash)
    local nothing, message, code = broker.Paper { journal = "/no/such/folder/journal" }
    assert.is_nil(nothing)
    assert.matches("/no/such/folder/journal", message)
    assert.equal("ENOENT", code)
  end)
end)

describe("broker.attach", function()
  it("gives any venue to units: what they ask it for, and what it fills", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = UNIT }
    local exchange = venue()
    broker.attach(units.runtime, exchange)
    units:start "mm"
    units:offer("ticks", 2)
    assert.same({ "buy ticks 2" }, exchange.asked)
    exchange.observers[1] { order = "mm/1/1", unit = "mm", symbol = "ticks", time = 1 }
    units:offer("other", 1)
    assert.same({ "mm/1/1 open there is no order nobody ENOENT 3", "filled mm/1/1" }, units:values())
    assert.same({ { id = "x" } }, units.runtime:port("order"):query "orders")
  end)

  it("refuses what is no venue, and says which method is missing", function()
    local units <close> = UnitFolder.new {}
    for _, method in ipairs { "place", "cancel", "orders", "positions", "account", "on_fill" } do
      local half = venue()
      half[method] = nil
      assert.error_matches(function()
        broker.attach(units.runtime, half)
      end, "broker.attach: venue: a venue with " .. method .. " expected", nil, true)
    end
    assert.has_error(function()
      broker.attach(units.runtime, "paper")
    end)
  end)
end)
