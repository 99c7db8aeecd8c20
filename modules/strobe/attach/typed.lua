--- Code that a session has typed: compiled with its variables, as an input of its console.

local Evaluator = require "strobe.repl.evaluator"
local failures = require "strobe.attach.failure"
local protocol = require "strobe.attach.protocol"
local quotation = require "strobe.repl.quotation"
local traceback = require "strobe.repl.traceback"

-- Seconds that code from afar may run without waiting, by default and at most.
local BUDGET, MOST_BUDGET = 0.1, 5

local typed = {}

--- The session's evaluator, which is made at its first input. Raises where nobody may run code.
---@param session strobe.attach.Session
---@return strobe.repl.Evaluator
function typed.evaluator(session)
  if session.eval == false then
    failures.raise("no_op", "this process lets nobody run code: it was started with --no-eval")
  end
  if not session.evaluator then
    session.evaluator = Evaluator.new {
      number = session.number, near = session.near, log = session.log,
      push = function(event)
        event.values = event.values and protocol.list(event.values)
        return session.push(event)
      end,
    }
  end
  session.evaluator.runtime = session.runtime
  return session.evaluator
end

--- How long code of a request may run without waiting. The console of the process itself has a key that ends it.
---@param session strobe.attach.Session
---@param request table {budget?: number} milliseconds
---@return number? seconds nil: for ever
function typed.seconds(session, request)
  local budget = failures.field(request, "budget", "number", true)
  if budget and not (budget > 0 and budget <= MOST_BUDGET * 1000) then
    failures.raise("bad_request", ("budget: milliseconds, at most %d, expected"):format(MOST_BUDGET * 1000))
  end
  return budget and budget / 1000 or not session.near and BUDGET or nil
end

--- Compiles an input; raises a failure of code "incomplete" or "syntax".
---@param evaluator strobe.repl.Evaluator
---@param code string
---@return function chunk
---@return string[] notes for people
function typed.compile(evaluator, code)
  local chunk, more = evaluator:compile(code)
  if chunk then
    return chunk, more
  elseif more.code == "incomplete" then
    failures.raise("incomplete", "")
  end
  failures.raise("syntax", quotation.plain(more.message, true), {
    trace = more.first and traceback.caret(code, more.first) or nil, first = more.first, last = more.last,
  })
end

return typed
