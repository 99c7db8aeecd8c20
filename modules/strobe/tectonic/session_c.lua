-- A session of generation C: one client's conversation with a server of today's protocol, a payload in,
-- an answer out, and updates pushed as they are inserted.
--
-- Model: like session.lua (same store, so clients of both generations see the same books), without bulk
-- mode and polling; it may subscribe to several books. An update goes to `push` as a whole reply frame
-- before the answer to the insert that caused it, as on the original. What it answers as a session of
-- generation A does is in commands.lua.
--
-- Errors are "ERR: ", a text and one "\n". A panic of the original ends the connection.
--
-- Where we leave the original (c0c6819; see commands.lua too):
--
--   request                     original                              here
--   name over 64 bytes          panic                                 "ERR: Bad format."
--   name length beyond payload  panic                                 "ERR: Bad format."
--   GET ALL or n FROM … TO …,   the rows of the file follow those     rows in memory only
--     not IN MEM, some rows     in memory, the bounds included, the
--     on file                   file's last batch never; GET n that
--                               needs them gives n - 1 rows
--   binary GET, empty book      the whole server stops                an empty body
--   price or size not finite    stored                                "ERR: Unable to parse line"
--   insert without its "\n"     loses a last byte 0a of the size      the length tells
--   OB                          levels since the start                since the first OB, with the rows then
--                                                                     in memory
--   CREATE above the bound      no bound                              "ERR: Unable to create orderbook"
--   SUBSCRIBE to more books     no bound                              "ERR: Too many subscriptions."
--     than there may be
--   LOAD                        loads the current book's file         there is no file
--   slow reader                 cut frames                            push says so and the update is counted
--
-- "Unable to get count" needs a current book that does not exist, which cannot happen here.

local commands = require "strobe.tectonic.commands"
local frame = require "strobe.tectonic.frame"
local report = require "strobe.tectonic.report"

local HELP = [==[

    PING, HELP, INFO, PERF, COUNT [ALL] [IN MEM], OB [name], CREATE|LOAD|USE|EXISTS|SUBSCRIBE name,
    ADD|INSERT ts, seq, is_trade, is_bid, price, size; [INTO name],
    GET n|ALL [FROM s TO s] [AS JSON|AS CSV] [IN MEM], FLUSH [ALL], CLEAR [ALL]]==]
local DIALECT = { brackets = false, letters = true, shortage = "Not enough items to return", error_end = "\n",
  noun = "orderbook", name_limit = frame.NAME_LIMIT, help = HELP, info = report.info_c }

---@class strobe.tectonic.SessionCOptions
---@field push fun(frame: string): boolean? sends an update to this client; must not wait; false = it cannot take it

---@class strobe.tectonic.SessionC : strobe.tectonic.AnySession
---@field package push fun(frame: string): boolean?
---@field package subscribers table<string, strobe.tectonic.Subscriber> by book
---@field package subscriptions integer how many there are
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
    subscriptions = 0, closed = false }, SessionC)
end

local exact = setmetatable({}, { __index = commands.exact })

exact[""] = function()
  return true, ""
end

exact["COUNT IN MEM"] = function(self)
  return true, ("%d"):format(self.store:book(self.current):count())
end

function exact.OB(self)
  return true, self.store:book(self.current):levels():to_json()
end

local named = setmetatable({}, { __index = commands.named })

function named.OB(self, name)
  local book = self.store:book(name)
  if not book then
    return commands.fail(self, "Unable to get orderbook")
  end
  return true, book:levels():to_json()
end

function named.SUBSCRIBE(self, name)
  local known = self.subscribers[name]
  if not known and self.subscriptions >= self.store:max_books() then
    return commands.fail(self, "Too many subscriptions.")
  elseif not known or known.closed then
    self.subscribers[name] = self.store:subscribe(name, self.push)
    self.subscriptions = self.subscriptions + (known and 0 or 1)
  end
  return true, "Subscribed to " .. name
end

function named.CREATE(self, name)
  if not self.store:create(name) then
    return commands.fail(self, ("Unable to create orderbook `%s`."):format(name))
  end
  return true, ("Created orderbook `%s`."):format(name)
end

function named.LOAD(self, name)
  if not self.store:book(name) then
    return commands.no_book(self, name)
  end
  return true, ("Loaded orderbook `%s`."):format(name)
end

SessionC.dialect, SessionC.exact, SessionC.named, SessionC.verbs = DIALECT, exact, named, commands.verbs

---Answers one request.
---@param payload string a text command, with or without one "\n" at its end, or a binary insert
---@return boolean success
---@return string body
function SessionC:request(payload)
  local text = payload:byte(-1) == 10 and payload:sub(1, -2) or payload
  if #text < 3 or text:sub(1, 2) ~= "ra" then
    return commands.answer(self, text)
  end
  local value, name = frame.decode_insert(payload)
  if not value then
    return commands.fail(self, name)
  end
  return commands.insert(self, value, name)
end

---Answers one request with the bytes to send.
---@param payload string
---@return string bytes a whole reply frame
function SessionC:reply(payload)
  return frame.encode_reply(self:request(payload))
end

---Whether updates are pushed to it, so that it need not say anything.
---@return boolean
function SessionC:is_pushed_to()
  for _, subscriber in pairs(self.subscribers) do
    if not subscriber.closed then
      return true
    end
  end
  return false
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
