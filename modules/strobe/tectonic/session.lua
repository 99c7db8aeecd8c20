-- A session: one client's conversation with a server of generation A, a line in, an answer out.
--
-- Model: it knows its current book ("default" at first), at most one subscription, and whether it is in
-- bulk mode; everything else is in the store, shared with the other sessions. It never waits. Commands are
-- matched letter by letter, so "PING " is unknown. In bulk mode every line that is not a command without
-- arguments is a row, "SUBSCRIBE x" too.
--
-- Errors are "ERR: ", a text and two "\n", as at c4fcb1c.
--
-- Where we leave the original:
--
--   command                   original (c4fcb1c)                       here
--   UNSUBSCRIBE, not          panic that ends the process              "ERR: Not subscribed."
--     subscribed
--   BULKADD without INTO      panic at the first row                   rows go to the current book,
--                                                                      as since 14b33e6 (April 2018)
--   BULKADD INTO at its end,  panic                                    "ERR: Unknown command.", "ERR: Unable
--     ADD with nothing                                                 to parse line"
--     before INTO
--   a row of 7 separators     panic                                    "ERR: Too many separators in line"
--   GET with a bad range      panic                                    "ERR: FROM and TO need whole seconds."
--   GET of a range outside    all rows                                 no rows
--     the rows in memory
--   binary GET                01 and the batches without a length      the 9-byte header, as since 1de5baf
--                                                                      (March 2018); option bare_get
--   CREATE                    seen by this connection and later ones   seen by all, as since af48191
--                                                                      (February 2018)
--   CREATE above the bound    no bound                                 "ERR: Too many books."
--   SUBSCRIBE again           the old subscription keeps filling       the old one ends, its queue is counted
--   a full queue              no bound                                 the oldest update goes, counted
--   FLUSH                     writes a file, forgets rows even when    the store's flush function; rows stay
--                             that fails                               without one, or when it fails
--   CLEAR                     COUNT keeps counting the cleared rows    COUNT goes back to the flushed ones
--   USE                       loads the book's file                    there is no file
--   a line that is not UTF-8  the connection ends                      "ERR: Bad format."
--   HELP                      its own words                            ours, also four lines

local frame = require "strobe.tectonic.frame"
local report = require "strobe.tectonic.report"
local request = require "strobe.tectonic.request"
local tick = require "strobe.tectonic.tick"

local NONE = "NONE"
local DIALECT = { brackets = true, letters = false, shortage = "Not enough items to return." }
local HELP = [==[
PING, HELP, INFO, PERF, COUNT [ALL [IN MEM]], CREATE name, USE name, EXISTS name
ADD|INSERT ts, seq, is_trade, is_bid, price, size; [INTO name] - BULKADD [INTO name], rows, DDAKLUB
GET n|ALL [FROM s TO s] [AS JSON|AS CSV] [IN MEM], FLUSH [ALL], CLEAR [ALL]
SUBSCRIBE name, then an empty line for each update or NONE, UNSUBSCRIBE [ALL]
]==]

---@class strobe.tectonic.SessionOptions
---@field bare_get? boolean answer a binary GET without a length, as servers before 1de5baf; default false,
---because the receiver can find its end only by parsing the batches
---@field unsubscribe_all? "everyone"|"own" whose subscriptions UNSUBSCRIBE ALL ends; default "everyone",
---as the original

---@class strobe.tectonic.Session
---@field store strobe.tectonic.Store
---@field options strobe.tectonic.SessionOptions
---@field current string name of the current book
---@field bulk string|nil name of the book bulk rows go to
---@field subscriber strobe.tectonic.Subscriber|nil
---@field closed boolean
local Session = {}
Session.__index = Session
Session.__name = "strobe.tectonic.Session"

local session = {}

---Opens a session and counts it as a connection; close() it when the client leaves.
---@param store strobe.tectonic.Store
---@param options? strobe.tectonic.SessionOptions
---@return strobe.tectonic.Session
function session.new(store, options)
  store.connections = store.connections + 1
  return setmetatable({ store = store, options = options or {}, current = "default", closed = false },
    Session)
end

local function fail(message)
  return false, "ERR: " .. message .. "\n\n"
end

local function insert(self, value, name)
  local ok, message = self.store:insert(value, name)
  if not ok then
    return fail(message)
  end
  return true, ""
end

local function unsubscribe(self)
  if self.subscriber then
    self.store:unsubscribe(self.subscriber)
    self.subscriber = nil
  end
end

