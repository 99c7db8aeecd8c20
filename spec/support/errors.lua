--- What calls raise.

local async = require "strobe.async"

local errors = {}

--- What f(…) raises. Fails when it raises nothing.
---@async
---@param f function
---@param ... any
---@return any e
function errors.raised_by(f, ...)
  local ok, e = pcall(f, ...)
  if ok then
    error("an error was expected, and there was none", 2)
  end
  return e
end

--- The same, of a class.
---@async
---@param class table e.g. async.TimeoutError
---@param f function
---@param ... any
---@return strobe.Error e
function errors.raised(class, f, ...)
  local ok, e = pcall(f, ...)
  if ok or not async.is(e, class) then
    error(("%s expected, got %s"):format(tostring(class), ok and "no error" or tostring(e)), 2)
  end
  return e
end

return errors
