--- The error classes of strobe.async.
--
-- An error object is a table with `message` and `traceback`; its class is its
-- metatable and gives it `name` and `__tostring`. A class is called to make an
-- object: `error(async.TimeoutError("too late"))`.

local core = require "strobe.core.error"

---@class strobe.Error the errors of strobe.async; each class is called to make one
---@field name string        the name of its class
---@field message string
---@field traceback? string  where it was made

local classes = core.classes()
local Error = classes.Error

local error_classes = {
  --- What all of these derive from: `async.is(e, async.Error)`.
  Error = Error,
  --- Raised where a task waits, to end it: clean up and raise it again. asyncio.CancelledError
  CancelledError = classes.CancelledError,
  --- A future was given its outcome twice, or asked for it too early. asyncio.InvalidStateError
  InvalidStateError = classes.InvalidStateError,
  --- Raised where a generator yields when it is closed.
  GeneratorExit = classes.GeneratorExit,
  --- Raised in the script's task by Ctrl-C; Python's KeyboardInterrupt.
  Interrupted = classes.Interrupted,
  --- Every task waits for ever: raised by a job of an executor, in whose thread nothing can happen any more.
  DeadlockError = classes.DeadlockError,
}

local function define(name, parent)
  error_classes[name] = core.class(name, parent or Error)
end

--- The time of wait_for, timeout or as_completed is up. asyncio.TimeoutError
define "TimeoutError"
--- There is no item for get_nowait. asyncio.QueueEmpty
define "QueueEmpty"
--- There is no room for put_nowait. asyncio.QueueFull
define "QueueFull"
--- The queue, or channel, was shut down. asyncio.QueueShutDown
define "QueueShutDown"
--- The barrier was reset or aborted while a task waited at it. asyncio.BrokenBarrierError
define "BrokenBarrierError"
--- A connection of open_connection or start_server failed: `code` is a word as "ECONNREFUSED".
define "ConnectionError"
--- What was read from ended too early.
define "EOFError"
--- The stream ended before all was there: `partial` is what came, `expected` how many bytes were. An EOFError, too.
--- asyncio.IncompleteReadError
define("IncompleteReadError", error_classes.EOFError)
--- The separator is not within the reader's limit: `consumed` bytes may be read over. asyncio.LimitOverrunError
define "LimitOverrunError"
--- Bytes are no text in their encoding: `offset` is how many good ones were before, `reason` says what is wrong.
define "UnicodeDecodeError"
--- Several errors at once, as a TaskGroup raises: they are in the list `exceptions`.
define "ExceptionGroup"
--- No job of an executor can run any more: a thread could not be started, or its initializer failed.
--- concurrent.futures.thread.BrokenThreadPool
define "BrokenThreadPool"

-- A thrown table may have any metatable, even one that is its own parent.
local MOST_DERIVED = 100

--- Whether an error is an object of a class, or of one derived from it.
---@param e any          what pcall caught
---@param class table    a class, e.g. `async.TimeoutError`
---@return boolean
function error_classes.is(e, class)
  local found = type(e) == "table" and getmetatable(e)
  for _ = 1, MOST_DERIVED do
    if type(found) ~= "table" then
      return false
    elseif found == class then
      return true
    end
    found = rawget(found, "parent")
  end
  return false
end

local group_text = error_classes.ExceptionGroup.__tostring

function error_classes.ExceptionGroup.__tostring(group)
  local lines = { group_text(group) }
  for i, e in ipairs(group.exceptions or {}) do
    lines[#lines + 1] = ("  %d. %s"):format(i, (tostring(e):gsub("\n", "\n     ")))
  end
  return table.concat(lines, "\n")
end

--- An ExceptionGroup of several errors, as a TaskGroup raises.
---@param message string
---@param exceptions any[]
---@return strobe.Error
function error_classes.group(message, exceptions)
  local group = error_classes.ExceptionGroup(message)
  group.exceptions = exceptions
  return group
end

return error_classes
