--- Pumps: tasks that read sources into a bounded buffer, for one consumer.
--
-- The tasks begin with the first `next`. They end with their sources, or are
-- cancelled when the pump is closed, or when it is dropped and collected. An error
-- in a source, a cancellation that is not the pump's own among them, comes to the
-- consumer after the values that came before it; one in the cleanup of a source
-- comes out of `close`.

local Queue = require("strobe.async.queue").Queue
local errors = require "strobe.async.error"
local join = require "strobe.core.join"
local task = require "strobe.core.task"

---@class strobe.Pump
---@field private sources strobe.Iter[]
---@field private tasks? strobe.Task[] nil before the beginning
---@field private queue strobe.Queue   of values; of Failure, an error
---@field private values fun(): any     takes from the queue, nil at its end
---@field private running? {count: integer, left?: boolean} sources that have not ended
---@field private failed? table         the Failure that a batch has met
local Pump = {}
Pump.__index = Pump
Pump.__name = "pump"

local Failure = {}

-- Values that one source may be ahead of the consumer.
local AHEAD = 16

--- A pump which has not begun.
---@param sources strobe.Iter[]
---@return strobe.Pump
function Pump.new(sources)
  local queue = Queue(AHEAD * #sources)
  return setmetatable({ sources = sources, queue = queue, values = queue:iter() }, Pump)
end

local function pour(source, queue)
  local left <close> = source -- luacheck: ignore
  for value in source do
    queue:put(value)
  end
end

local function is_cancel(e)
  return errors.is(e, errors.CancelledError)
end

-- Hands an error to the consumer. A task that was itself cancelled does not wait for
-- room: perhaps nobody reads any more.
local function tell(queue, e)
  local put = task.current():cancelling() > 0 and queue.put_nowait or queue.put
  return pcall(put, queue, setmetatable({ e = e }, Failure))
end

-- The body of a task. It must not hold the pump, or that would never be collected.
local function work(source, queue, running)
  local ok, e = pcall(pour, source, queue)
  if not ok and not running.left then
    ok = tell(queue, e)
  end
  running.count = running.count - 1
  if running.count == 0 then
    queue:shutdown()
  end
  if not ok then
    error(e, 0)
  end
end

local function begin(pump)
  local running = { count = #pump.sources }
  pump.tasks, pump.running = {}, running
  for i, source in ipairs(pump.sources) do
    pump.tasks[i] = task.spawn(work, source, pump.queue, running)
  end
end

local function checked(value)
  if getmetatable(value) == Failure then
    error(value.e, 0)
  end
  return value
end

--- The next value of any source, or nil when all have ended.
---@async
---@return any value
function Pump:next()
  if not self.tasks then
    begin(self)
  end
  return checked(self.values())
end

--- The next values as a list, as Queue:batch; nil when all sources have ended.
---@async
---@param options {max?: integer, within?: number}
---@return any[]?
function Pump:batch(options)
  if not self.tasks then
    begin(self)
  end
  if self.failed then
    checked(self.failed)
  end
  local batch = self.queue:batch(options)
  for i, value in ipairs(batch or {}) do
    if getmetatable(value) == Failure then
      self.failed = value
      if i == 1 then
        checked(value)
      end
      return table.move(batch, 1, i - 1, 1, {}) -- the error is for the next call
    end
  end
  return batch
end

-- Once: a second time would disturb the cleanup of the sources.
local function cancel(pump)
  local running = pump.running
  if running and not running.left then
    running.left = true
    for _, t in ipairs(pump.tasks) do
      t:cancel "the consumer has left"
    end
  end
end

-- Waits, however often the consumer is cancelled; returns the last CancelledError.
local function wait_for_end(list)
  local cancelled
  while true do
    local ok, e = pcall(join.wait, list)
    if ok then
      return cancelled
    elseif not is_cancel(e) then
      error(e, 0)
    end
    cancelled = e
  end
end

local function first_error(list)
  for _, t in ipairs(list) do
    local e = not t:cancelled() and t:exception()
    if e then
      return e
    end
  end
end

--- Cancels the tasks and waits for their end. Raises what went wrong in their
--- cleanup. Then there are no more values. Closing twice is harmless.
---@async
function Pump:close()
  local list = self.tasks or {}
  self.tasks = list
  cancel(self)
  local e = wait_for_end(list) or first_error(list)
  self.tasks = {} -- an error is raised once
  self.queue:shutdown(true)
  if e then
    error(e, 0)
  end
end

Pump.__gc = cancel

return Pump
