--- Asking the process, near or far, for operations: answers come back, refusals are raised.

local core_task = require "strobe.core.task"
local errors = require "strobe.async.error"
local json = require "strobe.json"
local refusal = require "strobe.console.commands.refusal"
local tasks = require "strobe.async.task"

-- Seconds for the answer of what was interrupted.
local PATIENCE = 2

local request = {}

-- What stands for refusals that say nothing of use to who sits at a console.
local words = {
  rights = "this console may only look on (ro); it takes the rights rw",
  no_op = "the process does not know this: it runs another version of strobe, or was started with --no-eval",
}

--- The text of a refusal.
---@param message? string
---@param code? string
---@param whole? table the answer
---@return string
function request.explain(message, code, whole)
  local text = words[code] or message or code or "it was refused"
  local remedy = whole and whole.remedy
  return remedy and remedy ~= json.null and ("%s\n  remedy: %s"):format(text, remedy) or text
end

--- Asks, and waits for the answer; raises a refusal.
---@async
---@param console table
---@param op string
---@param fields? table
---@return table answer
function request.ask(console, op, fields)
  local answer, message, code, whole = console.peer:call(op, fields)
  if not answer then
    refusal.raise("%s", request.explain(message, code, whole))
  end
  return console.near and answer or json.without_nulls(answer)
end

--- The same without raising: nil, message, code, the whole answer.
---@async
---@param console table
---@param op string
---@param fields? table
---@return table? answer
---@return string? message
---@return string? code
---@return table? whole
function request.try(console, op, fields)
  local answer, message, code, whole = console.peer:call(op, fields)
  if answer or whole then
    json.without_nulls(answer or whole)
  end
  return answer, message, code, whole
end

-- Waits for the answer of a request, which is interrupted when we are.
local function follow(console, future, id)
  local ok, e = pcall(tasks.wait, { future })
  if ok then
    return
  elseif not errors.is(e, errors.CancelledError) then
    error(e, 0)
  end
  core_task.current():uncancel() -- what it has so far is the answer
  console.peer:send("interrupt", { target = id, why = "ctrl-c" })
  tasks.wait({ future }, { timeout = PATIENCE })
  if not future:done() then
    error(e, 0)
  end
end

--- The answer of what was sent; raises a refusal.
---@async
---@param console table
---@param future strobe.Future
---@return table answer
function request.result(console, future)
  local answer = future:await()
  if not answer then
    refusal.raise("%s", console.peer.ended or "the process has ended")
  elseif not answer.ok then
    refusal.raise("%s", request.explain(answer.error, answer.code, answer))
  end
  return json.without_nulls(answer)
end

--- As `try`, for what may take its time: to cancel the task interrupts that, and there is an answer nevertheless.
---@async
---@param console table
---@param op string
---@param fields? table
---@return table? answer
---@return string? message
---@return string? code
---@return table? whole
function request.follow(console, op, fields)
  local future, id = console.peer:send(op, fields)
  follow(console, future, id)
  local answer = future:result()
  if not answer then
    return nil, console.peer.ended or "the process has ended", "ECONNRESET"
  end
  json.without_nulls(answer)
  if answer.ok then
    return answer
  end
  return nil, answer.error or answer.code, answer.code, answer
end

return request
