-- A session of generation C: one client's conversation with a server of today's protocol, a payload in,
-- an answer out, and updates pushed as they are inserted.
--
-- Model: like session.lua (same store, so clients of both generations see the same books), without bulk
-- mode and polling; it may subscribe to several books. An update goes to `push` as a whole reply frame
-- before the answer to the insert that caused it, as on the original.
--
-- Errors are "ERR: ", a text and one "\n".
--
-- Where we leave the original (c0c6819):
--
--   request                     original                              here
--   name over 64 bytes          panic that ends the connection        "ERR: Bad format."
--   name length beyond payload  panic that ends the connection        "ERR: Bad format."
--   row of 7 separators         panic that ends the connection        "ERR: Too many separators in line"
--   GET with a bad range        panic that ends the connection        "ERR: FROM and TO need whole seconds."
--   GET of a range outside      all rows                              no rows
--     the rows in memory
--   binary GET, empty book      the whole server stops                an empty body
--   price or size not finite    stored                                "ERR: Unable to parse line"
--   insert without its "\n"     loses a last byte 0a of the size      the length tells
--   OB                          levels since the start                since the first OB, with the rows then
--                                                                     in memory
--   CREATE above the bound      no bound                              "ERR: Unable to create orderbook"
--   CLEAR, FLUSH                as in session.lua
--   LOAD                        loads the current book's file         there is no file
--   slow reader                 cut frames                            push says so and the update is counted
--   HELP                        its own words                         ours
--
-- "Unable to get count" needs a current book that does not exist, which cannot happen here.

local frame = require "strobe.tectonic.frame"
local report = require "strobe.tectonic.report"
local request = require "strobe.tectonic.request"

local DIALECT = { brackets = false, letters = true, shortage = "Not enough items to return" }
local HELP = [==[

    PING, HELP, INFO, PERF, COUNT [ALL] [IN MEM], OB [name], CREATE|LOAD|USE|EXISTS|SUBSCRIBE name,
    ADD|INSERT ts, seq, is_trade, is_bid, price, size; [INTO name],
    GET n|ALL [FROM s TO s] [AS JSON|AS CSV] [IN MEM], FLUSH [ALL], CLEAR [ALL]]==]

---@class strobe.tectonic.SessionCOptions
---@field push fun(frame: string): boolean? sends an update to this client; must not wait; false = it cannot take it

---@class strobe.tectonic.SessionC
---@field store strobe.tectonic.Store
---@field push fun(frame: string): boolean?
---@field current string name of the current book
---@field subscribers table<string, strobe.tectonic.Subscriber> by book
---@field closed boolean
local SessionC = {}
SessionC.__index = SessionC
SessionC.__name = "strobe.tectonic.SessionC"

local session_c = {}

---Opens a session and counts it as a connection; close() it when the client leaves.
---@param store strobe.tectonic.Store
---@param options strobe.tectonic.SessionCOptions
---@return strobe.tectonic.SessionC
function session_c.new(store, options)
  if type(options) ~= "table" or type(options.push) ~= "function" then
    error("push: a function that sends a frame expected", 2)
  end
  store.connections = store.connections + 1
  return setmetatable({ store = store, push = options.push, current = "default", subscribers = {},
    closed = false }, SessionC)
end

local function fail(message)
  return false, "ERR: " .. message .. "\n"
end

local function insert(self, value, name)
  local ok, message = self.store:insert(value, name or self.current)
  if not ok then
    return fail(message)
  end
  return true, ""
end

local EXACT = {}

EXACT[""] = function()
  return true, ""
end

function EXACT.PING()
  return true, "PONG"
end

function EXACT.HELP()
  return true, HELP
end

function EXACT.INFO(self)
  return true, report.info_c(self.store)
end

function EXACT.PERF(self)
  return true, report.perf(self.store)
end

function EXACT.COUNT(self)
  return true, ("%d"):format(self.store:book(self.current).total)
end

EXACT["COUNT IN MEM"] = function(self)
  return true, ("%d"):format(self.store:book(self.current):count())
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

function EXACT.OB(self)
  return true, self.store:book(self.current):levels():to_json()
end

-- Commands whose argument is a book's name.
local NAMED = {}

function NAMED.OB(self, name)
  local book = self.store:book(name)
  if not book then
    return fail("Unable to get orderbook")
  end
  return true, book:levels():to_json()
end

function NAMED.SUBSCRIBE(self, name)
  local known = self.subscribers[name]
  if not known or known.closed then
    self.subscribers[name] = self.store:subscribe(name, self.push)
  end
  return true, "Subscribed to " .. name
end

function NAMED.CREATE(self, name)
  if not self.store:create(name) then
    return fail(("Unable to create orderbook `%s`."):format(name))
  end
  return true, ("Created orderbook `%s`."):format(name)
end

local function no_book(name)
  return fail(("No db named `%s`"):format(name))
end

function NAMED.LOAD(self, name)
  if not self.store:book(name) then
    return no_book(name)
  end
  return true, ("Loaded orderbook `%s`."):format(name)
end

function NAMED.USE(self, name)
  if not self.store:book(name) then
    return no_book(name)
  end
  self.current = name
  return true, ("SWITCHED TO orderbook `%s`."):format(name)
end

function NAMED.EXISTS(self, name)
  if not self.store:book(name) then
    return no_book(name)
  end
  return true, "1"
end

local OTHER = {}

function OTHER.INSERT(self, text)
  local value, name = request.parse_insert(text)
  if not value then
    return fail(name)
  elseif name and #name > frame.NAME_LIMIT then
    return fail("Bad format.")
  end
  return insert(self, value, name)
end
OTHER.ADD = OTHER.INSERT

function OTHER.GET(self, _, line)
  local body, message = request.get(line, self.store:book(self.current), DIALECT)
  if not body then
    return fail(message)
  end
  return true, body
end

local function text_command(self, text)
  if not utf8.len(text) then
    return fail("Bad format.")
  end
  local exact = EXACT[text]
  if exact then
    return exact(self)
  end
  local word, rest = text:match("^(%u+) (.*)$")
  if NAMED[word] then
    if #rest > frame.NAME_LIMIT then
      return fail("Bad format.")
    end
    return NAMED[word](self, rest)
  elseif OTHER[word] then
    return OTHER[word](self, rest, text)
  end
  return fail("Unknown command.")
end

---Answers one request.
---@param payload string a text command, with or without one "\n" at its end, or a binary insert
---@return boolean success
---@return string body
function SessionC:request(payload)
  local text = payload:byte(-1) == 10 and payload:sub(1, -2) or payload
  if #text < 3 or text:sub(1, 2) ~= "ra" then
    return text_command(self, text)
  end
  local value, name = frame.decode_insert(payload)
  if not value then
    return fail(name)
  end
  return insert(self, value, name)
end

---Answers one request with the bytes to send.
---@param payload string
---@return string bytes a whole reply frame
function SessionC:reply(payload)
  return frame.encode_reply(self:request(payload))
end

---Ends all subscriptions and the connection's count. Closing twice is harmless.
function SessionC:close()
  if self.closed then
    return
  end
  self.closed = true
  for _, subscriber in pairs(self.subscribers) do
    self.store:unsubscribe(subscriber)
  end
  self.store.connections = self.store.connections - 1
end

return session_c
