--- HTTPException: a status to answer, or one that was answered, as an error.

local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"
local reasons = require "strobe.http.status"

---@class strobe.http.HTTPException : strobe.Error an error that answers its status
---@field status integer
---@field headers? table<string, string|number>
local HTTPException = core_error.class("HTTPException", errors.Error)

local http_error = { HTTPException = HTTPException }

--- Makes an error that answers a status: `error(http.error(404, "no such user"))` in a handler answers 404 with that
--- text.
--- aiohttp.web.HTTPException
---@param status integer 400 to 599
---@param message? string for the peer too; default the status' reason
---@param headers? table<string, string|number> of the answer
---@return strobe.http.HTTPException
function http_error.new(status, message, headers)
  if math.type(status) ~= "integer" or status < 400 or status > 599 then
    error(("http.error: a status from 400 to 599 expected, got %s"):format(tostring(status)), 2)
  end
  local e = HTTPException(message or reasons[status] or "error")
  e.status, e.headers = status, headers
  return e
end

return http_error
