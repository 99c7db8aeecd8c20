--- Operations that run code.

local failures = require "strobe.attach.failure"
local inspect = require "strobe.core.inspect"
local protocol = require "strobe.attach.protocol"
local time = require "strobe.core.time"
local typed = require "strobe.attach.typed"

-- What may be asked of the printer: the least and the most.
local LIMITS = { depth = { 0, 100 }, items = { 0, 10000 }, bytes = { 0, 1000000 }, width = { 10, 10000 } }

-- Jobs of a session.
local MOST_JOBS = 100

local function check_jobs(evaluator)
  local count = 0
  for _ in pairs(evaluator.jobs) do
    count = count + 1
  end
  if count >= MOST_JOBS then
    failures.raise("too_many", ("%d jobs are at work in the background already"):format(count))
  end
end

local function limits_of(request)
  local limits = {}
  for name, range in pairs(LIMITS) do
    local value = failures.field(request, name, "integer", true)
    if value and (value < range[1] or value > range[2]) then
      failures.raise("bad_request", ("%s: %d to %d expected"):format(name, range[1], range[2]))
    end
    limits[name] = value
  end
  return limits
end

local function options_of(session, request)
  local trace = failures.field(request, "trace", "string", true)
  return {
    id = request.id, seconds = typed.seconds(session, request), limits = limits_of(request), full = trace == "full",
  }
end

-- The answer of an evaluation, as an operation gives it.
local function answer_of(answer)
  if not answer.ok then
    failures.raise(answer.code, answer.error, answer)
  end
  answer.values = answer.values and protocol.list(answer.values)
  return answer
end

-- Waits for an evaluation in the foreground, where its request's id names it.
local function follow(session, evaluation)
  local id = evaluation.id
  session.evaluations[id] = evaluation
  local _ <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      session.evaluations[id] = nil
    end,
  })
  return answer_of(evaluation:wait())
end

local function eval(session, request)
  local code = failures.field(request, "code", "string")
  local in_background = failures.field(request, "background", "boolean", true)
  local options, evaluator = options_of(session, request), typed.evaluator(session)
  if in_background then
    check_jobs(evaluator)
  end
  local chunk, notes = typed.compile(evaluator, code)
  local evaluation = evaluator:start(chunk, options)
  local answer
  if in_background then
    answer = { job = evaluation:to_background(), task = inspect.id(evaluation.task) }
  else
    answer = follow(session, evaluation)
  end
  answer.notes = notes[1] and protocol.list(notes) or nil
  return answer
end

-- The evaluation in the foreground that a request means.
local function target_of(session, request)
  return session.evaluations[request.target]
    or failures.raise("not_found", "target: no eval of that id is at work in this session")
end

-- Ends an eval of the same session, which answers.
local function interrupt(session, request)
  local why = failures.field(request, "why", "string", true)
  target_of(session, request):interrupt(why or "interrupt")
  return {}
end

-- Lets an eval of the same session go on as a job: its request is answered.
local function background(session, request)
  local evaluation = target_of(session, request)
  check_jobs(session.evaluator)
  return { job = evaluation:to_background() }
end

-- Waits for a job, as eval does for its code.
local function foreground(session, request)
  local number = failures.field(request, "job", "integer")
  local evaluation = session.evaluator and session.evaluator.jobs[number]
  if not evaluation then
    failures.raise("not_found", ("job: there is no job %d at work in this session"):format(number))
  end
  evaluation:to_foreground(request.id)
  return follow(session, evaluation)
end

-- The jobs of the session.
local function jobs(session)
  local list = protocol.list()
  for number, evaluation in pairs(session.evaluator and session.evaluator.jobs or {}) do
    list[#list + 1] = {
      job = number, input = evaluation.number, task = inspect.id(evaluation.task), name = evaluation.task:get_name(),
      seconds = time.real() - evaluation.began,
    }
  end
  table.sort(list, function(a, b)
    return a.job < b.job
  end)
  return { jobs = list }
end

return {
  eval = { rights = "rw", run = eval, waits = true },
  interrupt = { rights = "rw", run = interrupt },
  background = { rights = "rw", run = background },
  foreground = { rights = "rw", run = foreground, waits = true },
  jobs = { rights = "ro", run = jobs },
}
