--- Why a command was not carried out: a text for whoever typed it.

local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"

local Refusal = core_error.class("CommandRefusal", errors.Error)

local refusal = {}

--- Raises one.
---@param text string a format
---@param ... any
function refusal.raise(text, ...)
  error(Refusal(select("#", ...) > 0 and text:format(...) or text), 0)
end

--- Whether an error is one.
---@param e any
---@return boolean
function refusal.is(e)
  return errors.is(e, Refusal)
end

return refusal
