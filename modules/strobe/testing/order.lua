--- The order of ready tasks, drawn by a seed.
--
-- Tasks that are ready in the same turn of the loop run in the order in which they became so. A program that needs
-- this order has a race: a little more delay somewhere, and it fails. While tasks are shuffled, each turn has another
-- order, among those which the loop's promises allow: callbacks (call_soon, done callbacks) stay in their order, no
-- task overtakes a callback that was ready before it, and a task that calls `sleep(0)` comes after all that was ready
-- then. The same seed gives the same orders.

local shuffle = require "strobe.core.shuffle"

local order = {}

-- Whether the `it` that runs has asked for first in, first out.
local fixed = false

--- Shuffles the tasks until the returned value is closed; `strobe test --shuffle-tasks N` does so around each `it`.
---
--- `local shuffled <close> = testing.shuffle(7)`
---@param seed integer
---@return table shuffled a `<close>` value; `:close()` twice is harmless
function order.shuffle(seed)
  if math.type(seed) ~= "integer" then
    error(("testing.shuffle: a whole number expected, got %s"):format(tostring(seed)), 2)
  end
  local before, open = shuffle.seed(), true
  shuffle.start(seed)
  local function close()
    if not open then
      return
    end
    open = false
    if before then
      shuffle.start(before)
    else
      shuffle.stop()
    end
  end
  return setmetatable({ close = close }, { __close = close })
end

--- Says that the `it` which runs is about the order itself, or may rely on it: tasks run first in, first out from here
--- to its end, and `--shuffle-tasks` does not repeat it.
function order.fifo()
  fixed = true
  shuffle.stop()
end

--- For `strobe test`: whether fifo was called since the last time this was asked.
---@return boolean
function order.take_fixed()
  local was = fixed
  fixed = false
  return was
end

return order
