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

-- The hook of each task that runs typed code: its coroutines get it as well.
local hooks = setmetatable({}, { __mode = "k" })

-- A hook that interrupts the task when it runs for longer than `seconds` and does not wait. A pcall may catch that:
-- from then on it is raised at every instruction, until the task is left.
local function new_hook(task, seconds)
  local resumes, began
  local function interrupt()
    if core_task.current() ~= task then
      debug.sethook() -- the thread belongs to another task now
      return
    end
    error(Interrupted(("after running %g ms without waiting"):format(seconds * 1000)), 0)
  end
  return function()
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
  end
end

local function body(chunk, seconds)
  local task = core_task.current()
  hooks[task] = new_hook(task, seconds)
  debug.sethook(hooks[task], "", LOOK)
  return chunk()
end

-- A hook belongs to one thread.
local function create(f)
  local thread = coroutine.create(f)
  local hook = hooks[core_task.current()]
  if hook then
    debug.sethook(thread, hook, "", LOOK)
  end
  return thread
end

local function wrap(f)
  local thread = create(f)
  return function(...)
    local results = table.pack(coroutine.resume(thread, ...))
    if results[1] then
      return table.unpack(results, 2, results.n)
    end
    coroutine.close(thread)
    error(results[2], 0)
  end
end

--- The variables for typed code: what it writes is theirs, what it reads falls through to the globals. Its coroutines
--- are bound as it is itself.
---@return table
function evaluator.environment()
  local facet = { create = create, wrap = wrap }
  return setmetatable({ coroutine = setmetatable(facet, { __index = coroutine }) }, { __index = _G })
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
