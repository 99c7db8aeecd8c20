--- Live units: strategies whose code is exchanged while events flow. A bad file never hurts a running unit; a good one
--- takes over between two events; what was received is not lost.
--
--   local live = require "strobe.live"
--   local runtime <close> = live.Runtime { root = "/home/ada/strategies" }
--   assert(runtime:start("mm", "/home/ada/strategies/mm.lua").verdict == "committed")
--   for tick in db:ticks "btc_usd" do runtime:offer("btc_usd", tick) end      -- and elsewhere: runtime:reload "mm"
--
-- A unit is a file that returns a table: version, subscribe (a list of streams), init(ctx, st), migrate(st, from),
-- on_event(ctx, st, m) or main(ctx, st), dispose(ctx, st, why), on_rollback(ctx, st, effects).

local Runtime = require "strobe.live.runtime"

---@class strobe.live
local live = {}

--- Makes a runtime, which owns units with their inboxes, ports and timers. A `<close>` value.
---@param options? strobe.live.RuntimeOptions
---@return strobe.live.Runtime
function live.Runtime(options)
  return Runtime.new(options)
end

return live
