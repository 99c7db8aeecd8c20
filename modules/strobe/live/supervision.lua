--- Supervision of a unit: whether it is restarted when its main task has ended, and after which pause.
--
-- The words are those of Erlang's supervisors. An event at which a unit failed comes again after the restart; so that
-- this ends, whatever the pauses, a unit also stops that has failed at one event more often than it may be restarted.
-- It then keeps that event and its inbox: a reload goes on with them. When the inbox is full the oldest events go, and
-- are counted, for the others need not wait for a unit that has stopped.

---@class strobe.live.SupervisionOptions
---@field restart? "permanent"|"transient"|"temporary" when main ends: always, if it has failed, never ("transient")
---@field max_restarts? integer within the window, and at one event (5)
---@field window? number      seconds (60)
---@field backoff? number     seconds before the first restart; twice as long before each further one (0.1)
---@field max_backoff? number seconds, at most (30)

local contexts = require "strobe.async.context"
local errors = require "strobe.async.error"
local tasks = require "strobe.async.task"

local defaults = { restart = "transient", max_restarts = 5, window = 60, backoff = 0.1, max_backoff = 30 }
local words = { permanent = true, transient = true, temporary = true }

---@class strobe.live.Supervision
---@field private recent number[] times of restarts
---@field private seq? integer the event at which it failed last
---@field private attempts integer failures at that event
local Supervision = {}
Supervision.__index = Supervision

local function check(options)
  for name, value in pairs(options) do
    if defaults[name] == nil then
      error(("supervision: there is no option '%s'"):format(tostring(name)), 4)
    elseif name ~= "restart" and (type(value) ~= "number" or value < 0) then
      error(("supervision: %s: a number from 0 expected, got %s"):format(name, tostring(value)), 4)
    end
  end
  if options.restart and not words[options.restart] then
    error(('supervision: restart: "permanent", "transient" or "temporary" expected, got %s'):format(
      tostring(options.restart)), 4)
  end
end

--- Makes one.
---@param options? strobe.live.SupervisionOptions
---@return strobe.live.Supervision
function Supervision.new(options)
  options = options or {}
  check(options)
  local made = { recent = {}, attempts = 0 }
  for name, value in pairs(defaults) do
    made[name] = options[name] == nil and value or options[name]
  end
  return setmetatable(made, Supervision)
end

-- The restarts that still count.
local function forget_old(self, now)
  local recent = {}
  for _, at in ipairs(self.recent) do
    recent[#recent + 1] = now - at < self.window and at or nil
  end
  self.recent = recent
end

local function count_attempt(self, seq)
  self.attempts = seq and seq == self.seq and self.attempts + 1 or 1
  self.seq = seq
  return seq and self.attempts > self.max_restarts
end

--- What is to be done now that main has ended.
---@param now number
---@param failed boolean
---@param seq? integer the event at hand, which comes again
---@return number? seconds before the restart; nil: there is none
---@return string? why there is none
function Supervision:decide(now, failed, seq)
  if self.restart == "temporary" or self.restart == "transient" and not failed then
    return nil, ("a %s unit is not restarted"):format(self.restart)
  elseif count_attempt(self, seq) then
    return nil, ("it failed %d times at event %d"):format(self.attempts, seq)
  end
  forget_old(self, now)
  local count = #self.recent
  if count >= self.max_restarts then
    return nil, ("it failed %d times within %g s"):format(count + 1, self.window)
  end
  self.recent[count + 1] = now
  return math.min(self.backoff * 2 ^ count, self.max_backoff)
end

--- Runs f to its end in a task of its own, however often who waits for it is cancelled; the cancellation comes after
--- that. For what has to be done when a process ends, whose second signal ends it at once anyway.
---@async
---@param f function
---@param ... any for f
function Supervision.shielded(f, ...)
  local task = contexts.Context():run(tasks.create_task, f, ...)
  local cancelled
  task:set_name "end of units"
  while not task:done() do
    local ok, e = pcall(tasks.wait, { task })
    if not ok and not errors.is(e, errors.CancelledError) then
      error(e, 0)
    end
    cancelled = cancelled or not ok and e
  end
  task:result() -- it may have failed
  if cancelled then
    error(cancelled, 0)
  end
end

return Supervision
