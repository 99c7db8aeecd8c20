-- The store: the books, subscribers and counters that all sessions of one server share.
--
-- Model: insert() appends a tick to its book and publishes it; publish() encodes it at most once per form
-- (JSON for pollers, binary for pushes) and gives the text to every subscriber of the book. Nothing here
-- waits, reads a clock or opens a file: time comes from `now`, and FLUSH goes to the `flush` function if
-- there is one. A book "default" always exists, as on the original.
--
-- Bounds: rows per book, updates per subscriber, books, and samples of history; each has an option, and
-- what a bound costs is counted in stats().

local book = require "strobe.tectonic.book"
local frame = require "strobe.tectonic.frame"
local ring = require "strobe.tectonic.ring"
local subscriber = require "strobe.tectonic.subscriber"
local tick = require "strobe.tectonic.tick"

local DEFAULT_BOOK = "default"
local BOOKS = 10000
local QUEUE = 65536
local SAMPLES = 300

---@class strobe.tectonic.StoreOptions
---@field now fun(): number seconds since 1970; the only clock
---@field book_limit? integer rows kept per book, default 100,000
---@field queue_limit? integer updates queued per subscriber, default 65,536
---@field max_books? integer default 10,000
---@field samples? integer history kept per book, default 300
---@field folder? string shown by INFO as dtf_folder, default "db"
---@field flush? fun(name: string, ticks: strobe.tectonic.Tick[]): any, string? writes rows; falsy = failed.
---Without it FLUSH keeps all rows in memory

---@class strobe.tectonic.Store
---@field now fun(): number
---@field options strobe.tectonic.StoreOptions
---@field connections integer
---@field history table<string, strobe.tectonic.Ring> of {seconds, rows}
---@field package books table<string, strobe.tectonic.Book>
---@field package names string[] of the books, in order of creation
---@field package subscribers table<string, strobe.tectonic.Subscriber[]> by book
---@field package members table<strobe.tectonic.Subscriber, true> all that are not closed
---@field package inserted integer
---@field package rows_dropped integer by books that were replaced since
---@field package counters strobe.tectonic.Counters
local Store = {}
Store.__index = Store
Store.__name = "strobe.tectonic.Store"

local store = {}

---@param options strobe.tectonic.StoreOptions
---@return strobe.tectonic.Store
function store.new(options)
  if type(options) ~= "table" or type(options.now) ~= "function" then
    error("now: a function that returns seconds expected", 2)
  end
  local self = setmetatable({ now = options.now, options = options, connections = 0, history = {},
    books = {}, names = {}, subscribers = {}, members = {}, inserted = 0, rows_dropped = 0,
    counters = { published = 0, delivered = 0, dropped = 0, discarded = 0 } }, Store)
  self:replace(DEFAULT_BOOK)
  return self
end

-- Books.

---@param name string
---@return strobe.tectonic.Book|nil
function Store:book(name)
  return self.books[name]
end

---How many books there may be; a client subscribes to as many at most.
---@return integer
function Store:max_books()
  return self.options.max_books or BOOKS
end

---All books in order of creation.
---@return strobe.tectonic.Book[]
function Store:list()
  local all = {}
  for i, name in ipairs(self.names) do
    all[i] = self.books[name]
  end
  return all
end

