--- Operations that ask for the value of an expression again and again.

local Alarm = require "strobe.alarm"
local budget = require "strobe.repl.budget"
local contexts = require "strobe.async.context"
local errors = require "strobe.async.error"
local failures = require "strobe.attach.failure"
local printer = require "strobe.repl.printer"
local subscriptions = require "strobe.attach.subscriptions"
local tasks = require "strobe.async.task"
local timeouts = require "strobe.async.timeout"
local typed = require "strobe.attach.typed"

-- Real seconds between two values of all that a session watches, at least; of one, by default and at most. Seconds that
-- one may take without waiting, and in all.
local LEAST, USUAL, LONGEST, BUDGET, PATIENCE = 0.1, 1, 3600, 0.1, 5
-- Errors in a row that end it; bytes of a value.
local MOST_ERRORS, MOST_TEXT = 3, 400

local function is_finite(number)
  return number - number == 0
end

-- The value as an event; and whether there was one.
local function outcome(sub, chunk)
  local ok, in_time, value = pcall(timeouts.move_on_after, PATIENCE, budget.run, BUDGET, chunk)
  if not ok and errors.is(in_time, errors.CancelledError) then
    error(in_time, 0)
  elseif not ok then
    local text = type(in_time) == "string" and in_time or errors.is(in_time, errors.Error) and in_time.message
    return { ev = "watch", sub = sub, error = text or printer.text(in_time) }, false
  elseif in_time == false and value == "timeout" then
    return { ev = "watch", sub = sub, error = ("no value within %g s"):format(PATIENCE) }, false
  end
  local number = type(value) == "number" and is_finite(value) and value or nil
  return { ev = "watch", sub = sub, text = printer.text(value):sub(1, MOST_TEXT), number = number }, true
end

-- Tells the value for ever, or until it could not be had three times in a row.
local function follow(session, sub, chunk, every)
  local failed = 0
  while true do
    local event, ok = outcome(sub, chunk)
    failed = ok and 0 or failed + 1
    if failed == MOST_ERRORS then
      event.ended = true
      session.watching = session.watching - 1
      subscriptions.forget(session, sub)
    end
    session.push(event)
    if event.ended then
      return
    end
    Alarm.sleep(math.max(every, LEAST * session.watching))
  end
end

local function watch(session, request)
  local expression = failures.field(request, "expr", "string")
  local every = failures.field(request, "every", "number", true) or USUAL
  if not (every > 0 and every <= LONGEST) then
    failures.raise("bad_request", ("every: seconds, at most %d, expected"):format(LONGEST))
  end
  local chunk = typed.compile(typed.evaluator(session), expression)
  return { sub = subscriptions.add(session, function(sub)
    local task = contexts.Context():run(tasks.create_task, follow, session, sub, chunk, every)
    task:set_name(("console %d watch %d"):format(session.number, sub))
    session.watching = (session.watching or 0) + 1
    return function()
      session.watching = session.watching - 1
      task:cancel "unwatch"
    end
  end) }
end

return {
  watch = { rights = "rw", run = watch },
  unwatch = { rights = "ro", run = subscriptions.stop },
}
