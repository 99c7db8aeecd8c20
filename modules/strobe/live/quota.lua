--- The quota of units: how long their code may run without waiting, in processor time.
--
-- Code that goes on longer gets an error of code "budget" again and again, until it is left: neither pcall nor a
-- coroutine keeps it from that, only a slow function in C, or a finalizer, has to end by itself. strobe's own modules
-- are not cut. What has run for too long has failed, even if it has come to its end meanwhile: see run.exceeded.
--
-- A step is looked at twice, for one that is cut leaves its state half changed: a cycle of the collector in a large
-- heap, or a machine that stood still, may use up the quota of one that is about to end. What has used four times as
-- much at the first look is not given more.

local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"
local quarantine = require "strobe.live.quarantine"
local runaway = require "strobe.async.runaway"
local runs = require "strobe.live.run"

---@class strobe.live.QuotaOptions
---@field seconds number of processor time for a step of a unit's task, and for migrate; at least 0.001

---@class strobe.live.BudgetError : strobe.Error
---@field code "budget"
local BudgetError = core_error.class("BudgetError", errors.Error)
BudgetError.code = "budget"

local quota = { BudgetError = BudgetError }

-- For how long a step may go on that was seen to have used its quota, and how late that may be seen; in quotas.
local GRACE, LATE = 0.25, 4

-- The step that was seen so last.
local suspect

-- Seconds by runtime; one that was forgotten is not kept alive.
local limits = setmetatable({}, { __mode = "k" })

local function least()
  local seconds
  for _, limit in pairs(limits) do
    seconds = math.min(seconds or limit, limit)
  end
  return seconds
end

-- The run that the code belongs to, if to one, and how long that may go on; nil: for ever.
local function whose()
  local account = quarantine.account()
  if account then
    return nil, not account.left and least() or nil -- else it counts its instructions
  end
  local run = runs.current()
  return run, run and limits[run.unit.runtime]
end

-- Asked by the watchdog, in a hook.
local function judge(seconds, place, step)
  local run, limit = whose()
  if not limit then
    return seconds + (least() or math.huge) -- a step that is nobody's may come to call migrate
  elseif run and run.sending then
    return seconds + limit -- ports are not the unit's code
  elseif seconds < limit then
    return limit
  elseif suspect ~= step and seconds < limit * LATE then
    suspect = step
    return seconds + limit * GRACE
  end
  local e = BudgetError(("%sit ran for %.3g s without waiting; its quota is %g s"):format(place, seconds, limit))
  if run then
    run.exceeded = e
  end
  return e
end

local function watch()
  local seconds = least()
  if seconds then
    runaway.watch(quota, seconds, judge)
  else
    runaway.unwatch(quota)
  end
end

--- Looks after the units of a runtime from now on.
---@param runtime strobe.live.Runtime
---@param options? strobe.live.QuotaOptions nil: their code may run for ever
function quota.open(runtime, options)
  if options then
    if type(options) ~= "table" or type(options.seconds) ~= "number" or options.seconds < 0.001 then
      error("quota: {seconds = 0.001 or more} expected", 3)
    end
    limits[runtime] = options.seconds
    watch()
  end
end

--- No more.
---@param runtime strobe.live.Runtime
function quota.close(runtime)
  if limits[runtime] then
    limits[runtime] = nil
    watch()
  end
end

--- Why a run is undone that has failed so.
---@param e any
---@return "budget"|"error"
function quota.code_of(e)
  return errors.is(e, BudgetError) and "budget" or "error"
end

--- As xpcall. The handler of an error raised in a hook runs without hooks: one that does not end would spin for ever,
--- so an error of the quota has none.
---@param f function
---@param handler fun(e: any): any
---@param ... any
---@return boolean ok
---@return any ...
function quota.xpcall(f, handler, ...)
  return xpcall(f, function(e)
    if errors.is(e, BudgetError) then
      return e
    end
    return handler(e)
  end, ...)
end

return quota
