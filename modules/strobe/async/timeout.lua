--- Deadlines: scopes that cancel what runs in them when their time is up.

local coroutines = require "strobe.async.coroutine"
local errors = require "strobe.async.error"
local future = require "strobe.core.future"
local handle = require "strobe.core.handle"
local join = require "strobe.core.join"
local task = require "strobe.core.task"
local time = require "strobe.core.time"

---@class strobe.Timeout a limit of time for a block; a `<close>` value
---@field private deadline? number loop time in seconds
---@field private state "entered"|"expiring"|"expired"|"exited"
local Timeout = {}
Timeout.__index = Timeout
Timeout.__name = "Timeout"

local timeouts = {}

-- The clock's step. Under the virtual clock less would be no time at all, for ever.
local SHORTEST = 1e-9

local function check_seconds(name, seconds)
  if seconds ~= nil and (type(seconds) ~= "number" or seconds ~= seconds) then
    error(("%s: a number of seconds expected, got %s"):format(name, tostring(seconds)), 3)
  end
end

local function on_timeout(scope)
  scope.state = "expiring"
  scope.timer = nil
  scope.task:cancel()
end

local function start(scope)
  if not scope.deadline then
    return
  end
  if scope.deadline <= time.now() then
    scope.timer = handle.call_soon(on_timeout, scope)
  else
    scope.timer = handle.call_at(scope.deadline, on_timeout, scope)
  end
end

--- Moves the deadline; nil takes it away. asyncio.Timeout.reschedule
---@param when? number loop time in seconds
function Timeout:reschedule(when)
  if self.state ~= "entered" then
    error(("cannot change the deadline of a timeout that is %s"):format(self.state), 2)
  end
  check_seconds("reschedule", when)
  if self.timer then
    self.timer:cancel()
    self.timer = nil
  end
  self.deadline = when
  start(self)
end

--- The deadline, in seconds of loop time, or nil.
---@return number?
function Timeout:when()
  return self.deadline
end

--- Whether the time was up.
---@return boolean
function Timeout:expired()
  return self.state == "expiring" or self.state == "expired"
end

-- The cancellation is ours unless somebody else has cancelled the task as well.
local function ours(scope)
  return scope.task:uncancel() <= scope.cancelling
end

function Timeout:__close(e)
  if self.timer then
    self.timer:cancel()
    self.timer = nil
  end
  if self.state ~= "expiring" then
    self.state = "exited"
    return
  end
  self.state = "expired"
  if ours(self) and errors.is(e, errors.CancelledError) then
    self.raised = errors.TimeoutError(self.message)
    error(self.raised, 0)
  end
end

function Timeout:__tostring()
  return ("<Timeout [%s]>"):format(self.state)
end

local function open(deadline, message)
  local current = task.current()
  if not current then
    error("a timeout should be used inside a task", 3)
  end
  local scope = setmetatable({
    deadline = deadline,
    state = "entered",
    task = current,
    cancelling = current:cancelling(),
    message = message,
  }, Timeout)
  start(scope)
  return scope
end

--- A scope that raises TimeoutError where its block waits longer than `seconds`:
--- `local t <close> = async.timeout(2)`. nil never expires. asyncio.timeout
---@nodiscard
---@param seconds? number from now; 0 or less expires at the first wait
---@return strobe.Timeout
function timeouts.timeout(seconds)
  check_seconds("timeout", seconds)
  if seconds and seconds > 0 then
    seconds = math.max(seconds, SHORTEST)
  end
  return open(seconds and time.now() + seconds, seconds and ("timed out after %g s"):format(seconds))
end

--- As timeout, with a point of loop time: `async.time() + 2`. asyncio.timeout_at
---@nodiscard
---@param when? number seconds on the loop's clock; nil never expires
---@return strobe.Timeout
function timeouts.timeout_at(when)
  check_seconds("timeout_at", when)
  return open(when, when and ("timed out at %g s"):format(when))
end

-- No time at all: what has not ended is cancelled, or never started.
local function await_at_once(awaitable)
  if future.is(awaitable) then
    if awaitable:done() then
      return awaitable:await()
    end
    awaitable:cancel()
    join.wait { awaitable }
    if not awaitable:cancelled() then
      return awaitable:await()
    end
  elseif coroutines.is(awaitable) then
    coroutines.take(awaitable)
  end
  error(errors.TimeoutError "timed out at once", 0)
end

local function await_within(seconds, awaitable, ...)
  local scope <close> = timeouts.timeout(seconds) -- luacheck: ignore
  if type(awaitable) == "function" then
    return awaitable(...)
  end
  return coroutines.await(awaitable)
end

--- Waits for an awaitable at most `seconds` (nil: for ever); then it is cancelled
--- and TimeoutError raised. Without any time (0 or less) nothing is started.
--- asyncio.wait_for
---@async
---@param awaitable strobe.Awaitable|function a function gets the further arguments
---@param seconds? number
---@param ... any for a function
---@return any ...
function timeouts.wait_for(awaitable, seconds, ...)
  check_seconds("wait_for", seconds)
  if type(awaitable) ~= "function" and not coroutines.is_awaitable(awaitable) then
    error(("wait_for: an awaitable or a function expected, got %s"):format(tostring(awaitable)), 2)
  end
  if seconds and seconds <= 0 then
    return await_at_once(awaitable)
  end
  return await_within(seconds, awaitable, ...)
end

--- Calls f(…) and returns true and its results, or, when it takes longer than
--- `seconds`, cancels it and returns false, "timeout".
---@async
---@param seconds number
---@param f function it may wait
---@param ... any its arguments
---@return boolean finished
---@return any ... what it returned, or "timeout"
function timeouts.move_on_after(seconds, f, ...)
  check_seconds("move_on_after", seconds)
  if type(f) ~= "function" then
    error(("move_on_after: a function expected, got %s"):format(type(f)), 2)
  end
  local scope
  local function body(...)
    local inner <close> = timeouts.timeout(seconds)
    scope = inner
    return f(...)
  end
  local results = table.pack(pcall(body, ...))
  if results[1] then
    return table.unpack(results, 1, results.n)
  end
  if scope and scope:expired() and results[2] == scope.raised then
    return false, "timeout"
  end
  error(results[2], 0)
end

return timeouts
