--- The program that is debugged, where `strobe debug` has started it: it begins when the client has set all up. In a
--- process that is attached to, nothing is to begin.

local Event = require("strobe.async.event").Event
local uv = require "luv"

local program = {}

local ready

--- The program is to wait for its client.
function program.expect()
  ready = Event()
end

--- Waits until the client has set all up.
---@async
---@return strobe.debug.Session
function program.wait()
  ready:wait()
  return program.session
end

--- The client has set all up.
---@param session strobe.debug.Session
function program.configured(session)
  program.session = session
  if ready then
    ready:set()
  end
end

--- The client wants it to end: as by SIGTERM, so that it cleans up.
function program.terminate()
  uv.kill(uv.os_getpid(), "sigterm")
end

return program
