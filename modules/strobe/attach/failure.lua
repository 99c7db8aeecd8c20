--- Why an operation was not done: one of the protocol's codes, and a text.

local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"

---@class strobe.attach.Failure : strobe.Error
---@field code string "bad_request", "not_found", "rights", "busy", "too_many", "error", "rejected:…", …
---@field more? table further fields of the answer
local Failure = core_error.class("Failure", errors.Error)

local failures = {}

--- Raises one.
---@param code string
---@param message string
---@param more? table further fields of the answer
function failures.raise(code, message, more)
  local failure = Failure(message)
  failure.code, failure.more = code, more
  error(failure, 0)
end

--- Whether an error is one.
---@param e any
---@return boolean
function failures.is(e)
  return errors.is(e, Failure)
end

--- A field of a request, which must be of a type; nil when it may be missing and is.
---@param request table
---@param name string
---@param kind "string"|"integer"|"number"|"boolean"
---@param optional? boolean
---@return any
function failures.field(request, name, kind, optional)
  local value = request[name]
  if value == nil and optional then
    return nil
  elseif kind == "integer" and type(value) == "number" then
    value = math.tointeger(value)
  end
  local found = kind == "integer" and math.type(value) or type(value)
  if found ~= kind then
    local what = kind == "integer" and "a whole number" or "a " .. kind
    failures.raise("bad_request", ("%s: %s expected"):format(name, what))
  end
  return value
end

return failures
