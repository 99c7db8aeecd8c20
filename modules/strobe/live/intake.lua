--- What feeds a runtime: its feeds with a task each, their end, and the clock which a recording sets.
--
-- Recordings that are added before any of them runs have one time: the earliest first event is when the clock begins.

local core_task = require "strobe.core.task"
local errors = require "strobe.async.error"
local Event = require("strobe.async.event").Event
local mistake = require "strobe.mistake"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"

-- Seconds after which a wait looks again, whatever it was told.
local LOOK = 1
-- Turns of the loop without work for any unit, after which all have settled; and those in which they may do so.
local CALM, TURNS = 3, 32

---@class strobe.live.Intake
---@field feeds strobe.live.Feed[]
---@field private runtime strobe.live.Runtime
---@field private tasks table<strobe.live.Feed, strobe.Task>
---@field private waiting strobe.live.Feed[] which do not run yet
---@field private recorded? boolean a recording runs: the clock is its own
local Intake = {}
Intake.__index = Intake

---@param runtime strobe.live.Runtime
---@return strobe.live.Intake
function Intake.new(runtime)
  return setmetatable({ runtime = runtime, feeds = {}, tasks = {}, waiting = {}, changed = Event() }, Intake)
end

local function signal(intake)
  intake.changed:set()
  intake.changed:clear()
end

local function tell_end(intake, feed, message)
  local runtime = intake.runtime
  if message then
    runtime:log("error", ("feed %s ends: %s"):format(feed.name, message), { feed = feed.name })
  else
    runtime:log("info", ("feed %s ends: all is delivered"):format(feed.name), { feed = feed.name })
  end
end

-- The task of a feed.
local function deliver(intake, feed)
  local delivery = intake.runtime.delivery
  local ok, done, message, code = pcall(feed.run, feed, function(stream, data, at, stream_seq)
    delivery:offer(stream, data, at, stream_seq, feed)
  end)
  if not ok and errors.is(done, errors.CancelledError) then
    error(done, 0)
  elseif not ok then
    done, message, code = nil, tostring(done), "EFAULT"
  end
  feed.ended = true
  if not feed.closed then
    feed.failure = not done and { message = message, code = code } or nil
    tell_end(intake, feed, message)
  end
end

-- A unit that still has events, or works on one; or is about to be started again, if that counts.
local function busy_unit(runtime, with_restarts)
  for _, unit in ipairs(runtime.order) do
    local run = unit.run
    if run and unit.state == "running" and (with_restarts or not run.ended)
      and not (run.at_boundary and #unit.inbox == 0) then
      return unit
    end
  end
end

-- Lets all run that can. False when a unit is at work after so many turns: it waits for time, or for the world.
local function settle(runtime)
  local calm = 0
  for _ = 1, TURNS do
    time.sleep(0)
    calm = busy_unit(runtime) and 0 or calm + 1
    if calm == CALM then
      return true
    end
  end
  return false
end

local function check_name(intake, feed)
  for _, other in ipairs(intake.feeds) do
    if other.name == feed.name then
      mistake.raise("add_feed: there is a feed '%s' already (%s): name this one, NAME=URL", feed.name, other.url)
    end
  end
end

--- Takes a feed over. It runs in a moment, or when `run` is called.
---@param feed strobe.live.Feed
---@param options? {held?: boolean} held: not before `run`
function Intake:add(feed, options)
  mistake.expect("add_feed", "feed", "table", feed)
  options = mistake.options("add_feed", options)
  check_name(self, feed)
  local runtime = self.runtime
  feed.clock = runtime.clock
  feed.log = function(level, text)
    runtime:log(level, ("feed %s: %s"):format(feed.name, text), { feed = feed.name })
  end
  table.insert(self.feeds, feed)
  table.insert(self.waiting, feed)
  runtime.clock.settle = #self.feeds == 1 and function() -- several would overtake each other
    return settle(runtime)
  end or nil
  if feed.begins and not self.recorded then
    self.begins = math.min(self.begins or math.huge, feed.begins)
    runtime.clock:hold(self.begins)
  end
  if not options.held and not self.starter then
    self.starter = runtime:spawn(function() -- those that are added now begin together
      self.starter = nil
      self:run()
    end)
  end
end

--- Runs the feeds that do not run yet.
function Intake:run()
  local waiting = self.waiting
  self.waiting = {}
  for _, feed in ipairs(waiting) do
    self.recorded = self.recorded or feed.begins ~= nil
    local task = self.runtime:spawn(deliver, self, feed)
    task:set_name(("feed %s of the runtime"):format(feed.name))
    self.tasks[feed] = task
    task:add_done_callback(function()
      self.tasks[feed] = nil
      feed.ended = true
      signal(self)
    end)
  end
end

local function first_left(intake)
  for _, feed in ipairs(intake.feeds) do
    if feed.finite and not feed.ended then
      return feed
    end
  end
end

local function wait_units(runtime)
  local unit = busy_unit(runtime, true)
  while unit do
    local run = unit.run
    timeouts.move_on_after(LOOK, run.changed.wait, run.changed)
    time.sleep(0)
    unit = busy_unit(runtime, true)
  end
end

--- Waits until all finite feeds have ended, and the units have processed what came.
---@async
---@return true? done
---@return string? message why a feed ended too early
---@return string? code
function Intake:wait()
  while first_left(self) do
    self.changed:wait()
  end
  repeat
    wait_units(self.runtime)
  until settle(self.runtime) and not busy_unit(self.runtime, true) -- answers of ports may be events again
  for _, feed in ipairs(self.feeds) do
    if feed.failure then
      return nil, feed.failure.message, feed.failure.code
    end
  end
  return true
end

--- Ends all feeds.
---@async
function Intake:close()
  local list, me = {}, core_task.current()
  for _, task in pairs(self.tasks) do
    list[#list + 1] = task ~= me and task or nil
  end
  for _, feed in ipairs(self.feeds) do
    feed:close()
  end
  if #list > 0 then
    tasks.cancel_and_wait(list)
  end
end

return Intake