---Makes a book, empty; one of that name loses its rows, as CREATE does in generation A. Its subscribers stay.
---@param name string
---@return strobe.tectonic.Book|nil book
---@return string? message
---@return string? code "ENOSPC" when there are `max_books`
function Store:replace(name)
  local old = self.books[name]
  if old then
    self.rows_dropped = self.rows_dropped + old:dropped()
  elseif #self.names >= self:max_books() then
    return nil, "Too many books.", "ENOSPC"
  else
    self.names[#self.names + 1] = name
  end
  self.books[name] = book.new(name, { limit = self.options.book_limit })
  return self.books[name]
end

---Makes a book that does not exist yet.
---@param name string
---@return strobe.tectonic.Book|nil book
---@return string? message
---@return string? code "EEXIST" or "ENOSPC"
function Store:create(name)
  if self.books[name] then
    return nil, ("book `%s` exists"):format(name), "EEXIST"
  end
  return self:replace(name)
end

---Rows ever inserted into the books there are (COUNT ALL), and rows in memory (COUNT ALL IN MEM).
---@return integer total
---@return integer in_memory
function Store:count()
  local total, in_memory = 0, 0
  for _, one in pairs(self.books) do
    total, in_memory = total + one.total, in_memory + one:count()
  end
  return total, in_memory
end

---Hands the rows in memory of a book, or of all, to the `flush` option; without it nothing happens. Rows
---that could not be written stay in memory.
---@param name? string default all books
---@return true|nil ok
---@return string? message of the first book that failed
---@return string? code "EIO"
function Store:flush(name)
  local write, ok, message, code = self.options.flush, true, nil, nil
  if not write then
    return true
  end
  for _, one in ipairs(name and { self.books[name] } or self:list()) do
    local done, why, word = one:flush(write)
    if not done and ok then
      ok, message, code = nil, why, word
    end
  end
  return ok, message, code
end

---Forgets the rows in memory of a book, or of all.
---@param name? string default all books
function Store:clear(name)
  for _, one in ipairs(name and { self.books[name] } or self:list()) do
    one:clear()
  end
end

-- Updates.

---Appends a tick to a book and publishes it. The tick is kept: do not change it afterwards.
---@param value strobe.tectonic.Tick
---@param name string
---@return true|nil ok
---@return string? message "DB name not found." or the field that is wrong
---@return string? code "ENOENT" or "EINVAL"
function Store:insert(value, name)
  local one = self.books[name]
  if not one then
    return nil, ("DB %s not found."):format(name), "ENOENT"
  end
  local ok, message, code = tick.check(value)
  if not ok then
    return nil, message, code
  end
  one:append(value)
  self.inserted = self.inserted + 1
  self:publish(value, name)
  return true
end

---Gives an update to every subscriber of a book without storing it; the book need not exist. Encodes it
---once, however many subscribers there are.
---@param value strobe.tectonic.Tick raises when it is not a tick
---@param name string
---@return integer subscribers how many it was offered to
function Store:publish(value, name)
  local subscribers = self.subscribers[name]
  if not subscribers then
    return 0
  end
  local text, push
  for _, one in ipairs(subscribers) do
    if one.push then
      push = push or frame.encode_reply(true, frame.encode_insert(value, name))
      one:offer(push)
    else
      text = text or tick.to_json(value)
      one:offer(text)
    end
  end
  return #subscribers
end

---Subscribes to the updates of a book from now on; the book need not exist.
---@param name string
---@param push? fun(frame: string): boolean? generation C: takes each update at once as a whole reply
---frame; must not wait; returns false when it cannot take it. Without it updates queue as JSON until polled
---@return strobe.tectonic.Subscriber
function Store:subscribe(name, push)
  if push and #name > frame.NAME_LIMIT then
    error(("name: %d bytes, a push carries at most %d"):format(#name, frame.NAME_LIMIT), 2)
  end
  local one = subscriber.new(name, self.options.queue_limit or QUEUE, self.counters, push)
  -- A new list each time: publish() may be walking the old one.
  local old = self.subscribers[name] or {}
  local list = table.move(old, 1, #old, 1, {})
  list[#list + 1] = one
  self.subscribers[name] = list
  self.members[one] = true
  return one
end

local function without(list, leaving)
  local rest = {}
  for _, one in ipairs(list) do
    if one ~= leaving then
      rest[#rest + 1] = one
    end
  end
  return #rest > 0 and rest or nil
end

---Ends a subscription; what it had queued is discarded and counted. Twice is harmless.
---@param one strobe.tectonic.Subscriber
function Store:unsubscribe(one)
  local list = self.subscribers[one.book]
  if list then
    self.subscribers[one.book] = without(list, one)
  end
  self.members[one] = nil
  one:close()
end

---Ends the flow of updates to every client. What is queued can still be polled. Those that are pushed to are
---closed, so that their sessions know it when they subscribe again.
function Store:unsubscribe_all()
  self.subscribers = {}
  for one in pairs(self.members) do
    if one.push then
      self:unsubscribe(one)
    end
  end
end

-- Figures.

---Adds the present counts to the history that PERF shows; the server calls it every 30 s or so.
function Store:sample()
  local time, total = math.floor(self.now()), self:count()
  local function add(name, rows)
    self.history[name] = self.history[name] or ring.new(self.options.samples or SAMPLES)
    self.history[name]:push({ time, rows })
  end
  for _, one in ipairs(self:list()) do
    add(one.name, one.total)
  end
  add("total", total)
end

---@class strobe.tectonic.Stats counters of a server
---@field connections integer open sessions
---@field books integer
---@field rows integer in memory
---@field rows_dropped integer that left memory because their book was full
---@field inserted integer ticks stored
---@field subscribers integer that get updates
---@field published integer updates offered, one for each subscriber; delivered + dropped + discarded + queued
---@field delivered integer polled or pushed
---@field dropped integer lost to a full queue or a refusing push
---@field discarded integer still queued when their subscriber left
---@field queued integer waiting to be polled

---What happened so far, nothing left out.
---@return strobe.tectonic.Stats
function Store:stats()
  local _, rows = self:count()
  local stats = { connections = self.connections, books = #self.names, rows = rows,
    rows_dropped = self.rows_dropped, inserted = self.inserted, subscribers = 0, queued = 0 }
  for name, value in pairs(self.counters) do
    stats[name] = value
  end
  for _, one in pairs(self.books) do
    stats.rows_dropped = stats.rows_dropped + one:dropped()
  end
  for _, list in pairs(self.subscribers) do
    stats.subscribers = stats.subscribers + #list
  end
  for one in pairs(self.members) do
    stats.queued = stats.queued + one:queued()
  end
  return stats
end

return store
