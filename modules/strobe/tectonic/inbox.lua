-- An inbox: updates that were pushed and wait to be taken, in bounded queues: one for each book that was
-- opened, and one for all others. A full queue loses its oldest update.

local lot = require "strobe.core.lot"
local ring = require "strobe.tectonic.ring"

---@class strobe.tectonic.Inbox
---@field limit integer updates in a queue
---@field private others strobe.tectonic.Ring
---@field private queues table<string, strobe.tectonic.Ring> by book
---@field private arrived userdata where tasks wait for updates
local Inbox = {}
Inbox.__index = Inbox
Inbox.__name = "tectonic inbox"

local inbox = {}

---@param limit integer updates in a queue
---@return strobe.tectonic.Inbox
function inbox.new(limit)
  return setmetatable({ limit = limit, others = ring.new(limit), queues = {}, arrived = lot.new "update" }, Inbox)
end

local function queue_of(self, book)
  return self.queues[book] or self.others
end

---Gives a book a queue of its own.
---@param book string
---@return boolean opened false when it has one
function Inbox:open(book)
  if self.queues[book] then
    return false
  end
  self.queues[book] = ring.new(self.limit)
  return true
end

---Forgets a book's queue, with what is in it.
---@param book string
function Inbox:close(book)
  self.queues[book] = nil
end

---Adds an update and wakes those who wait.
---@param value strobe.tectonic.Tick
---@param book string
---@return boolean dropped whether the oldest had to go
function Inbox:put(value, book)
  local dropped = queue_of(self, book):push(value)
  self.arrived:wake()
  return dropped
end

---Takes the oldest update.
---@param book? string one with a queue of its own; default: of all others
---@return strobe.tectonic.Tick? value nil when there is none
function Inbox:take(book)
  return queue_of(self, book):shift()
end

---Waits for an update, of whatever book, or for wake(); not at all when there is one to take.
---@async
---@param book? string
function Inbox:wait(book)
  if queue_of(self, book):count() == 0 then
    self.arrived:park()
  end
end

---Wakes all who wait: no update will come for now.
function Inbox:wake()
  self.arrived:wake()
end

return inbox
