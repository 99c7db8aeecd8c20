-- A clock: sends ticks, "tack", to a component, and waits for each acknowledgement.

local async = require "strobe.async"
local script = require "strobe.script"
local sketch = require "strobe.sketch"

local Clock = sketch.component "Clock"

---@param tacks? integer how many; 0 or none: for ever
---@param delay? number seconds from one to the next (1)
function Clock:setup(tacks, delay)
  self.tacks, self.delay = tacks or 0, delay or 1
end

local function send_one(clock, link, number)
  local acknowledgement, message, code = link:send "tack"
  if not acknowledgement then
    return nil, message, code
  end
  clock:out(("tack %d: %s"):format(number, acknowledgement))
  return true
end

-- Sends them all, on time: what an acknowledgement takes does not add up.
local function send_all(clock, link)
  local due = async.time()
  for number = 1, clock.tacks > 0 and clock.tacks or math.maxinteger do
    local ok, message, code = true, nil, nil
    if number > 1 then
      due = math.max(due + clock.delay, async.time())
      ok, message, code = link:pause(due - async.time())
    end
    if ok then
      ok, message, code = send_one(clock, link, number)
    end
    if not ok then
      return nil, message, code
    end
  end
  return true
end

--- Connects, and sends the tacks.
---@async
---@param host string or the name of a component, without a port
---@param port? integer
---@return true?
---@return string? message
---@return string? code
function Clock:tick(host, port)
  local link, message, code = self:connect(host, port)
  if not link then
    return nil, message, code
  end
  local guard <close> = link -- luacheck: ignore
  return send_all(self, link)
end

if ... == "strobe.circuit/clock" then
  return Clock
end
script.module "circuit"("clock", ...)
