--- A program: reloads a unit WARM_UP times, then COUNT times; prints heap and resident memory (KiB) before and after.
-- usage: strobe --clock=virtual spec/support/reloads.lua WARM_UP COUNT
local much_reloaded = require "spec.support.much_reloaded"

local units <close> = much_reloaded.start()
local heap_before, resident_before = much_reloaded.measure(units, tonumber(arg[1]))
local heap, resident = much_reloaded.measure(units, tonumber(arg[2]))
print(("%.1f %.1f %d %d"):format(heap_before, heap, resident_before, resident))
