--- Tasks in specs.

local async = require "strobe.async"

local tasks = {}

--- Lets the tasks that are ready run, each once.
---@async
function tasks.turn()
  async.sleep(0)
end

--- A task that has begun, and stands at its first wait.
---@async
---@param f function
---@param ... any
---@return strobe.Task
function tasks.start(f, ...)
  local task = async.create_task(f, ...)
  tasks.turn()
  return task
end

return tasks
