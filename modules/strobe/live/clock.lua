--- The time which units see: seconds since 1970, as `ctx:now()` and `m.time` tell it.
--
-- It is the loop's clock and an offset. A live clock shows the time of day; a virtual one begins with the loop's 0. A
-- recording sets it to its own time, so that its events come when they came, whatever pace the loop's clock has.

local time = require "strobe.core.time"
local uv = require "luv"

-- Times are told in microseconds: finer digits of a double near 1.6e9 are noise.
local RESOLUTION = 1e6

local floor, now = math.floor, time.now

---@class strobe.live.Clock
---@field private offset number between the loop's time and this one
---@field private held? number  it stands at this time
---@field settle? fun(): boolean lets all run that can at this time; false when somebody is still at work. May wait
local Clock = {}
Clock.__index = Clock

--- Makes one, which shows the time as it is.
---@return strobe.live.Clock
function Clock.new()
  return setmetatable({ offset = time.mode() == "virtual" and 0 or time.wall() - now() }, Clock)
end

--- Seconds since 1970.
---@return number
function Clock:now()
  return self.held or floor((now() + self.offset) * RESOLUTION + 0.5) / RESOLUTION
end

--- It shows this time and stands there, until `start`.
---@param at number
function Clock:hold(at)
  self.held = at
end

--- It goes on from the time at which it was held.
function Clock:start()
  if self.held then
    self.held, self.offset = nil, self.held - now()
  end
end

-- A virtual loop that has handles open, if only for signals, listens some milliseconds before each jump. A recording
-- has too many times for that. So it moves the clock itself, from deadline to deadline, once all have settled; but not
-- while somebody holds it, as a console does at its prompt.
local function step(clock, when)
  while not time.held() and clock.settle() and not time.held() do
    if not time.jump(when) then
      return
    end
  end
  time.sleep_until(when)
end

--- Waits until it shows this time; not at all when that has passed.
---@async
---@param at number
function Clock:wait_until(at)
  local when = at - self.offset
  if when <= now() then
    return
  elseif self.settle and time.mode() == "virtual" and uv.loop_alive() then
    step(self, when)
  else
    time.sleep_until(when)
  end
end

return Clock
