--- What a session has asked to be told again and again: streams, expressions. They end with the session.

local failures = require "strobe.attach.failure"

-- Of one session.
local MOST = 16

local subscriptions = {}

--- Adds one: its number, by which its events are known.
---@param session strobe.attach.Session
---@param begin fun(sub: integer): fun() begins it, and returns what ends it; neither may wait
---@return integer sub
function subscriptions.add(session, begin)
  if session.sub_count >= MOST then
    failures.raise("too_many", ("%d streams and expressions are watched already: end one of them"):format(MOST))
  end
  session.last_sub, session.sub_count = session.last_sub + 1, session.sub_count + 1
  local sub = session.last_sub
  session.stops[sub] = begin(sub)
  return sub
end

--- Takes one away that has ended by itself; harmless when it is not there.
---@param session strobe.attach.Session
---@param sub integer
---@return fun()? stop
function subscriptions.forget(session, sub)
  local stop = session.stops[sub]
  if stop then
    session.stops[sub], session.sub_count = nil, session.sub_count - 1
  end
  return stop
end

--- Ends the one that a request names in `sub`.
---@param session strobe.attach.Session
---@param request table
---@return table answer
function subscriptions.stop(session, request)
  local sub = failures.field(request, "sub", "integer")
  local stop = subscriptions.forget(session, sub)
  if not stop then
    failures.raise("not_found", "sub: this session watches nothing by that number")
  end
  stop()
  return {}
end

return subscriptions
