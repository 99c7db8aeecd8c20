--- The virtual clock in a test's hands. trio.testing.MockClock
--
-- Under the virtual clock time jumps to the next deadline by itself as soon as every task is blocked. `advance` moves
-- it so far and no further, and `manual` keeps it from moving by itself:
--
--     local clock = require "strobe.testing".clock
--
--     it("forgets a visitor after an hour", function()
--       local manual <close> = clock.manual()
--       local door = Door.open()
--       clock.advance(3599)
--       assert.equal(1, door:visitors())
--       clock.advance(1)
--       assert.equal(0, door:visitors())
--     end)

local core_task = require "strobe.core.task"
local host = require "strobe.core.host"
local time = require "strobe.core.time"

local clock = {}

-- The scope that ends the `it` which runs, see strobe.test.
local limit

local function check_virtual(name)
  if time.mode() ~= "virtual" then
    error(("testing.clock.%s: the clock is %s: only a virtual one can be moved (`strobe test` has it, and "
      .. "`strobe --clock=virtual FILE`)"):format(name, time.mode()), 3)
  end
end

--- Seconds on the loop's clock.
---@return number
function clock.now()
  return time.now()
end

--- Gives the `it` that runs so many seconds more.
---@param seconds number
function clock.prolong(seconds)
  if limit and not limit:expired() then
    limit:reschedule(limit:when() + seconds)
  end
end

--- Waits until every other task is blocked: none can go on unless time moves or something comes from outside. Time
--- stands still meanwhile. With sockets, processes or files open, "nothing comes" is a short quiet time of the system's
--- clock. trio.testing.wait_all_tasks_blocked
---@async
function clock.run_until_idle()
  check_virtual "run_until_idle"
  time.idle()
end

--- Moves time forward, stops at each deadline on the way, and lets all run that is due there, until every other task
--- is blocked again; then returns. What is due at the end itself has run as well. It does not use up the time which
--- `strobe test` gives an `it`.
---
--- `clock.advance(60)`
---@async
---@param seconds number 0 or more
function clock.advance(seconds)
  check_virtual "advance"
  if type(seconds) ~= "number" or not (seconds >= 0 and seconds < math.huge) then
    error(("testing.clock.advance: a number of seconds, 0 or more, expected, got %s"):format(tostring(seconds)), 2)
  end
  clock.prolong(seconds)
  local target = time.now() + seconds
  time.idle()
  while time.jump(target) do
    time.idle()
  end
end

-- Nothing will ever move the clock: whoever has stopped it is to know.
local function stuck(owner, otherwise)
  local told = owner:cancel "testing.clock is manual, and every task waits: only testing.clock.advance moves it"
  if not told and otherwise then
    otherwise()
  end
end

--- Time moves by `advance` only, until the returned value is closed, or the `it` ends. When every task is blocked then,
--- the one that called this is cancelled, with a message that says so.
---
--- `local manual <close> = clock.manual()`
---@return table manual a `<close>` value; `:close()` twice is harmless
function clock.manual()
  check_virtual "manual"
  local owner, before, previous = core_task.current(), time.stands(), nil
  previous = host.on_deadlock(function()
    stuck(owner, previous)
  end)
  time.stands(true)
  local open = true
  local function close()
    if open then
      open = false
      host.on_deadlock(previous)
      if time.mode() == "virtual" then
        time.stands(before)
      end
    end
  end
  return setmetatable({ close = close }, { __close = close })
end

--- For `strobe test`: the scope that ends the `it` which runs, nil when there is none. `advance` prolongs it.
---@param scope? strobe.Timeout
---@package
function clock.set_limit(scope)
  limit = scope
end

return clock
