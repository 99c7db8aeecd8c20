--- Live units: strategies whose code is exchanged while events flow. A bad file never hurts a running unit; a good one
--- takes over between two events; what was received is not lost.
--
--   local live = require "strobe.live"
--   local runtime <close> = live.Runtime { root = "/home/ada/strategies" }
--   assert(runtime:start("mm", "/home/ada/strategies/mm.lua").verdict == "committed")
--   runtime:add_feed(assert(feeds.open "tectonic://localhost/btc_usd"))       -- feeds = require "strobe.live.feed"
--   runtime:reload "mm"
--
-- A unit is a file that returns a table: version, subscribe (a list of streams), init(ctx, st), migrate(st, from),
-- dispose(ctx, st, why), on_rollback(ctx, st, effects), and one of
--   on_event(ctx, st, m)      called with one event after the other;
--   on_batch(ctx, st, batch)  with all that wait, in a list: up to batch.size (1000) of them, and when there are fewer,
--                             only batch.wait (0) seconds after the first. They are acknowledged together; a batch that
--                             fails comes again as a whole, and `redelivered` is of all its events;
--   main(ctx, st)             which asks for events itself: for m in ctx:inbox() do … end.
-- Neither an event's data nor what was emitted is to be changed afterwards: they are kept as they are.
--
-- The functions below that take a unit's name are about the process's current runtime: the one that `strobe live` has
-- made, or that set_runtime was given.

local Runtime = require "strobe.live.runtime"

---@class strobe.live
local live = {}

local current

--- Makes a runtime, which owns units with their inboxes, ports and timers. A `<close>` value.
---@param options? strobe.live.RuntimeOptions
---@return strobe.live.Runtime
function live.Runtime(options)
  return Runtime.new(options)
end

--- Makes a runtime the process's current one; nil: there is none any more.
---@param runtime? strobe.live.Runtime
function live.set_runtime(runtime)
  current = runtime
end

local function current_runtime(what)
  return current or error(what .. ": no live runtime; `strobe live` makes one, live.set_runtime names another", 3)
end

--- The process's current runtime. Raises when there is none.
---@return strobe.live.Runtime
function live.runtime()
  return current_runtime "live.runtime"
end

local function report_of(reports, name)
  for _, report in ipairs(reports) do
    if report.unit == name then
      return report
    end
  end
  return reports[1]
end

--- Reloads a unit, and those that share a changed file with it; without a name all whose files have changed. Its own
--- unit no task can wait for: "rejected:deadlock".
---@async
---@param unit? string
---@param options? strobe.live.ReloadOptions
---@return strobe.live.Report? report of the unit; without a name the first; nil when nothing has changed
---@return strobe.live.Report[] reports of all
function live.reload(unit, options)
  local reports = current_runtime("live.reload"):reload(unit, options)
  return report_of(reports, unit), reports
end

--- Asks for a reload and does not wait; requests for one unit coalesce. The report goes where all reports go.
---@param unit? string
function live.request_reload(unit)
  current_runtime("live.request_reload"):request_reload(unit)
end

--- The attempts to exchange a unit's code, oldest first.
---@param unit string
---@return {number: integer, verdict: string, time: number, files: string[]}[]
function live.gens(unit)
  return current_runtime("live.gens"):gens(unit)
end

--- Undoes the last reload of a unit, as long as it is on probation.
---@async
---@param unit string
---@return strobe.live.Report? report nil when it is not on probation
function live.rollback(unit)
  return current_runtime("live.rollback"):rollback(unit)
end

--- Adds a way out for units, or puts another in its place: `ctx:emit(name, value)` calls send, `ctx:query(name, value)`
--- calls query, which changes nothing outside. Both may wait.
---@param name string
---@param functions strobe.live.PortFunctions
function live.port(name, functions)
  current_runtime("live.port"):add_port(name, functions)
end

--- Declares, while a unit's module is loaded, the metatable of values in its state: a copy of the state gets the one
--- that the new code has declared under the same name. Elsewhere it does nothing, so a module can be used in both.
---@generic T: table
---@param name string
---@param metatable T
---@return T metatable
function live.type(name, metatable) -- luacheck: ignore name
  return metatable
end

return live
