-- A position, as the strategies here keep it: by their fills, in st.position, and brought to a target by one order.
--
--   local position = require "position"
--   position.hear(ctx, st, m.data)                   -- an event of the stream "fills"
--   position.bring(ctx, st, "btc_usd", target)       -- at the market

local position = {}

-- A fill, which may be of another unit.
function position.hear(ctx, st, fill)
  if fill.unit == ctx.unit then
    st.position = st.position + (fill.side == "buy" and fill.size or -fill.size)
  end
end

-- Orders what is missing to a target, or what is too much.
function position.bring(ctx, st, symbol, target)
  local change = target - st.position
  if change > 0 then
    ctx.orders:buy(symbol, change)
  elseif change < 0 then
    ctx.orders:sell(symbol, -change)
  end
end

return position
