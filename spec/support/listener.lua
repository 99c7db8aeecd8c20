--- A sink for feeds: it writes down what comes.

local assert = require "luassert"
local async = require "strobe.async"
local feeds = require "strobe.live.feed"

local Listener = {}
Listener.__index = Listener

--- Runs a feed in a task of its own, which ends with the listener.
function Listener.new(feed)
  local listener = setmetatable({ feed = feed, events = {}, said = {}, arrived = async.Event() }, Listener)
  feed.log = function(level, text)
    table.insert(listener.said, level .. ": " .. text)
  end
  listener.task = async.create_task(function()
    return feed:run(function(stream, data, time, seq)
      table.insert(listener.events, { stream = stream, data = data, time = time, seq = seq })
      listener.arrived:set()
      listener.arrived:clear()
      if listener.on_event then
        listener.on_event(stream, data, time, seq)
      end
    end)
  end)
  return listener
end

--- Waits until so many events have come.
function Listener:wait(count)
  while #self.events < count do
    self.arrived:wait()
  end
end

--- One field of all events.
function Listener:field(name)
  local list = {}
  for i, event in ipairs(self.events) do
    list[i] = event[name]
  end
  return list
end

--- Whether something was said that has this text.
function Listener:heard(text)
  for _, said in ipairs(self.said) do
    if said:find(text, 1, true) then
      return true
    end
  end
  return false
end

Listener.__close = function(self)
  self.feed:close()
  if not self.task:done() then
    self.task:cancel()
  end
  async.wait({ self.task })
end

--- A URL is refused, with these words.
---@param url string
---@param reason string
function Listener.refuses(url, reason)
  local feed, message, code = feeds.open(url)
  assert.is_nil(feed)
  assert.equal("EINVAL", code)
  assert.matches(reason, message, 1, true)
end

return Listener
