--- TaskGroup: children that end before their block does. asyncio.TaskGroup

local coroutines = require "strobe.async.coroutine"
local errors = require "strobe.async.error"
local join = require "strobe.core.join"
local task = require "strobe.core.task"
local tasks = require "strobe.async.task"

---@class strobe.TaskGroup tasks that end with a block; a `<close>` value
---@field private children table<strobe.Task, integer> those that have not ended, numbered
---@field private errors any[]
---@field private parent strobe.Task
local TaskGroup = {}
TaskGroup.__index = TaskGroup
TaskGroup.__name = "TaskGroup"

-- The children that have not ended, oldest first.
local function living(group)
  local list, number = {}, group.children
  for child in pairs(number) do
    list[#list + 1] = child
  end
  table.sort(list, function(a, b)
    return number[a] < number[b]
  end)
  return list
end

local function abort(group)
  for _, child in ipairs(living(group)) do
    child:cancel()
  end
  group.aborting = true -- last: what fails for want of memory is tried again
end

-- A failed child cancels its siblings, and the parent where it waits.
local function child_done(group, child)
  if not group.children[child] then
    return
  end
  group.children[child] = nil
  group.count = group.count - 1
  if child:cancelled() then
    return
  end
  local e = child:exception()
  if e == nil then
    return
  end
  if not group.aborting and not group.parent_cancelled then
    group.parent_cancelled = true
    group.parent:cancel()
    abort(group)
  end
  group.errors[#group.errors + 1] = e
end

-- The child is counted last, when nothing can fail any more: the group must wait for
-- those only which will tell it of their end.
local function adopt(group, child)
  child:add_done_callback(function()
    child_done(group, child)
  end)
  group.children[child] = group.made + 1
  group.made = group.made + 1
  group.count = group.count + 1
end

--- Makes a child task. Once the group is ending none can be made.
---@param awaitable strobe.Coroutine|function
---@param ... any arguments for a plain function
---@return strobe.Task
function TaskGroup:create_task(awaitable, ...)
  if self.exited or self.aborting or (self.exiting and self.count == 0) then
    if coroutines.is(awaitable) then
      awaitable:close()
    end
    error("the TaskGroup is shutting down or finished: it takes no more tasks", 2)
  end
  local child = tasks.create_task(awaitable, ...)
  local ok, e = pcall(adopt, self, child)
  if not ok then -- without memory to know of its end, nobody would wait for it
    child:cancel()
    error(e, 0)
  end
  return child
end

--- Cancels all children, now and for good: the group takes no more of them.
function TaskGroup:cancel()
  abort(self)
end

-- Waits until all children have ended, or the first has failed; returns the CancelledError
-- that came meanwhile. A callback may have been lost for want of memory, so that those who
-- have ended are asked as well.
local function wait_for_some(group)
  local list = {}
  for child in pairs(group.children) do
    list[#list + 1] = child
  end
  local ok, e = pcall(join.wait, list, group.aborting and "ALL_COMPLETED" or "FIRST_EXCEPTION")
  for _, child in ipairs(list) do
    if child:done() then
      child_done(group, child)
    end
  end
  if not ok and not errors.is(e, errors.CancelledError) then
    error(e, 0)
  end
  return not ok and e or nil
end

-- Waits for the children, even while being cancelled again and again. Returns the
-- CancelledError that came from outside.
local function wait_for_children(group)
  local cancelled
  while group.count > 0 do
    local e = wait_for_some(group)
    if e and not group.parent_cancelled then
      cancelled = e
    end
    if e and not group.aborting then
      abort(group)
    end
  end
  return cancelled
end

-- Leaves a block as they came, as KeyboardInterrupt does in asyncio.
local function is_passed_on(e)
  return errors.is(e, errors.GeneratorExit) or errors.is(e, errors.Interrupted)
end

-- Keeps the parent's count of cancellations, and has it cancelled at its next wait.
local function cancel_again(parent)
  if parent:cancelling() > 0 then
    parent:uncancel()
    parent:cancel()
  end
end

--- Waits for the children.
---@async
function TaskGroup:__close(e)
  self.exiting = true
  local cancelled = errors.is(e, errors.CancelledError) and e or nil
  if e ~= nil and not self.aborting then
    abort(self)
  end
  local body_error = e ~= nil and not cancelled
  cancelled = wait_for_children(self) or cancelled
  self.exited = true
  if self.parent_cancelled and self.parent:uncancel() == 0 then
    cancelled = nil
  end
  if is_passed_on(e) and #self.errors == 0 then
    error(e, 0)
  end
  if cancelled and #self.errors == 0 and not body_error then
    error(cancelled, 0)
  end
  if body_error and not is_passed_on(e) then
    table.insert(self.errors, e)
  end
  if #self.errors > 0 then
    cancel_again(self.parent)
    local message = ("unhandled errors in a TaskGroup (%d)"):format(#self.errors)
    error(errors.group(message, self.errors), 0)
  end
end

function TaskGroup:__tostring()
  local state = self.exited and "exited" or self.aborting and "cancelling" or "entered"
  return ("<TaskGroup tasks=%d %s>"):format(self.count, state)
end

--- A group of tasks for a block: `local tg <close> = async.TaskGroup()`. Leaving the
--- block waits for all children. The first failure cancels the rest; errors come as
--- an ExceptionGroup. asyncio.TaskGroup
---@nodiscard
---@return strobe.TaskGroup
local function new()
  local parent = task.current()
  if not parent then
    error("a TaskGroup should be used inside a task", 2)
  end
  return setmetatable({
    children = {},
    count = 0,
    made = 0,
    errors = {},
    parent = parent,
  }, TaskGroup)
end

-- Which task waits for a child, by the done callback that the group gave the child. For introspection.
local function behind(callback)
  for i = 1, 3 do
    local _, value = debug.getupvalue(callback, i)
    if debug.getmetatable(value) == TaskGroup then
      return value.parent
    end
  end
end

return { TaskGroup = new, behind = behind }
