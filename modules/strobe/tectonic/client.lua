--- A client of a TectonicDB server: generation A, which is polled ("poll"), or
-- today's, which pushes ("push"). Both offer the same methods.
--
-- Requests of several tasks on one client are answered in the order they were
-- made. A request that is cancelled leaves an answer behind, which is skipped, so
-- the connection stays in step. After a failure of the connection every method
-- returns nil, message, code until `reconnect`.
--
-- The poll protocol has one subscription a connection: a second one takes its place.
--
-- Source: the Python client cli/python/tectonic.py at b14e5a2, for names and results.

local frame = require "strobe.tectonic.frame"
local locks = require "strobe.async.lock"
local net = require "strobe.net"
local tick = require "strobe.tectonic.tick"

-- Bytes of the largest answer taken; what claims to be larger is no answer.
local REPLY_LIMIT = 64 * 1024 * 1024

---@class strobe.tectonic.Client
---@field host string
---@field port integer
---@field protocol "poll"|"push"
---@field protected stream? strobe.Connection
---@field protected timeout? number seconds
---@field private owed integer   answers that nobody waits for any more
---@field private length? integer body length of the answer being read
---@field private iterated? string the book that ticks() iterates over
local Client = {}
Client.__index = Client
Client.__name = "tectonic client"

--- Makes the methods for a class of clients.
---@param options table as given to tectonic.connect
---@param class? table a class derived from Client
---@return strobe.tectonic.Client
function Client.new(options, class)
  return setmetatable({
    host = options.host or "localhost",
    port = options.port or 9001,
    protocol = options.protocol or "poll",
    timeout = options.timeout,
    lock = locks.Lock(),
    connecting = locks.Lock(),
    owed = 0,
  }, class or Client)
end

--- host:port
---@return string
function Client:peer()
  return ("%s:%d"):format(self.host, self.port)
end

--- Connects, or connects again.
---@async
---@return true?
---@return string? message
---@return string? code
function Client:reconnect()
  self:close()
  local stream, message, code = net.connect(self.host, self.port, { timeout = self.timeout })
  if not stream then
    return nil, message, code
  end
  stream:set_timeout(self.timeout)
  self.stream, self.owed, self.length = stream, 0, nil
  return true
end

--- Connects again unless another task has done so already.
---@async
---@return true?
---@return string? message
---@return string? code
function Client:restore()
  local held <close> = self.connecting:acquire() -- luacheck: ignore
  if self.stream then
    return true
  end
  return self:reconnect()
end

--- Drops the connection; a failure of it, or the end of the client. Twice is harmless.
function Client:close()
  if self.stream then
    self.stream:abort()
    self.stream = nil
  end
end

Client.__close = Client.close

-- Whether it is connected: nil, message, code when not.
local function connected(client)
  if not client.stream then
    return nil, ("tectonic %s: not connected"):format(client:peer()), "ENOTCONN"
  end
  return true
end

-- The connection can be used no more.
local function broken(client, message, code)
  client:close()
  if code == "ETIMEDOUT" and client.timeout then
    message = ("no answer within %g s"):format(client.timeout)
  end
  return nil, ("tectonic %s: %s"):format(client:peer(), message), code
end

local function hexadecimal(bytes)
  return (bytes:gsub(".", function(c)
    return (" %02x"):format(c:byte())
  end))
end

local function read_header(client)
  local ok, why, word = connected(client)
  if not ok then
    return nil, why, word
  end
  local header, message, code = client.stream:read_exactly(9)
  if not header then
    return broken(client, message, code)
  end
  local status, length = string.unpack(">BI8", header)
  if status > 1 or length < 0 or length > REPLY_LIMIT then
    return broken(client, "not an answer of a TectonicDB server:" .. hexadecimal(header), "EPROTO")
  end
  client.success, client.length = status == 1, length
  return true
end

--- Reads one answer, or one update that was pushed.
---@async
---@return boolean? success
---@return string body, or message
---@return string? code
function Client:read_reply()
  if not self.length then
    local ok, message, code = read_header(self)
    if not ok then
      return nil, message, code
    end
  end
  if self.length == 0 then
    self.length = nil
    return self.success, ""
  end
  local ok, why, word = connected(self)
  if not ok then
    return nil, why, word
  end
  local body, message, code = self.stream:read_exactly(self.length)
  if not body then
    return broken(self, message, code)
  end
  self.length = nil
  return self.success, body
end

-- Reads the answers to cancelled requests.
local function settle(client)
  while client.owed > 0 do
    local success, message, code = client:read_reply()
    if success == nil then
      return nil, message, code
    end
    client.owed = client.owed - 1
  end
  return true
end

-- Sends requests; from here on their answers are owed, whatever becomes of the task.
local function send(client, bytes, count)
  local ok, message, code = connected(client)
  if not ok then
    return nil, message, code
  end
  client.owed = count
  ok, message, code = client.stream:write(bytes)
  if not ok then
    return broken(client, message, code)
  end
  return true
end

-- Sends requests in one piece and reads an answer for each; keeps the first error.
local function exchange(client, bytes, count)
  local ok, message, code = settle(client)
  if ok then
    ok, message, code = send(client, bytes, count)
  end
  if not ok then
    return nil, message, code
  end
  local success, body = true, ""
  for _ = 1, count do
    local one, text, word = client:read_reply()
    if one == nil then
      return nil, text, word
    end
    client.owed = client.owed - 1
    if success then
      success, body = one, text
    end
  end
  return success, body
end

