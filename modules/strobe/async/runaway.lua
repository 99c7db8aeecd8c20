--- Code that goes on for long without waiting: who may say that it ends. Units have quotas, and what is typed from afar
-- has a budget; each is asked about what runs, by the watchdog, in a hook.

local core = require "strobe.core.watchdog"

local runaway = {}

---@class strobe.Judge
---@field seconds number of processor time after which it is asked first
---@field judge fun(seconds: number, place: string, step: integer): any an error to be raised until the step ends; the
---time at which it wants to be asked again, in seconds; or nil

---@type table<any, strobe.Judge>
local judges = {}

-- The first error, else the earliest time.
local function judge(seconds, place, step)
  local due
  for _, each in pairs(judges) do
    local verdict = each.judge(seconds, place, step)
    if type(verdict) == "number" then
      due = math.min(due or verdict, verdict)
    elseif verdict ~= nil then
      return verdict
    end
  end
  return due
end

local function update()
  local least
  for _, each in pairs(judges) do
    least = math.min(least or each.seconds, each.seconds)
  end
  core.quota(least, least and judge or nil)
end

--- Has a judge asked about steps that have used so much processor time.
---@param key any whose judge it is; each has one
---@param seconds number at least 0.001
---@param f fun(seconds: number, place: string, step: integer): any see strobe.Judge
function runaway.watch(key, seconds, f)
  judges[key] = { seconds = seconds, judge = f }
  update()
end

--- The judge is not asked any more.
---@param key any
function runaway.unwatch(key)
  if judges[key] then
    judges[key] = nil
    update()
  end
end

return runaway
