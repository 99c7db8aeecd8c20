--- One input at work: its task, and what comes of it.
--
-- It is in the foreground as long as somebody waits for its answer; what it prints then is its own. Moved to the
-- background it goes on as a job.

local Alarm = require "strobe.alarm"
local budget = require "strobe.repl.budget"
local contexts = require "strobe.async.context"
local core_future = require "strobe.core.future"
local errors = require "strobe.async.error"
local handle = require "strobe.core.handle"
local inspect = require "strobe.core.inspect"
local output = require "strobe.output"
local printer = require "strobe.repl.printer"
local quotation = require "strobe.repl.quotation"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"
local traceback = require "strobe.repl.traceback"
local waiting = require "strobe.async.waiting"

-- Seconds for a task to end when it is interrupted.
local PATIENCE = 1

---@class strobe.repl.EvaluationOptions
---@field id? integer|string of the request
---@field seconds? number it may run without waiting; without it, for ever
---@field limits? strobe.repl.Limits of the printer
---@field full? boolean traces with frames of strobe's own

---@class strobe.repl.Evaluation : strobe.repl.EvaluationOptions
---@field evaluator strobe.repl.Evaluator
---@field number integer of the input
---@field task strobe.Task
---@field foreground boolean
---@field job? integer its number in the background
---@field private moved strobe.Future why who waits need not wait any more: "background", "interrupt"
local Evaluation = {}
Evaluation.__index = Evaluation
Evaluation.__name = "evaluation"

local evaluations = {}

-- Stands in the context of each input's task, so that all that it makes is known to be the console's.
local current = contexts.ContextVar("strobe.repl.evaluation", nil)

--- The input whose task, or a task made by that, calls.
---@return strobe.repl.Evaluation?
function evaluations.current()
  return current:get()
end

-- How many typed from afar are at work.
local far = 0

-- What one from afar writes to standard output goes to who typed it, as long as it is at work.
local function take_output(text)
  local evaluation = current:get()
  local own = evaluation and not evaluation.evaluator.near and not evaluation.answer
  if own then
    evaluation:tell(text)
  end
  return own or false
end

local function count_far(evaluation, change)
  if not evaluation.evaluator.near then
    far = far + change
    output.claim(far > 0 and take_output or nil)
  end
end

-- Context variables that an input in the foreground has set are there for the next one.
local Keep = {
  __close = function(keep)
    if keep.evaluation.foreground then
      keep.evaluation.evaluator.context = contexts.copy_context()
    end
  end,
}

-- A tail call has no name, so that tracebacks say "main chunk".
local function run(chunk)
  return chunk()
end

local function body(evaluation, chunk)
  local _ <close> = setmetatable({ evaluation = evaluation }, Keep) -- luacheck: ignore
  current:set(evaluation)
  if evaluation.seconds then
    return budget.run(evaluation.seconds, run, chunk)
  end
  return run(chunk)
end

--- Starts a chunk in a task of its own.
---@param evaluator strobe.repl.Evaluator
---@param number integer
---@param chunk function
---@param options strobe.repl.EvaluationOptions
---@return strobe.repl.Evaluation
function evaluations.start(evaluator, number, chunk, options)
  local evaluation = setmetatable({
    evaluator = evaluator, number = number, id = options.id, seconds = options.seconds, limits = options.limits,
    full = options.full, foreground = true, moved = core_future.new(), began = time.real(),
  }, Evaluation)
  evaluation.task = evaluator.context:run(tasks.create_task, body, evaluation, chunk)
  evaluation.task:set_name(("console %d:%d"):format(evaluator.number, number))
  evaluator:enter_foreground(evaluation)
  count_far(evaluation, 1)
  evaluation.task:add_done_callback(function()
    evaluation:settle()
  end)
  return evaluation
end

-- --- What comes of it ---------------------------------------------------------------------------

local function reason_of(task)
  local cancelled = inspect.record(task).cancelled
  local reason = cancelled and cancelled.reason
  return reason and reason ~= "" and "it was cancelled: " .. reason or "it was cancelled"
end

local function message_of(e, limits)
  if errors.is(e, errors.Interrupted) then
    e = e.message
  end
  return type(e) == "string" and quotation.plain(e, true) or printer.text(e, limits)
end

--- Hands on what it prints: in the foreground as its own.
---@param text string
function Evaluation:tell(text)
  self.evaluator.push { ev = "out", id = self.foreground and self.id or nil, text = text }
end

