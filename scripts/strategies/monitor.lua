-- Monitor: says what goes on in a market, and trades nothing.
--
--   strobe live scripts/strategies/monitor.lua --feed synthetic:1 --watch
--
-- Change a parameter and save: with --watch the new one counts from the next tick on.

local top = require "top"

local parameters = {
  symbol = "btc_usd", -- the stream to look at
  every = 5,          -- seconds between two lines
  alert = 0.5,        -- per cent: a move between two lines that is worth an alert
}

-- What was counted since the last line.
local function begin(st, tick)
  st.due = tick.ts + parameters.every
  st.ticks, st.trades, st.volume = 0, 0, 0
  st.high, st.low = nil, nil
end

local function count(st, tick)
  st.ticks = st.ticks + 1
  if tick.is_trade then
    st.trades, st.volume = st.trades + 1, st.volume + tick.size
    st.high = math.max(st.high or tick.price, tick.price)
    st.low = math.min(st.low or tick.price, tick.price)
  end
end

local function shown(price)
  return price and ("%.10g"):format(price) or "-"
end

local function report(ctx, st)
  local bid, ask, mid = top.prices(st.book)
  ctx:emit("out", ("%s %s bid %s ask %s: %d ticks, %d trades, volume %.6g, low %s, high %s"):format(parameters.symbol,
    shown(mid), shown(bid), shown(ask), st.ticks, st.trades, st.volume, shown(st.low), shown(st.high)))
  local moved = mid and st.mid and (mid / st.mid - 1) * 100
  if moved and math.abs(moved) >= parameters.alert then
    ctx:emit("out", ("%s ALERT: %+.2f %% in %g s"):format(parameters.symbol, moved, parameters.every))
  end
  st.mid = mid
end

local function on_event(ctx, st, m)
  local tick = m.data
  st.book = st.book or top.new()
  if not st.due then
    begin(st, tick)
  elseif tick.ts >= st.due then
    report(ctx, st)
    begin(st, tick)
  end
  top.apply(st.book, tick)
  count(st, tick)
end

return { version = 1, subscribe = { parameters.symbol }, parameters = parameters, on_event = on_event }
