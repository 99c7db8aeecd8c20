--- The threads that a client knows: which it was told of, and what has changed since. Threads are tasks.
--
-- A program may make 100,000 tasks in a second: of those that have ended when one looks nothing is ever told, and of
-- the others so many at a time.

local debuggers = require "strobe.debug.debugger"
local inspect = require "strobe.core.inspect"
local protocol = require "strobe.debug.protocol"
local variables = require "strobe.debug.variables"

-- Threads that are told, and with stopped ones that are not among them; events of one look; bytes of a name.
local MOST, MOST_STOPPED, MOST_EVENTS, MOST_NAME = 1000, 5000, 50, 100

---@class strobe.debug.Threads
---@field private debugger strobe.debug.Debugger
---@field private tell fun(reason: "started"|"exited", number: integer)
---@field private told table<integer, strobe.Task> by number
---@field private count integer
local Threads = {}
Threads.__index = Threads

local threads = {}

---@param debugger strobe.debug.Debugger
---@param tell fun(reason: "started"|"exited", number: integer)
---@return strobe.debug.Threads
function threads.new(debugger, tell)
  return setmetatable({ debugger = debugger, tell = tell, told = {}, count = 0 }, Threads)
end

local function add(self, task)
  local number = inspect.id(task)
  if self.told[number] then
    return nil
  end
  self.told[number], self.count = task, self.count + 1
  return number
end

--- All of them, as DAP wants them: those that are stopped, and the oldest others.
---@return table[]
function Threads:list()
  local list = protocol.list()
  self.told, self.count = {}, 0
  local function tell(task)
    local number = add(self, task)
    list[#list + 1] = number and { id = number, name = variables.cut(task:get_name(), MOST_NAME) }
  end
  for _, task in ipairs(debuggers.tasks(MOST)) do
    tell(task)
  end
  for task in pairs(self.debugger.stops) do
    if self.count < MOST_STOPPED then
      tell(task)
    end
  end
  table.sort(list, function(a, b)
    return a.id < b.id
  end)
  return list
end

-- Tells of those that have ended, at most so many; how many may still be told.
local function tell_exited(self, left)
  for number, task in pairs(self.told) do
    if task:done() and left > 0 then
      self.told[number], self.count, left = nil, self.count - 1, left - 1
      self.tell("exited", number)
    end
  end
  return left
end

local function tell_started(self, left)
  for _, task in ipairs(self.count < MOST and debuggers.tasks(MOST) or {}) do
    if left == 0 or self.count >= MOST then
      break
    end
    local number = add(self, task)
    if number then
      left = left - 1
      self.tell("started", number)
    end
  end
  return left
end

--- Tells what has changed.
---@return boolean complete false: there may be more
function Threads:look()
  return tell_started(self, tell_exited(self, MOST_EVENTS)) > 0
end

return threads
