--- A callback once some real time has passed, whatever the clock says of tasks: people do not type in virtual time.

local core_future = require "strobe.core.future"
local tasks = require "strobe.async.task"
local uv = require "luv"

---@class strobe.Alarm
---@field private f fun()
local Alarm = {}
Alarm.__index = Alarm
Alarm.__name = "alarm"

--- Makes one that is not set.
---@param f fun() may not wait
---@return strobe.Alarm
function Alarm.new(f)
  return setmetatable({ f = f, timer = assert(uv.new_timer()) }, Alarm)
end

--- Lets it be none that the process waits for: virtual time jumps as if it were not there.
---@return strobe.Alarm itself
function Alarm:unref()
  self.timer:unref()
  return self
end

--- Whether it is to come.
---@return boolean
function Alarm:is_set()
  return self.timer:is_active()
end

--- Sets it anew, or not at all.
---@param seconds? number
function Alarm:set(seconds)
  if self.timer:is_closing() then
    return
  elseif seconds then
    uv.update_time() -- else what this step has taken is taken off
    self.timer:start(math.ceil(math.max(seconds, 0) * 1000), 0, self.f)
  else
    self.timer:stop()
  end
end

--- For good. Twice is harmless.
function Alarm:close()
  if not self.timer:is_closing() then
    self.timer:close()
  end
end

Alarm.__close = Alarm.close

-- A future, and the alarm that ends it.
local function ringing()
  local rang = core_future.new()
  return rang, Alarm.new(function()
    if not rang:done() then
      rang:set_result(true)
    end
  end)
end

--- Waits until so many seconds of real time have passed, also where the process's own time flies, or stands.
---@async
---@param seconds number
function Alarm.sleep(seconds)
  local rang, new = ringing()
  local alarm <close> = new
  alarm:set(seconds)
  rang:await()
end

--- Waits until one of some futures has ended, or so many seconds of the process's time have passed, or of real time,
--- whichever is first: for what looks at a process whose clock may stand.
---@async
---@param futures strobe.Future[]
---@param seconds number
function Alarm.wait(futures, seconds)
  local rang, new = ringing()
  local alarm <close> = new
  alarm:set(seconds)
  local all = table.move(futures, 1, #futures, 1, {})
  all[#all + 1] = rang
  tasks.wait(all, { return_when = "FIRST_COMPLETED", timeout = seconds })
end

--- Waits until so many seconds of the process's time have passed, or of real time, whichever is first.
---@async
---@param seconds number
function Alarm.pass(seconds)
  Alarm.wait({}, seconds)
end

return Alarm
