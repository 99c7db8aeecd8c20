--- ctx.orders: orders of a unit, as effects on the port "order".
--
--   local effect = ctx.orders:buy("btc_usd", 0.5, 60000)     -- without a price: at the market
--   ctx.orders:cancel(effect.id)
--
-- They are sent when the step waits or ends, and what comes of them comes as events of the stream "fills". Who must
-- know whether an order was taken awaits the effect: the acknowledgement, or nil, message, code.

---@class strobe.broker.Orders
---@field private run strobe.live.Run
local Orders = {}
Orders.__index = Orders
Orders.__name = "ctx.orders"

local function place(orders, side, symbol, size, price)
  return orders.run:emit("order", {
    op = "place", symbol = symbol, side = side, kind = price and "limit" or "market", size = size, price = price,
  })
end

--- Buys.
---@param symbol string the stream of its ticks
---@param size number
---@param price? number the most to pay; without it what the market asks
---@return strobe.live.Effect effect its id is the order's
function Orders:buy(symbol, size, price)
  return place(self, "buy", symbol, size, price)
end

--- Sells; below nothing it is a short position.
---@param symbol string
---@param size number
---@param price? number the least to get
---@return strobe.live.Effect
function Orders:sell(symbol, size, price)
  return place(self, "sell", symbol, size, price)
end

--- Cancels an order that rests.
---@param id string of the effect that placed it
---@return strobe.live.Effect
function Orders:cancel(id)
  return self.run:emit("order", { op = "cancel", id = id })
end

--- What the unit holds of a symbol, by the fills known now. In a replay that is what it holds now, not what it held
--- then: a strategy that keeps its position in `st`, by its fills, is right there too.
---@param symbol string
---@return number size below 0 when it is short
function Orders:position(symbol)
  local unit = self.run.unit
  local desk = unit.runtime.desk
  return desk and desk:position(unit.name, symbol) or 0
end

local orders = {}

--- The orders of a run.
---@param run strobe.live.Run
---@return strobe.broker.Orders
function orders.of(run)
  run.orders = run.orders or setmetatable({ run = run }, Orders)
  return run.orders
end

return orders
