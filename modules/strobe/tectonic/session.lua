-- A session: one client's conversation with a server of generation A, a line in, an answer out.
--
-- Model: it knows its current book ("default" at first), at most one subscription, and whether it is in
-- bulk mode; everything else is in the store, shared with the other sessions. It never waits. In bulk mode
-- every line that is not a command without arguments is a row, "SUBSCRIBE x" too. What it answers as a
-- session of generation C does is in commands.lua.
--
-- Errors are "ERR: ", a text and two "\n", as at c4fcb1c.
--
-- Where we leave the original (see commands.lua too):
--
--   command                   original (c4fcb1c)                       here
--   UNSUBSCRIBE, not          panic that ends the process              "ERR: Not subscribed."
--     subscribed
--   BULKADD without INTO      panic at the first row                   rows go to the current book,
--                                                                      as since 14b33e6 (April 2018)
--   BULKADD INTO at its end,  panic                                    "ERR: Unknown command.", "ERR: Unable
--     ADD with nothing                                                 to parse line"
--     before INTO
--   GET of a range outside    all rows in memory                       no rows, as in generation C
--     the rows in memory
--   binary GET                01 and the batches without a length      the 9-byte header, as since 1de5baf
--                                                                      (March 2018); option bare_get
--   CREATE                    seen by this connection and later ones   seen by all, as since af48191
--                                                                      (February 2018)
--   CREATE above the bound    no bound                                 "ERR: Too many books."
--   SUBSCRIBE again           the old subscription keeps filling       the old one ends, its queue is counted
--   a full queue              no bound                                 the oldest update goes, counted
--   USE                       loads the book's file                    there is no file
--   a line that is not UTF-8  the connection ends                      "ERR: Bad format."

local commands = require "strobe.tectonic.commands"
local frame = require "strobe.tectonic.frame"
local report = require "strobe.tectonic.report"
local tick = require "strobe.tectonic.tick"

local NONE = "NONE"
local HELP = [==[
PING, HELP, INFO, PERF, COUNT [ALL [IN MEM]], CREATE name, USE name, EXISTS name
ADD|INSERT ts, seq, is_trade, is_bid, price, size; [INTO name] - BULKADD [INTO name], rows, DDAKLUB
GET n|ALL [FROM s TO s] [AS JSON|AS CSV] [IN MEM], FLUSH [ALL], CLEAR [ALL]
SUBSCRIBE name, then an empty line for each update or NONE, UNSUBSCRIBE [ALL]
]==]
local DIALECT = { brackets = true, letters = false, shortage = "Not enough items to return.", error_end = "\n\n",
  noun = "DB", name_limit = math.huge, help = HELP, info = report.info }

---@class strobe.tectonic.SessionOptions
---@field bare_get? boolean answer a binary GET without a length, as servers before 1de5baf; default false,
---because the receiver can find its end only by parsing the batches
---@field unsubscribe_all? "everyone"|"own" whose subscriptions UNSUBSCRIBE ALL ends; default "everyone",
---as the original

---@class strobe.tectonic.Session : strobe.tectonic.AnySession
---@field package options strobe.tectonic.SessionOptions
---@field package bulk string|nil name of the book bulk rows go to
---@field package subscriber strobe.tectonic.Subscriber|nil
local Session = {}
Session.__index = Session
Session.__name = "strobe.tectonic.Session"

local session = {}

---Opens a session and counts it as a connection; close() it when the client leaves.
---@param store strobe.tectonic.Store
---@param options? strobe.tectonic.SessionOptions
---@return strobe.tectonic.Session
function session.new(store, options)
  options = options or {}
  store.connections = store.connections + 1
  return setmetatable({ store = store, options = options, bare_get = options.bare_get, current = "default",
    closed = false }, Session)
end

local function unsubscribe(self)
  if self.subscriber then
    self.store:unsubscribe(self.subscriber)
    self.subscriber = nil
  end
end

-- Commands without arguments: they count in bulk mode too.
local exact = setmetatable({}, { __index = commands.exact })

-- The empty line polls the subscription.
exact[""] = function(self)
  if not self.subscriber then
    return true, ""
  end
  return true, self.subscriber:poll() or NONE
end

function exact.BULKADD(self)
  self.bulk = self.current
  return true, ""
end

function exact.DDAKLUB(self)
  self.bulk = nil
  return true, "1"
end

function exact.UNSUBSCRIBE(self)
  if not self.subscriber then
    return commands.fail(self, "Not subscribed.")
  end
  local name = self.subscriber.book
  unsubscribe(self)
  return true, "Unsubscribed from " .. name
end

-- The session stays subscribed in its own eyes: it polls what was queued, then NONE for ever.
exact["UNSUBSCRIBE ALL"] = function(self)
  if self.options.unsubscribe_all ~= "own" then
    self.store:unsubscribe_all()
  elseif self.subscriber then
    self.store:unsubscribe(self.subscriber)
  end
  return true, "Unsubscribed everything!"
end

for _, line in ipairs { "GET ALL", "GET ALL AS JSON", "GET ALL AS CSV" } do
  exact[line] = commands.verbs.GET
end

local named = setmetatable({}, { __index = commands.named })

function named.SUBSCRIBE(self, name)
  unsubscribe(self)
  self.subscriber = self.store:subscribe(name)
  return true, "Subscribed to " .. name
end

function named.CREATE(self, name)
  local book, message = self.store:replace(name)
  if not book then
    return commands.fail(self, message)
  end
  return true, ("Created DB `%s`."):format(name)
end

local verbs = setmetatable({}, { __index = commands.verbs })

function verbs.BULKADD(self, text)
  local name = text:match("^INTO (.*)$")
  if not name then
    return commands.fail(self, "Unknown command.")
  end
  self.bulk = name
  return true, ""
end

Session.dialect, Session.exact, Session.named, Session.verbs = DIALECT, exact, named, verbs

local function bulk_row(self, text)
  local value, message = tick.parse_row(text)
  if not value then
    return commands.fail(self, message)
  end
  return commands.insert(self, value, self.bulk)
end

---Answers one request.
---@param line string without its line end; the empty line polls the subscription
---@return boolean success
---@return string body
---@return boolean|nil bare whether the answer has no length (see option bare_get)
function Session:line(line)
  if self.bulk and not exact[line] and commands.is_text(line) then
    return bulk_row(self, line)
  end
  return commands.answer(self, line)
end

---Answers one request with the bytes to send.
---@param line string without its line end
---@return string bytes a whole reply frame
function Session:reply(line)
  return frame.encode_reply(self:line(line))
end

---Ends the subscription and the connection's count. Closing twice is harmless.
function Session:close()
  if not self.closed then
    self.closed = true
    unsubscribe(self)
    self.store.connections = self.store.connections - 1
  end
end

return session