-- Why it ended without values, as fields of an answer, and the error.
local function failure_of(evaluation)
  local task = evaluation.task
  if task:cancelled() then
    return { ok = false, code = "interrupted", error = reason_of(task) }, errors.CancelledError(reason_of(task))
  end
  local e = task:exception()
  local trace, chain = traceback.of(task:failure(), evaluation.evaluator, evaluation.full)
  return {
    ok = false, code = errors.is(e, errors.Interrupted) and "interrupted" or "error",
    error = message_of(e, evaluation.limits), trace = trace, chain = chain,
  }, e
end

-- A task that an input has returned is held by _: its failure would be told by nobody. It is told above the prompt,
-- unless somebody has seen it.
local function tell_failure(evaluator, task)
  local failure = task:get_detail "failure"
  if failure and not failure.retrieved then
    local trace = traceback.of(failure, evaluator)
    local text = ("%s failed: %s\n%s"):format(quotation.plain(task:get_name()), message_of(failure.error), trace or "")
    failure.retrieved = evaluator.push { ev = "out", text = text:gsub("\n*$", "\n", 1) } ~= false
  end
end

local function watch_tasks(evaluation)
  for i = 1, evaluation.values.n do
    local value = evaluation.values[i]
    if waiting.is_task(value) then
      value:add_done_callback(function()
        handle.call_later(0, tell_failure, evaluation.evaluator, value) -- who awaits it comes first
      end)
    end
  end
end

--- Takes notice of its end, once.
function Evaluation:settle()
  if self.answer then
    return
  end
  local task, evaluator, answer = self.task, self.evaluator, { ok = true }
  if task:cancelled() or task:exception() ~= nil then
    local e
    answer, e = failure_of(self)
    evaluator:keep_failure(e, answer, task)
  else
    self.values = table.pack(task:result())
    evaluator:keep_values(self.values)
    watch_tasks(self)
  end
  answer.ms = (time.real() - self.began) * 1000 // 0.1 / 10
  self.answer, self.foreground = answer, false
  count_far(self, -1)
  evaluator:leave_foreground(self)
  if self.job then
    evaluator:end_job(self)
  end
end

--- Its answer, when it has ended: the values as texts, or why there are none.
---@return table answer {ok, values, ms} or {ok, code, error, trace, chain, ms}
function Evaluation:outcome()
  self:settle()
  local answer = {}
  for key, value in pairs(self.answer) do
    answer[key] = value
  end
  if answer.ok then
    answer.values = printer.texts(self.values, self.limits)
  end
  return answer
end

-- --- Foreground and background ------------------------------------------------------------------

-- Who waited for it has gone.
local Leave = {
  __close = function(leave)
    local evaluation = leave.evaluation
    if evaluation.foreground and not evaluation.task:done() then
      evaluation.task:cancel "detached"
    end
  end,
}

-- What goes on although it was interrupted is named.
local function give_up(evaluation)
  local job = evaluation:to_background()
  local text = "'%s' has not ended within %g s of its cancellation: it goes on as job %d"
  return {
    ok = false, code = "interrupted", job = job, task = inspect.id(evaluation.task),
    error = text:format(evaluation.task:get_name(), PATIENCE, job),
  }
end

--- Waits for its answer. It is cancelled if who waits is.
---@async
---@return table answer as outcome; of one that was moved to the background: {ok, job, task}
function Evaluation:wait()
  local _ <close> = setmetatable({ evaluation = self }, Leave) -- luacheck: ignore
  local task, moved = self.task, self.moved
  tasks.wait({ task, moved }, { return_when = "FIRST_COMPLETED" })
  if not task:done() and moved:result() == "interrupt" then
    Alarm.wait({ task }, PATIENCE)
    if not task:done() and self.foreground then
      return give_up(self)
    end
  end
  if task:done() then
    return self:outcome()
  end
  return { ok = true, job = self.job, task = inspect.id(task) }
end

local function tell(evaluation, why)
  if not evaluation.moved:done() then
    evaluation.moved:set_result(why)
  end
end

--- Cancels it.
---@param reason string
function Evaluation:interrupt(reason)
  self.task:cancel(reason)
  tell(self, "interrupt")
end

--- Lets it go on without anybody who waits.
---@return integer job
function Evaluation:to_background()
  self.foreground = false
  self.evaluator:leave_foreground(self)
  self.job = self.job or self.evaluator:begin_job(self)
  tell(self, "background")
  return self.job
end

--- Somebody waits for it again.
---@param id integer|string of the request
function Evaluation:to_foreground(id)
  self.id, self.foreground, self.moved = id, true, core_future.new()
  self.evaluator.jobs[self.job], self.job = nil, nil
  self.evaluator:enter_foreground(self)
end

return evaluations
