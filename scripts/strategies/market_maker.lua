-- Market maker: offers to buy a little below the price and to sell a little above it, and lives on the difference. The
-- more it holds, the lower it quotes, so that others take it off its hands; at `most` it stops buying.
--
--   strobe live scripts/strategies/market_maker.lua --feed replay:ticks.csv --clock=virtual --report out.html
--
-- Change a parameter and save: with --watch the new one counts from the next tick on; quotes and position stay.

local position = require "position"
local top = require "top"

local parameters = {
  symbol = "btc_usd", -- the stream of ticks, and what is traded
  size = 1,           -- of each quote
  most = 5,           -- the largest position, either way
  spread = 0.1,       -- per cent of the price between the two quotes
  skew = 0.01,        -- per cent that both quotes go down for each unit we hold
  requote = 0.02,     -- per cent that the right price may be off before a quote is moved
  tick = 0.01,        -- smallest step of a price
}

local function round(price)
  local steps = math.floor(price / parameters.tick + 0.5)
  return tonumber(("%.12g"):format(steps * parameters.tick)) -- 100.21, not 100.20999999999999
end

-- Where we want to quote: never so far that we take what the other side of the book offers. nil: not on this side.
local function wanted(st, side, price)
  local sign = side == "buy" and 1 or -1
  if st.position * sign + parameters.size > parameters.most then
    return nil
  end
  local bid, ask = top.prices(st.book)
  local centre = price * (1 - st.position * parameters.skew / 100)
  local target = centre - sign * price * parameters.spread / 200
  if side == "buy" and ask then
    target = math.min(target, ask - parameters.tick)
  elseif side == "sell" and bid then
    target = math.max(target, bid + parameters.tick)
  end
  return round(target)
end

local function is_off(quote, target)
  return math.abs(quote.price - target) > target * parameters.requote / 100
end

-- Takes a quote back where it is wrong, and makes one where there is none.
local function quote(ctx, st, side, price)
  local mine, target = st.quotes[side], wanted(st, side, price)
  if mine and (not target or is_off(mine, target)) then
    ctx.orders:cancel(mine.id)
    st.quotes[side], mine = nil, nil
  end
  if target and not mine then
    local order = ctx.orders[side](ctx.orders, parameters.symbol, parameters.size, target)
    st.quotes[side] = { id = order.id, price = target, left = parameters.size }
  end
end

local function on_fill(ctx, st, fill)
  position.hear(ctx, st, fill)
  local mine = st.quotes[fill.side]
  if mine and mine.id == fill.order then
    mine.left = mine.left - fill.size
    if mine.left < 1e-9 then
      st.quotes[fill.side] = nil
    end
  end
end

local function on_event(ctx, st, m)
  st.book, st.position, st.quotes = st.book or top.new(), st.position or 0, st.quotes or {}
  if m.stream ~= "fills" then
    top.apply(st.book, m.data)
    local _, _, price = top.prices(st.book)
    if price then
      quote(ctx, st, "buy", price)
      quote(ctx, st, "sell", price)
    end
  else
    on_fill(ctx, st, m.data)
  end
end

-- The rejected code has moved quotes, the replay has moved others that never were: all that rest are taken back, and
-- the next tick makes new ones.
local function on_rollback(ctx, st)
  for _, order in ipairs(ctx:query("order", "orders")) do
    if order.id:match "^[^/@]+" == ctx.unit then
      ctx.orders:cancel(order.id)
    end
  end
  st.quotes = {}
end

-- Nobody looks after quotes when it has stopped. Over a reload they stay.
local function dispose(ctx, st, why)
  local quotes = why == "stop" and st.quotes or {}
  for _, side in ipairs { "buy", "sell" } do
    if quotes[side] then
      ctx.orders:cancel(quotes[side].id)
    end
  end
end

return {
  version = 1, subscribe = { parameters.symbol, "fills" }, parameters = parameters,
  on_event = on_event, on_rollback = on_rollback, dispose = dispose,
}
