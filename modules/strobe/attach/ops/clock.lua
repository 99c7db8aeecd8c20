--- Operations on the process's time.

local failures = require "strobe.attach.failure"
local host = require "strobe.core.host"
local time = require "strobe.core.time"

-- Seconds that a clock is moved at most: a century.
local MOST = 100 * 366 * 86400

local function told(session)
  local runtime, mode = session.runtime, time.mode()
  local answer = {
    mode = mode, time = time.now(), wall = time.wall(), timers = host.statistics().timers,
    units = runtime and runtime:now() or nil,
  }
  if mode == "virtual" then
    answer.stands = time.stands()
  end
  return answer
end

local function check_virtual()
  if time.mode() ~= "virtual" then
    failures.raise("error", ("the clock is %s: only a virtual one is moved by hand (strobe --clock=virtual)"):format(
      time.mode()))
  end
end

-- Moves to the deadlines one by one, and lets all run that is due there; from then on time stands. It ends on time also
-- when there is always one more.
local function move_to(target)
  time.stands(true, true)
  time.idle()
  while time.jump(target) do
    time.idle()
  end
end

local function advance(session, request)
  local seconds = failures.field(request, "seconds", "number", true)
  local stands = failures.field(request, "stands", "boolean", true)
  check_virtual()
  if seconds and not (seconds >= 0 and seconds <= MOST) then
    failures.raise("bad_request", "seconds: 0 or more, at most a century, expected")
  end
  local began = time.now()
  if seconds then
    move_to(began + seconds)
  elseif stands ~= nil then
    time.stands(stands, true)
  else
    failures.raise("bad_request", "seconds: a number expected")
  end
  local answer = told(session)
  answer.moved = answer.time - began
  return answer
end

-- To the next deadline, and no further.
local function step(session)
  check_virtual()
  time.stands(true, true)
  time.idle()
  if host.statistics().timers == 0 then
    return told(session)
  end
  local began = time.now()
  time.jump(began + MOST)
  time.idle()
  local answer = told(session)
  answer.moved = answer.time - began
  return answer
end

return {
  clock = { rights = "ro", run = told },
  advance = { rights = "rw", run = advance, waits = true },
  step = { rights = "rw", run = step, waits = true },
}