local function poll(self)
  if not self.subscriber then
    return true, ""
  end
  return true, self.subscriber:poll() or NONE
end

local function get(self, line)
  local body, form = request.get(line, self.store:book(self.current), DIALECT)
  if not body then
    return fail(form)
  end
  return true, body, form == "dtf" and self.options.bare_get or false
end

-- Commands without arguments: they count in bulk mode too.
local EXACT = {}

function EXACT.PING()
  return true, "PONG"
end

function EXACT.HELP()
  return true, HELP
end

function EXACT.INFO(self)
  return true, report.info(self.store)
end

function EXACT.PERF(self)
  return true, report.perf(self.store)
end

function EXACT.COUNT(self)
  return true, ("%d"):format(self.store:book(self.current).total)
end

EXACT["COUNT ALL"] = function(self)
  return true, ("%d"):format((self.store:count()))
end

EXACT["COUNT ALL IN MEM"] = function(self)
  local _, in_memory = self.store:count()
  return true, ("%d"):format(in_memory)
end

function EXACT.FLUSH(self)
  self.store:flush(self.current)
  return true, "1"
end

EXACT["FLUSH ALL"] = function(self)
  self.store:flush()
  return true, "1"
end

function EXACT.CLEAR(self)
  self.store:clear(self.current)
  return true, "1"
end

EXACT["CLEAR ALL"] = function(self)
  self.store:clear()
  return true, "1"
end

function EXACT.BULKADD(self)
  self.bulk = self.current
  return true, ""
end

function EXACT.DDAKLUB(self)
  self.bulk = nil
  return true, "1"
end

function EXACT.UNSUBSCRIBE(self)
  if not self.subscriber then
    return fail("Not subscribed.")
  end
  local name = self.subscriber.book
  unsubscribe(self)
  return true, "Unsubscribed from " .. name
end

-- The session stays subscribed in its own eyes: it polls what was queued, then NONE for ever.
EXACT["UNSUBSCRIBE ALL"] = function(self)
  if self.options.unsubscribe_all ~= "own" then
    self.store:unsubscribe_all()
  elseif self.subscriber then
    self.store:unsubscribe(self.subscriber)
  end
  return true, "Unsubscribed everything!"
end

for _, line in ipairs { "GET ALL", "GET ALL AS JSON", "GET ALL AS CSV" } do
  EXACT[line] = function(self)
    return get(self, line)
  end
end

-- Commands with arguments, by their first word: (self, text behind it, whole line).
local VERB = {}

function VERB.SUBSCRIBE(self, name)
  unsubscribe(self)
  self.subscriber = self.store:subscribe(name)
  return true, "Subscribed to " .. name
end

function VERB.CREATE(self, name)
  local book, message = self.store:replace(name)
  if not book then
    return fail(message)
  end
  return true, ("Created DB `%s`."):format(name)
end

function VERB.USE(self, name)
  if not self.store:book(name) then
    return fail(("No db named `%s`"):format(name))
  end
  self.current = name
  return true, ("SWITCHED TO DB `%s`."):format(name)
end

function VERB.EXISTS(self, name)
  if not self.store:book(name) then
    return fail(("No db named `%s`"):format(name))
  end
  return true, "1"
end

function VERB.INSERT(self, text)
  local value, name = request.parse_insert(text)
  if not value then
    return fail(name)
  end
  return insert(self, value, name or self.current)
end
VERB.ADD = VERB.INSERT

function VERB.BULKADD(self, text)
  local name = text:match("^INTO (.*)$")
  if not name then
    return fail("Unknown command.")
  end
  self.bulk = name
  return true, ""
end

function VERB.GET(self, _, line)
  return get(self, line)
end

local function bulk_row(self, text)
  local value, message = tick.parse_row(text)
  if not value then
    return fail(message)
  end
  return insert(self, value, self.bulk)
end

local function is_text(line)
  return not line:find("[\x80-\xFF]") or utf8.len(line) ~= nil
end

---Answers one request.
---@param line string without its line end; the empty line polls the subscription
---@return boolean success
---@return string body
---@return boolean|nil bare whether the answer has no length (see option bare_get)
function Session:line(line)
  if line == "" then
    return poll(self)
  elseif not is_text(line) then
    return fail("Bad format.")
  end
  local exact = EXACT[line]
  if exact then
    return exact(self)
  elseif self.bulk then
    return bulk_row(self, line)
  end
  local word, rest = line:match("^(%u+) (.*)$")
  local verb = VERB[word]
  if not verb then
    return fail("Unknown command.")
  end
  return verb(self, rest, line)
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
