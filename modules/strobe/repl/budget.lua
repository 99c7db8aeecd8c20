--- Code that may run for so long without waiting, and so may the tasks and coroutines that it makes; then it is
-- interrupted, again and again, until it is left. strobe's own modules are not cut, and a slow function in C has to end
-- by itself.

local contexts = require "strobe.async.context"
local errors = require "strobe.async.error"
local runaway = require "strobe.async.runaway"
local watchdog = require "strobe.core.watchdog"

local budget = {}

---@class strobe.repl.Budget
---@field seconds number

local current = contexts.ContextVar("strobe.repl.budget", nil)

-- Seconds of the budgets that there are, by number: a budget lives as long as a task has it in its context.
local living, last = {}, 0

local function least()
  local seconds = math.huge
  for _, each in pairs(living) do
    seconds = math.min(seconds, each)
  end
  return seconds
end

-- Asked by the watchdog, in a hook.
local function judge(seconds, place)
  local mine = current:get()
  if not mine then
    return seconds + least() -- the step may come to it
  elseif seconds < mine.seconds then
    return mine.seconds
  end
  return errors.Interrupted(("%safter running %g ms without waiting"):format(place, mine.seconds * 1000))
end

local function update()
  if next(living) then
    runaway.watch(budget, least(), judge)
  else
    runaway.unwatch(budget)
  end
end

local Budget = {
  __gc = function(each)
    living[each.number] = nil
    pcall(update) -- at the end of the process there is no watchdog any more
  end,
}

local function new(seconds)
  last = last + 1
  living[last] = seconds
  update()
  return setmetatable({ seconds = seconds, number = last }, Budget)
end

-- What was interrupted is left; what goes on behind it is not interrupted any more.
local Scope = {
  __close = function(scope, e)
    current:reset(scope.token)
    if e ~= nil then
      watchdog.pardon()
    end
  end,
}

--- Calls f(…), which may run for so long without waiting.
---@async
---@param seconds number of processor time, at least 0.001
---@param f function
---@param ... any
---@return any ...
function budget.run(seconds, f, ...)
  local token = current:set(new(math.max(seconds, 0.001)))
  local _ <close> = setmetatable({ token = token }, Scope) -- luacheck: ignore
  return f(...)
end

--- As xpcall. The handler of an error raised in a hook runs without hooks: one that does not end would spin for ever,
--- so an interruption has none.
---@param f function
---@param handler fun(e: any): any
---@param ... any
---@return boolean ok
---@return any ...
function budget.xpcall(f, handler, ...)
  return xpcall(f, function(e)
    if errors.is(e, errors.Interrupted) then
      return e
    end
    return handler(e)
  end, ...)
end

return budget
