-- EMA cross: follows the trend. Two averages of the price, a fast and a slow one: when the fast one rises above the
-- slow one it buys, when it falls below it sells.
--
--   strobe live scripts/strategies/ema_cross.lua --feed replay:ticks.csv --clock=virtual --report out.html
--
-- Change a parameter and save: with --watch the new one counts from the next tick on; averages and position stay.

local position = require "position"
local top = require "top"

local parameters = {
  symbol = "btc_usd", -- the stream of ticks, and what is traded
  size = 1,           -- position to hold
  fast = 5,           -- seconds that the fast average looks back
  slow = 20,          -- seconds that the slow one does
  band = 0.01,        -- per cent that they must be apart: below it nothing is done
  short = true,       -- sell what we do not have, too? If not, we are long or out
}

-- An exponential average over irregular ticks: what is `back` seconds old counts a third.
local function average(before, price, elapsed, back)
  return before + (price - before) * (1 - math.exp(-elapsed / back))
end

-- +size, -size, 0; nil: as it is.
local function wanted(st)
  local apart = (st.fast / st.slow - 1) * 100
  if apart > parameters.band then
    return parameters.size
  elseif apart < -parameters.band then
    return parameters.short and -parameters.size or 0
  end
end

local function trade(ctx, st)
  local target = wanted(st)
  if target and target ~= st.target then
    st.target = target
    position.bring(ctx, st, parameters.symbol, target)
  end
end

local function on_tick(ctx, st, tick)
  st.book = st.book or top.new()
  top.apply(st.book, tick)
  local _, _, price = top.prices(st.book)
  if not price then
    return
  elseif not st.since then
    st.since, st.at, st.fast, st.slow = tick.ts, tick.ts, price, price
  end
  st.fast = average(st.fast, price, tick.ts - st.at, parameters.fast)
  st.slow = average(st.slow, price, tick.ts - st.at, parameters.slow)
  st.at = tick.ts
  if tick.ts - st.since >= parameters.slow then -- before that the averages mean nothing
    trade(ctx, st)
  end
end

local function on_event(ctx, st, m)
  st.position = st.position or 0
  if m.stream == "fills" then
    position.hear(ctx, st, m.data)
  else
    on_tick(ctx, st, m.data)
  end
end

return { version = 1, subscribe = { parameters.symbol, "fills" }, parameters = parameters, on_event = on_event }
