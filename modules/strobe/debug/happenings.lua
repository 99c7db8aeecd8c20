--- What has happened and is to be told: later, as in a hook nothing may be sent; in its order; and no faster than a
--- client can take it, though ten thousand tasks come to one breakpoint, or a loop to a line that writes a text.

local handle = require "strobe.core.handle"

-- What is told at once, and the seconds until the next; texts that may wait.
local MOST_AT_ONCE, PAUSE, MOST_TEXTS = 200, 0.02, 1000

---@class strobe.debug.Happenings
---@field private on fun(event: string, ...)
---@field private first integer
---@field private last integer
---@field private texts integer that wait
---@field private lost integer texts that had no room
local Happenings = {}
Happenings.__index = Happenings

local happenings = {}

---@param on fun(event: string, ...) may not wait
---@return strobe.debug.Happenings
function happenings.new(on)
  return setmetatable({ on = on, first = 1, last = 0, texts = 0, lost = 0 }, Happenings)
end

local function take(self)
  local happening = self[self.first]
  self[self.first], self.first = nil, self.first + 1
  if happening[1] == "output" then
    self.texts = self.texts - 1
  end
  return table.unpack(happening, 1, happening.n)
end

local function tell_lost(self)
  local lost = self.lost
  if lost > 0 then
    self.lost = 0
    self.on("output", ("… %d more texts came too fast"):format(lost))
  end
end

local function tell_some(self)
  self.handle = nil
  for _ = 1, math.min(MOST_AT_ONCE, self.last - self.first + 1) do
    self.on(take(self))
    if self.closed then
      return
    end
  end
  if self.first <= self.last then
    self.handle = handle.call_later(PAUSE, tell_some, self)
  else
    tell_lost(self)
  end
end

--- Something has happened. Of "output" only so many wait; how many had no room is told.
---@param event string
---@param ... any
function Happenings:add(event, ...)
  if event == "output" then
    if self.texts == MOST_TEXTS then
      self.lost = self.lost + 1
      return
    end
    self.texts = self.texts + 1
  end
  self.last = self.last + 1
  self[self.last] = table.pack(event, ...)
  self.handle = self.handle or handle.call_soon(tell_some, self)
end

--- Nothing is told any more. Closing twice is harmless.
function Happenings:close()
  self.closed = true
  if self.handle then
    self.handle:cancel()
    self.handle = nil
  end
end

return happenings
