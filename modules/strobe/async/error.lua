--- The error classes of strobe.async.
--
-- An error object is a table with `message` and `traceback`; its class is its
-- metatable and gives it `name` and `__tostring`. A class is called to make an
-- object: `error(async.TimeoutError("too late"))`.

local core = require "strobe.core.error"

---@class strobe.Error
---@field name string        the name of its class
---@field message string
---@field traceback? string  where it was made

local classes = core.classes()
local Error = classes.Error

local error_classes = {
  Error = Error,
  CancelledError = classes.CancelledError,
  InvalidStateError = classes.InvalidStateError,
  GeneratorExit = classes.GeneratorExit,
  Interrupted = classes.Interrupted,
}

local function define(name, parent)
  error_classes[name] = core.class(name, parent or Error)
end

define "TimeoutError"
define "QueueEmpty"
define "QueueFull"
define "QueueShutDown"
define "BrokenBarrierError"
define "ConnectionError"
define "EOFError"
define("IncompleteReadError", error_classes.EOFError)
define "LimitOverrunError"
define "ExceptionGroup"

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
