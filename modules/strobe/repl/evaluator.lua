--- A console's inputs: compiled, run in tasks, and what stays of them: variables, the last results, the last failure.

local budget = require "strobe.repl.budget"
local contexts = require "strobe.async.context"
local evaluations = require "strobe.repl.evaluation"
local input = require "strobe.repl.input"
local interrupt = require "strobe.core.interrupt"
local names = require "strobe.repl.names"

-- Bytes of inputs whose text is kept, for tracebacks and :src.
local MOST_KEPT = 4 * 1024 * 1024
-- First values that have names: _1, _2, _3.
local MOST_RESULTS = 3

---@class strobe.repl.EvaluatorOptions
---@field number integer of the console
---@field near? boolean it is the console of this process, whose keys reach what is in the foreground
---@field runtime? strobe.live.Runtime
---@field push fun(event: table): boolean? hands on what is printed, and how jobs end; false: it went nowhere
---@field log fun(level: string, text: string)

---@class strobe.repl.Evaluator : strobe.repl.EvaluatorOptions
---@field variables table the console's variables; what is read there falls through to the globals, then the modules
---@field context strobe.Context for the next input
---@field inputs integer how many there were
---@field texts table<string, string> of the inputs, by the names of their chunks: "console:1"
---@field jobs table<integer, strobe.repl.Evaluation> in the background, by number
local Evaluator = {}
Evaluator.__index = Evaluator
Evaluator.__name = "console evaluator"

-- --- Variables ----------------------------------------------------------------------------------

-- A global, else a module; what the globals' metatable says of names they have not comes last.
local function read(name)
  local value = rawget(_G, name)
  if value == nil then
    value = names.module(name)
  end
  if value == nil then
    return _G[name]
  end
  return value
end

-- What is printed by an input in the foreground is its own; else nobody's.
local function print_for(evaluator)
  return function(...)
    local parts = table.pack(...)
    for i = 1, parts.n do
      parts[i] = tostring(parts[i])
    end
    local evaluation, text = evaluations.current(), table.concat(parts, "\t") .. "\n"
    if evaluation then
      evaluation:tell(text)
    else
      evaluator.push { ev = "out", text = text }
    end
  end
end

--- Makes one.
---@param options strobe.repl.EvaluatorOptions
---@return strobe.repl.Evaluator
function Evaluator.new(options)
  local evaluator = setmetatable({
    number = options.number, near = options.near, runtime = options.runtime, push = options.push, log = options.log,
    inputs = 0, texts = {}, kept = { bytes = 0, first = 1 }, results = {}, jobs = {}, last_job = 0,
    context = contexts.Context(),
  }, Evaluator)
  evaluator.own = { print = print_for(evaluator), xpcall = budget.xpcall }
  evaluator.variables = setmetatable({}, {
    __index = function(_, name)
      local own = evaluator.own[name]
      if own == nil then
        return read(name)
      end
      return own
    end,
    __name = "console variables",
  })
  return evaluator
end

-- --- Inputs -------------------------------------------------------------------------------------

local function keep_text(evaluator, number, text)
  local kept, texts = evaluator.kept, evaluator.texts
  texts["console:" .. number] = text
  kept.bytes = kept.bytes + #text
  while kept.bytes > MOST_KEPT and kept.first < number do
    local name = "console:" .. kept.first
    kept.bytes = kept.bytes - #(texts[name] or "")
    texts[name], kept.first = nil, kept.first + 1
  end
end

--- Compiles an input; one that is incomplete has no number.
---@param text string
---@return function? chunk
---@return strobe.repl.Refused|string[] refused or notes for people
function Evaluator:compile(text)
  local number = self.inputs + 1
  local chunk, more = input.compile(text, "=console:" .. number, self.variables)
  if chunk or more.code ~= "incomplete" then
    self.inputs = number
    keep_text(self, number, text)
  end
  return chunk, more
end

--- Starts what was compiled last.
---@param chunk function
---@param options strobe.repl.EvaluationOptions
---@return strobe.repl.Evaluation
function Evaluator:start(chunk, options)
  return evaluations.start(self, self.inputs, chunk, options)
end

-- --- The foreground ----------------------------------------------------------------------------

--- Somebody waits for an evaluation.
---@param evaluation strobe.repl.Evaluation
function Evaluator:enter_foreground(evaluation)
  if self.near then
    self.in_foreground = evaluation
    interrupt.evaluation(evaluation.task) -- Ctrl-C ends it at once, others only when it is pressed again
  end
end

--- Nobody waits for it any more.
---@param evaluation strobe.repl.Evaluation
function Evaluator:leave_foreground(evaluation)
  if self.in_foreground == evaluation then
    self.in_foreground = nil
    interrupt.evaluation(nil)
  end
end

-- --- What stays ---------------------------------------------------------------------------------

--- Takes the values of an input: _ and _1 are the first value of the newest that had any, _2 and _3 those before.
---@param values table packed
function Evaluator:keep_values(values)
  if values.n == 0 then
    return
  end
  local results, variables = self.results, self.variables
  table.move(results, 1, MOST_RESULTS - 1, 2)
  results[1] = { value = values[1] }
  for i, result in ipairs(results) do
    rawset(variables, "_" .. i, result.value)
  end
  rawset(variables, "_", values[1])
  rawset(variables, "_all", values)
end

--- Takes the failure of an input: _err.
---@param e any
---@param answer table
---@param task strobe.Task
function Evaluator:keep_failure(e, answer, task)
  rawset(self.variables, "_err", { value = e, message = answer.error, trace = answer.trace, task = task })
end

-- --- Jobs ---------------------------------------------------------------------------------------

--- An evaluation goes to the background.
---@param evaluation strobe.repl.Evaluation
---@return integer job
function Evaluator:begin_job(evaluation)
  self.last_job = self.last_job + 1
  self.jobs[self.last_job] = evaluation
  return self.last_job
end

--- An evaluation in the background has ended: who listens is told, else the log.
---@param evaluation strobe.repl.Evaluation
function Evaluator:end_job(evaluation)
  self.jobs[evaluation.job] = nil
  local event = evaluation:outcome()
  event.ev, event.job, event.id, event.input = "job", evaluation.job, evaluation.id, evaluation.number
  if self.push(event) == false and not event.ok then
    self.log("warning", ("%s, in the background: %s"):format(evaluation.task:get_name(), event.error))
  end
end

return Evaluator
