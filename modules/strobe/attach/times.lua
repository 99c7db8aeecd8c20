--- Whether the time that tasks take is measured: as long as somebody wants to know. It costs each step two looks at the
--- clock.

local inspect = require "strobe.core.inspect"

local times = {}

local holders, before = 0, false

--- Lets it be measured.
---@return fun() release until all have called theirs; calling it twice is harmless
function times.hold()
  if holders == 0 then
    before = inspect.times()
    inspect.times(true)
  end
  holders = holders + 1
  local held = true
  return function()
    if held then
      held, holders = false, holders - 1
      inspect.times(holders > 0 or before)
    end
  end
end

return times
