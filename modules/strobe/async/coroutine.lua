--- Coroutine objects: what a call of an `async.fn` function makes.
--
-- The object holds the function and its arguments. Awaiting it calls the function
-- in the task that awaits; create_task gives it a task of its own. It is good for
-- one of the two, once; one that is collected unused is warned about.

local core_error = require "strobe.core.error"
local future = require "strobe.core.future"

---@class strobe.Coroutine : strobe.Awaitable a call that was put off, made by what async.fn returns; it is awaited once
---@field private f? function   nil once it was awaited
---@field private n integer     number of arguments, which are its list part
---@field private name string
---@field private where string  file and line of the call that made it
---@field private created_by? string in debug mode: the traceback of that call
local Coroutine = {}
Coroutine.__index = Coroutine
Coroutine.__name = "coroutine"

---@alias strobe.Awaitable strobe.Coroutine|strobe.Task|strobe.Future|table what async.await takes

local coroutines = {}

local debug_mode = false

--- Whether coroutine objects remember all of the traceback of their making. For Loop:set_debug
---@param on boolean
function coroutines.set_debug(on)
  debug_mode = on
end

local function name_of(f)
  local info = debug.getinfo(f, "S")
  return ("%s:%d"):format(info.short_src, info.linedefined)
end

local function caller(level)
  local info = debug.getinfo(level + 1, "Sl")
  return info and ("%s:%d"):format(info.short_src, info.currentline) or "?"
end

--- Python's `async def`: a function whose call makes a coroutine object.
---@param f function          what is to run; it may wait
---@return fun(...): strobe.Coroutine
function coroutines.fn(f)
  if type(f) ~= "function" then
    error(("async.fn: a function expected, got %s"):format(type(f)), 2)
  end
  local name
  return function(...)
    name = name or debug.getinfo(1, "n").name or name_of(f)
    local object = setmetatable({ f = f, name = name, where = caller(2), n = select("#", ...), ... }, Coroutine)
    if debug_mode then
      object.created_by = debug.traceback(nil, 2)
    end
    return object
  end
end

--- Whether a value is a coroutine object.
---@param value any
---@return boolean
function coroutines.is(value)
  return getmetatable(value) == Coroutine
end

--- Takes the function out of a coroutine object, which cannot be awaited again.
---@param object strobe.Coroutine
---@return function f
---@return any ... its arguments
function coroutines.take(object)
  local f = object.f
  if not f then
    error(("cannot reuse already awaited coroutine '%s'"):format(object.name), 3)
  end
  object.f = nil
  return f, table.unpack(object, 1, object.n)
end

local function call(f, ...)
  return f(...)
end

--- Runs the coroutine in the current task. Waits as its body does.
---@async
---@return any ... the results of the function
function Coroutine:await()
  return call(coroutines.take(self))
end

--- Drops a coroutine object that will not be awaited, without a warning.
function Coroutine:close()
  self.f = nil
end

function Coroutine:__tostring()
  return ("<coroutine object %s at %p>"):format(self.name, self)
end

function Coroutine:__gc()
  if self.f then
    core_error.report {
      message = ("coroutine '%s' was never awaited"):format(self.name),
      where = self.where,
      created_by = self.created_by,
      warning = true,
    }
  end
end

local function await_of(value)
  local metatable = getmetatable(value)
  return type(metatable) == "table" and metatable.__await
end

--- Waits for an awaitable and returns its results, or raises its error.
---@async
---@param awaitable strobe.Awaitable coroutine object, Task, Future, or an object with `__await`
---@return any ...
function coroutines.await(awaitable)
  if future.is(awaitable) then
    return future.await(awaitable)
  elseif coroutines.is(awaitable) then
    return call(coroutines.take(awaitable))
  end
  local await = await_of(awaitable)
  if await then
    return await(awaitable)
  end
  error(("%s can't be awaited: a coroutine object, Task or Future expected"):format(type(awaitable)), 2)
end

--- Whether `await` takes the value.
---@param value any
---@return boolean
function coroutines.is_awaitable(value)
  return future.is(value) or coroutines.is(value) or await_of(value) ~= nil and await_of(value) ~= false
end

return coroutines
