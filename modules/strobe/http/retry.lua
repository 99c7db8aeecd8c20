--- Trying again: what can get better by itself, and how long to wait for that.
--
-- Only requests that may be made twice (RFC 9110, section 9.2.2), with a body that is there as a whole. The pauses
-- double from half a second, vary, and are at most 30 s; a server's Retry-After is kept to.

local dates = require "strobe.http.date"
local time = require "strobe.core.time"

local FIRST, MOST, MOST_ASKED = 0.5, 30, 120

local retry = {}

local idempotent = { GET = true, HEAD = true, PUT = true, DELETE = true, OPTIONS = true, TRACE = true }
local statuses = { [429] = true, [502] = true, [503] = true, [504] = true }

-- Failures of a connection.
local codes = {
  ECONNREFUSED = true,
  ECONNRESET = true,
  ECONNABORTED = true,
  EHOSTUNREACH = true,
  ENETUNREACH = true,
  EPIPE = true,
  EOF = true,
  EAI_AGAIN = true,
  ETIMEDOUT = true,
}

-- Seconds; nil when the server does not say. A date is meant by the server's clock, if it tells that. RFC 9110,
-- section 10.2.3
local function asked_for(answer)
  local text = answer and answer.headers["retry-after"]
  if not text then
    return nil
  elseif text:find "^%d+$" then
    return tonumber(text)
  end
  local date = dates.parse(text, time.wall())
  local sent = answer.headers.date and dates.parse(answer.headers.date, time.wall()) or time.wall()
  return date and math.max(0, date - sent)
end

--- Seconds to wait before the next attempt; nil when there should be none.
---@param request strobe.http.Outgoing
---@param attempt integer from 1
---@param answer? strobe.http.Answer
---@param code? string of a failure
---@return number? seconds
function retry.pause(request, attempt, answer, code)
  local may = idempotent[request.method] and (request.body == nil or type(request.body) == "string")
  if not may or attempt > request.retries or not (answer and statuses[answer.status] or codes[code]) then
    return nil
  end
  local seconds = asked_for(answer)
  if seconds and seconds > MOST_ASKED then
    return nil
  end
  seconds = seconds or math.min(FIRST * 2 ^ (attempt - 1), MOST) * (0.5 + 0.5 * math.random())
  if request.deadline and time.now() + seconds >= request.deadline then
    return nil
  end
  return seconds
end

return retry
