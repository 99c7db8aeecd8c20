--- Lua that was typed: compiled, run in a task of its own with a bound on how long it may run without waiting.

local core_error = require "strobe.core.error"
local core_task = require "strobe.core.task"
local errors = require "strobe.async.error"
local inspect = require "strobe.core.inspect"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"

-- Instructions between two looks at the time: some 50 µs.
local LOOK = 10000

local Interrupted = core_error.class("Interrupted", errors.Error)

local evaluator = { Interrupted = Interrupted }

--- Compiles text as an expression, else as statements.
---@param text string
---@param name string of the chunk, "=console:1"
---@param env table
---@return function? chunk
---@return "incomplete"|"syntax"|nil code
---@return string? message
function evaluator.compile(text, name, env)
  -- With a newline behind it, else an open 'abc would also end at <eof>.
  local expression, expression_message = load("return " .. text .. "\n", name, "t", env)
  if expression then
    return expression
  end
  local chunk, message = load(text .. "\n", name, "t", env)
  if chunk then
    return chunk
  elseif message:find "near <eof>$" or expression_message:find "near <eof>$" then
    return nil, "incomplete", message
  end
  -- Statements that end at their first token were meant as an expression.
  local first = text:match "^%s*([%w_]+)" or text:match "^%s*(%p)"
  local token = message:match "near '(.-)'$"
  return nil, "syntax", token == first and expression_message or message
end

-- Interrupts the task whose thread it is set on when it runs for longer than `seconds` and does not wait. A pcall may
-- catch that: from then on it is raised at every instruction, until the task is left.
local function guard(task, seconds)
  local resumes, began
  local function interrupt()
    if core_task.current() ~= task then
      debug.sethook() -- the thread belongs to another task now
      return
    end
    error(Interrupted(("after running %g ms without waiting"):format(seconds * 1000)), 0)
  end
  debug.sethook(function()
    if core_task.current() ~= task then
      debug.sethook()
      return
    end
    local count, now = inspect.record(task).resumes, time.real()
    if count ~= resumes then
      resumes, began = count, now
    elseif now - began > seconds then
      debug.sethook(interrupt, "", 1)
      interrupt()
    end
  end, "", LOOK)
end

local function body(chunk, seconds)
  guard(core_task.current(), seconds)
  return chunk()
end

--- Starts a chunk in a task of its own.
---@param chunk function
---@param name string of the task
---@param seconds number it may run without waiting
---@return strobe.Task
function evaluator.start(chunk, name, seconds)
  local task = tasks.create_task(body, chunk, seconds)
  task:set_name(name)
  return task
end

return evaluator
