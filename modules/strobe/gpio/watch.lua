--- Watching lines: who requests, reconfigures and releases pins of a board, as libgpiod's info events.

local async = require "strobe.async"
local mistake = require("strobe.mistake").raise

local ROOM = 1024 -- events; then the oldest goes

---@class strobe.gpio.InfoEvent what has happened to a pin
---@field event "requested"|"released"|"reconfigured"
---@field line string the pin's name
---@field timestamp_ns integer
---@field info strobe.gpio.LineInfo as it was then

---@class strobe.gpio.Watch a `<close>` value; called, it is an iterator
---@field overruns integer events lost for want of room
local Watch = {}
Watch.__index = Watch
Watch.__name = "gpio.Watch"

--- board:watch_lines
---@package
---@param board strobe.gpio.Board
---@param pins? string[] those to watch; all without
---@return strobe.gpio.Watch
function Watch.open(board, pins)
  if board.closed then
    mistake("board:watch_lines: board %s was closed", board.name)
  end
  local wanted
  for _, pin in ipairs(pins or {}) do
    wanted = wanted or {}
    wanted[board:find_pin("board:watch_lines", pin).name] = true
  end
  local watch = setmetatable({
    board = board, wanted = wanted, first = 1, last = 0, events = {}, overruns = 0, news = async.Event(),
  }, Watch)
  board.watchers[watch] = true
  return watch
end

--- For boards: notes an event.
---@package
---@param event strobe.gpio.InfoEvent
function Watch:add(event)
  if self.wanted and not self.wanted[event.line] then
    return
  end
  self.last = self.last + 1
  self.events[self.last] = event
  if self.last - self.first >= ROOM then
    self.events[self.first] = nil
    self.first, self.overruns = self.first + 1, self.overruns + 1
  end
  self.news:set()
end

--- Waits for the next event, first come first.
---@async
---@return strobe.gpio.InfoEvent? event nil when it was closed, or the board was
---@return string? message
---@return string? code "ECANCELED"
function Watch:wait()
  while self.first > self.last do
    if self.closed then
      return nil, "the watch was closed", "ECANCELED"
    end
    self.news:clear()
    self.news:wait()
  end
  local event = self.events[self.first]
  self.events[self.first] = nil
  self.first = self.first + 1
  return event
end

function Watch:__call()
  return (self:wait())
end

--- Ends it; what came before can still be had. Twice is harmless.
function Watch:close()
  self.closed = true
  self.board.watchers[self] = nil
  self.news:set()
end

Watch.__close = Watch.close

return Watch
