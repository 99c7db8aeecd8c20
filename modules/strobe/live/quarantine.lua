--- Code that has to come to its end at once: what modules do while they are loaded, and migrate.
--
-- It runs in a coroutine away from the scheduler, so a wait raises. Whatever would have an effect asks `account` first.
-- Its instructions are counted, also those of coroutines that it makes; a slow function in C is one of them. The
-- counting stops with it: coroutines which outlive it run at full speed.

local refusals = require "strobe.live.refusal"
local watchdog = require "strobe.core.watchdog"

-- Instructions which a module may take to load, and between two looks at their number.
local BUDGET, LOOK = 5000000, 10000

---@class strobe.live.Account of one quarantine
---@field path string   the file whose code it is
---@field thread thread in which that runs
---@field left integer  instructions
---@field watched thread[] coroutines that it made
---@field graph? strobe.live.Graph which is loaded

local quarantine = { BUDGET = BUDGET }

local active

--- The innermost quarantine; nil when code runs that may do what it wants.
---@return strobe.live.Account?
function quarantine.account()
  return active
end

local function refuse_more(account)
  refusals.raise("budget", ("%s takes more than %d instructions to load"):format(account.path, BUDGET))
end

-- Raises at the end, and from then on at each instruction, as a pcall may catch what it raises.
local function limit(thread, account)
  debug.sethook(thread, function()
    account.left = account.left - LOOK
    if account.left <= 0 then
      debug.sethook(thread, function()
        refuse_more(account)
      end, "", 1)
      refuse_more(account)
    end
  end, "", LOOK)
end

--- A coroutine that is made or begun in quarantine counts as what made it.
---@param thread thread
---@return thread
function quarantine.watch(thread)
  if active and active.left then
    limit(thread, active)
    table.insert(active.watched, thread)
  end
  return thread
end

--- Prepares a function.
---@param path string the file whose code it is
---@param f function
---@param graph? strobe.live.Graph
---@return strobe.live.Account
function quarantine.open(path, f, graph)
  local account = { path = path, thread = coroutine.create(f), left = BUDGET, watched = {}, graph = graph }
  limit(account.thread, account)
  return account
end

--- Goes on with it.
---@param account strobe.live.Account
---@param ... any
---@return boolean ok
---@return any ... what it returned or yielded, or the error
function quarantine.resume(account, ...)
  local outer = active
  active = account
  local results = table.pack(coroutine.resume(account.thread, ...))
  active = outer
  return table.unpack(results, 1, results.n)
end

--- Ends it: what it has to close is closed, as much under the rules as all else.
---@param account strobe.live.Account
function quarantine.close(account)
  local outer = active
  active = account
  coroutine.close(account.thread)
  active = outer
  debug.sethook(account.thread)
  for _, thread in ipairs(account.watched) do
    debug.sethook(thread)
  end
end

--- Calls a function which may take its time, as long as the quota allows, but not wait, and have no effects.
---@param path string
---@param f function
---@param ... any
---@return boolean ok
---@return any result or the error
---@return string? trace of an error
function quarantine.call(path, f, ...)
  local account = quarantine.open(path, f)
  account.left = nil
  debug.sethook(account.thread)
  local ok, result = quarantine.resume(account, ...)
  local trace
  watchdog.pardon()
  if ok and coroutine.status(account.thread) ~= "dead" then
    ok, result = false, "it yields"
  end
  if not ok then
    trace = debug.traceback(account.thread, refusals.text(result))
  end
  quarantine.close(account)
  return ok, result, trace
end

return quarantine