--- Sends a request, or several in one piece, and returns the answer: of several the
--- first error, or the last answer.
---@async
---@param bytes string encoded
---@param count? integer how many requests it is
---@return boolean? success
---@return string text
---@return string? code
function Client:exchange(bytes, count)
  local ok, message, code = connected(self)
  if not ok then
    return nil, message, code
  end
  local held <close> = self.lock:acquire() -- luacheck: ignore
  if not self.stream then
    return connected(self)
  end
  return exchange(self, bytes, count or 1)
end

--- Encodes a text command for this protocol.
---@param text string
---@return string
function Client:encode(text) -- luacheck: ignore self
  return frame.encode_line(text)
end

--- Sends a text command.
---@async
---@param text string e.g. "COUNT ALL"
---@return boolean? success whether the server did it
---@return string text its answer
---@return string? code
function Client:command(text)
  return self:exchange(self:encode(text))
end

local function check_name(name)
  if type(name) ~= "string" or name == "" or name:find "[%s%c]" then
    error(("tectonic: a book's name without blanks expected, got %q"):format(tostring(name)), 3)
  end
  return name
end

--- Subscribes to a book's updates from now on.
---@async
---@param name string
---@return boolean? success
---@return string text
---@return string? code
function Client:subscribe(name)
  return self:begin_book(check_name(name))
end

---@async
---@protected
function Client:begin_book(name)
  return self:command("SUBSCRIBE " .. name)
end

--- The oldest update not fetched yet as JSON text, or "NONE". One round trip.
---@async
---@return boolean? success
---@return string text
---@return string? code
function Client:poll()
  return self:exchange "\n"
end

---@async
function Client:unsubscribe()
  return self:command "UNSUBSCRIBE"
end

---@async
function Client:ping()
  return self:command "PING"
end

---@async
function Client:info()
  return self:command "INFO"
end

---@async
function Client:perf()
  return self:command "PERF"
end

---@async
function Client:help()
  return self:command "HELP"
end

---@async
function Client:create(name)
  return self:command("CREATE " .. check_name(name))
end

---@async
function Client:use(name)
  return self:command("USE " .. check_name(name))
end

---@async
function Client:exists(name)
  return self:command("EXISTS " .. check_name(name))
end

---@async
---@param which? "all" the rows of all books
function Client:count(which)
  return self:command(which == "all" and "COUNT ALL" or "COUNT")
end

---@async
---@param which? "all"
function Client:flush(which)
  return self:command(which == "all" and "FLUSH ALL" or "FLUSH")
end

---@async
---@param which? "all"
function Client:clear(which)
  return self:command(which == "all" and "CLEAR ALL" or "CLEAR")
end

local forms = { json = " AS JSON", csv = " AS CSV", dtf = "" }

--- The last n rows of the current book, or all.
---@async
---@param n integer|"all"
---@param options? {from?: integer, to?: integer, as?: "json"|"csv"|"dtf"} whole seconds
function Client:get(n, options)
  options = options or {}
  local form = forms[options.as or "json"]
  if not form then
    error(("tectonic: get: as: json, csv or dtf expected, got %s"):format(tostring(options.as)), 2)
  end
  local range = options.from and (" FROM %d TO %d"):format(options.from, options.to) or ""
  local count = n == "all" and "ALL" or ("%d"):format(n)
  return self:command("GET " .. count .. range .. form)
end

--- Stores one row.
---@async
---@param value strobe.tectonic.Tick
---@param name? string default: the current book
function Client:insert(value, name)
  local row, message = tick.format_row(value)
  if not row then
    error("tectonic: insert: " .. message, 2)
  end
  return self:command("INSERT " .. row .. (name and " INTO " .. check_name(name) or ""))
end

--- Stores many rows; sends them in one piece.
---@async
---@param values strobe.tectonic.Tick[]
---@param name string
function Client:bulk(values, name)
  local lines = { "BULKADD INTO " .. check_name(name) }
  for i, value in ipairs(values) do
    local row, message = tick.format_row(value)
    if not row then
      error(("tectonic: bulk: row %d: %s"):format(i, message), 2)
    end
    lines[#lines + 1] = row
  end
  lines[#lines + 1] = "DDAKLUB"
  return self:exchange(table.concat(lines, "\n") .. "\n", #lines)
end

-- What ticks() is made of.

--- Reserves the connection for ticks(): nil and a message when it is taken.
---@protected
---@param book string
---@return true?
---@return string? message
---@return string? code
function Client:open_ticks(book)
  if self.iterated then
    return nil, ("tectonic %s: ticks %s: this connection has the ticks of %s already, and the poll protocol "
      .. "one subscription a connection"):format(self:peer(), book, self.iterated), "EBUSY"
  end
  self.iterated = book
  return true
end

---@async
---@protected
function Client:close_ticks()
  self.iterated = nil
  if self.stream then
    self:unsubscribe()
  end
end

--- The next update as a tick; nil, "NONE" when there is none yet.
---@async
---@param book? string of ticks()
---@return strobe.tectonic.Tick?
---@return string? message
---@return string? code
function Client:next_tick(book) -- luacheck: ignore book
  local success, text, code = self:poll()
  if success == nil then
    return nil, text, code
  elseif text == "NONE" or text == "" then
    return nil, "NONE"
  end
  local value, message, word = tick.from_json(text)
  if not value then
    return broken(self, message, word)
  end
  return value
end

--- Waits for what may bring an update: poll again a little later.
---@async
---@param seconds number
---@param book? string of ticks()
function Client:pause(seconds, book) -- luacheck: ignore self book
  require("strobe.core.time").sleep(seconds)
end

return Client
