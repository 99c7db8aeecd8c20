--- Operations that run code.

local errors = require "strobe.async.error"
local evaluator = require "strobe.attach.evaluator"
local failures = require "strobe.attach.failure"
local protocol = require "strobe.attach.protocol"
local printer = require "strobe.attach.printer"
local report = require "strobe.report"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"

-- Seconds that code may run without waiting, by default and at most.
local BUDGET, MOST_BUDGET = 0.1, 5

local function environment_of(session)
  session.variables = session.variables or evaluator.environment()
  return session.variables
end

-- The session's print: as long as an input runs what is printed is its own.
local function print_for(session, id)
  return function(...)
    local parts = table.pack(...)
    for i = 1, parts.n do
      parts[i] = tostring(parts[i])
    end
    session.push { ev = "out", id = session.evaluations[id] and id or nil, text = table.concat(parts, "\t") .. "\n" }
  end
end

local function budget_of(request)
  local budget = failures.field(request, "budget", "number", true) or BUDGET * 1000
  if not (budget > 0 and budget <= MOST_BUDGET * 1000) then
    failures.raise("bad_request", ("budget: milliseconds, at most %d, expected"):format(MOST_BUDGET * 1000))
  end
  return budget / 1000
end

local function compile(session, code)
  session.inputs = session.inputs + 1
  local chunk, failed, message = evaluator.compile(code, "=console:" .. session.inputs, environment_of(session))
  if failed == "incomplete" then
    failures.raise("incomplete", "")
  elseif failed then
    failures.raise("syntax", message)
  end
  return chunk
end

local function texts_of(values)
  local texts = protocol.list()
  for i = 1, values.n do
    texts[i] = printer.text(values[i])
  end
  return texts
end

-- Why an input has ended without values.
local function raise_failure(task, e)
  if errors.is(e, evaluator.Interrupted) or errors.is(e, errors.CancelledError) then
    failures.raise("interrupted", e.message ~= "" and e.message or "it was interrupted")
  end
  local failure = task:failure()
  local message = type(e) == "string" and e or printer.text(e)
  failures.raise("error", message, { trace = failure and report.failure_places(failure) or nil })
end

-- What an input returned; cancelled, if who asked for it has gone.
local function outcome_of(task)
  local _ <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      task:cancel "detached"
    end,
  })
  tasks.wait { task }
  if task:cancelled() then
    failures.raise("interrupted", "it was cancelled")
  elseif task:exception() ~= nil then
    raise_failure(task, task:exception())
  end
  return table.pack(task:result())
end

local function eval(session, request)
  local code = failures.field(request, "code", "string")
  local budget, id = budget_of(request), request.id
  local chunk = compile(session, code)
  environment_of(session).print = print_for(session, id)
  local began = time.real()
  local task = evaluator.start(chunk, ("console %d:%d"):format(session.number, session.inputs), budget)
  session.evaluations[id] = task
  task:add_done_callback(function()
    session.evaluations[id] = nil
  end)
  local values = outcome_of(task)
  return { values = texts_of(values), ms = (time.real() - began) * 1000 // 0.1 / 10 }
end

-- Ends an eval of the same session.
local function interrupt(session, request)
  local task = session.evaluations[request.target]
  if not task then
    failures.raise("not_found", "target: no eval of that id is at work in this session")
  end
  task:cancel "interrupt"
  return {}
end

return {
  eval = { rights = "rw", run = eval, waits = true },
  interrupt = { rights = "rw", run = interrupt },
}
