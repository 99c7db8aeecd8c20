-- Mean reversion: bets that the price comes back. It measures how far the price is from its average, in standard
-- deviations; far below it buys, far above it sells, and it leaves when the price is near the average again.
--
--   strobe live scripts/strategies/mean_reversion.lua --feed replay:ticks.csv --clock=virtual --report out.html
--
-- Change a parameter and save: with --watch the new one counts from the next tick on; average and position stay.

local position = require "position"
local top = require "top"

local parameters = {
  symbol = "btc_usd", -- the stream of ticks, and what is traded
  size = 1,           -- position to take
  back = 20,          -- seconds that the average looks back
  enter = 2,          -- deviations from the average at which to enter
  leave = 0.5,        -- deviations at which to leave
  longest = 60,       -- seconds after which a position that did not come back is given up
}

-- Average and variance, exponential over irregular ticks.
local function measure(st, price, now)
  local weight = 1 - math.exp(-(now - st.at) / parameters.back)
  local apart = price - st.average
  st.average = st.average + weight * apart
  st.variance = (1 - weight) * (st.variance + weight * apart * apart)
  st.at = now
end

-- Deviations from the average: below 0 the price is low.
local function score(st, price)
  return st.variance > 0 and (price - st.average) / math.sqrt(st.variance) or 0
end

-- The position to have; nil: as it is.
local function wanted(st, deviations, now)
  if st.target ~= 0 then
    local below = st.target > 0 and -deviations or deviations -- how far it still has to come back
    return (below <= parameters.leave or now - st.entered >= parameters.longest) and 0 or nil
  elseif deviations <= -parameters.enter then
    return parameters.size
  elseif deviations >= parameters.enter then
    return -parameters.size
  end
end

local function on_tick(ctx, st, tick)
  st.book = st.book or top.new()
  top.apply(st.book, tick)
  local _, _, price = top.prices(st.book)
  if not price then
    return
  elseif not st.since then
    st.since, st.at, st.average, st.variance = tick.ts, tick.ts, price, 0
  end
  local target = tick.ts - st.since >= parameters.back and wanted(st, score(st, price), tick.ts)
  measure(st, price, tick.ts)
  if target then
    st.target, st.entered = target, tick.ts
    position.bring(ctx, st, parameters.symbol, target)
  end
end

local function on_event(ctx, st, m)
  st.position, st.target = st.position or 0, st.target or 0
  if m.stream == "fills" then
    position.hear(ctx, st, m.data)
  else
    on_tick(ctx, st, m.data)
  end
end

return { version = 1, subscribe = { parameters.symbol, "fills" }, parameters = parameters, on_event = on_event }
