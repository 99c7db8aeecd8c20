-- Python has nothing like it: a unit is a file whose code changes while events flow. Importlib's reload() patches a
-- module in place; here the new file takes over between two ticks, with a copy of the old state, or is refused.
-- Nothing is lost, and what fails soon after is undone.
--
--   strobe live examples/live/average.lua --feed synthetic:1 --watch
--
-- Change `every`, or the text that is printed, and save. Then break the file, and mend it.

local mean = require "mean" -- another file of the unit: it is watched as well

local every = 10 -- ticks

local function on_event(_, st, m)
  st.mean = mean.add(st.mean, m.data.price)
  if st.mean.count % every == 0 then
    print(("%d ticks of %s, %.2f on average"):format(st.mean.count, m.stream, st.mean.value))
  end
end

return { version = 1, subscribe = { "btc_usd" }, on_event = on_event }
