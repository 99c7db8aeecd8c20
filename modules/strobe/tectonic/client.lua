--- A client of a TectonicDB server: the commands that both protocols have. What each has of its own is in
-- poll_client.lua (generation A, which is polled) and push_client.lua (today's, which pushes).
--
-- Requests of several tasks on one client are answered in the order they were made. A request that is
-- cancelled leaves an answer behind, which is skipped, so the connection stays in step.
--
-- Methods return success and the server's text: true, "PONG"; false, "ERR: …"; and nil, message, code when
-- there is no answer.
--
-- Source: the Python client cli/python/tectonic.py at b14e5a2, for names and results.

local Connection = require "strobe.tectonic.connection"
local iterate = require "strobe.tectonic.subscription"
local tick = require "strobe.tectonic.tick"

---@class strobe.tectonic.Client : strobe.tectonic.Connection a client; its methods return success and the server's text
---@field gaps? integer breaks that ticks() came back from
---@field protected encode fun(self, text: string): string a text command as this protocol has it
---@field protected exchange fun(self, bytes: string, count?: integer): boolean?, string, string? sends requests in
---one piece and returns the answer: of several the first error, or the last answer
---@field protected open_ticks fun(self, book: string): true?, string?, string? reserves the client for ticks()
---@field protected close_ticks fun(self, book: string) gives it back and leaves the book; may wait
---@field protected pause fun(self, seconds: number, book?: string) waits for what may bring an update
---@field unsubscribe fun(self, name?: string): boolean?, string, string? ends a subscription, or all; may wait
---@field poll fun(self): boolean?, string, string? success, and the next update as text, or "NONE"; may wait
---@field next_tick fun(self, book?: string): strobe.tectonic.Tick?, string?, string? waits for the next update, decoded
---@field bulk fun(self, values: strobe.tectonic.Tick[], name: string): boolean?, string, string? stores many ticks at
--- once; may wait
local Client = setmetatable({}, { __index = Connection })
Client.__index = Client

-- Raises at the caller of the public method that calls this.
local function refuse(where, expected, got)
  error(("tectonic: %s: %s expected, got %s"):format(where, expected, tostring(got)), 4)
end

--- A book's name, or the method's caller made a mistake.
---@protected
---@param where string the public method that calls this
---@param name any
---@return string
function Client.check_name(where, name)
  if type(name) ~= "string" or name == "" or name:find "[%s%c]" then
    refuse(where, "a book's name without blanks", type(name) == "string" and ("%q"):format(name) or name)
  end
  return name
end
local check_name = Client.check_name

--- Rows to store as text or binary, or the method's caller made a mistake.
---@protected
---@param where string the public method that calls this
---@param values any
---@param encode fun(value: strobe.tectonic.Tick): string?, string? one row; nil and why not
---@return string[]
function Client.encode_all(where, values, encode)
  if type(values) ~= "table" then
    refuse(where, "a list of ticks", values)
  end
  local rows = {}
  for i, value in ipairs(values) do
    local row, message = encode(value)
    if not row then
      error(("tectonic: %s: row %d: %s"):format(where, i, message), 3)
    end
    rows[i] = row
  end
  return rows
end

local function send(client, text)
  return client:exchange(client:encode(text))
end

--- Sends a text command.
---@async
---@param text string e.g. "COUNT ALL"
---@return boolean? success whether the server did it
---@return string text its answer
---@return string? code
function Client:command(text)
  if type(text) ~= "string" or text:find "[\r\n]" then
    error("tectonic: command: a text without line ends expected, got " .. tostring(text), 2)
  end
  return send(self, text)
end

--- Subscribes to a book's updates from now on.
---@async
---@param name string
---@return boolean? success
---@return string text
---@return string? code
function Client:subscribe(name)
  return self:begin_book(check_name("subscribe", name))
end

---@async
---@protected
---@param name string
---@return boolean? success
---@return string text
---@return string? code
function Client:begin_book(name)
  return send(self, "SUBSCRIBE " .. name)
end

--- Asks for "PONG".
---@async
---@return boolean? success
---@return string text
---@return string? code
function Client:ping()
  return send(self, "PING")
end

--- The server's state and books, as JSON.
---@async
---@return boolean? success
---@return string text
---@return string? code
function Client:info()
  return send(self, "INFO")
end

--- The history of the books' sizes, as JSON.
---@async
---@return boolean? success
---@return string text
---@return string? code
function Client:perf()
  return send(self, "PERF")
end

--- The server's own help.
---@async
---@return boolean? success
---@return string text
---@return string? code
function Client:help()
  return send(self, "HELP")
end

--- Makes a book.
---@async
---@param name string
---@return boolean? success
---@return string text
---@return string? code
function Client:create(name)
  return send(self, "CREATE " .. check_name("create", name))
end

--- Makes a book this connection's current one, which was "default".
---@async
---@param name string
---@return boolean? success
---@return string text
---@return string? code
function Client:use(name)
  return send(self, "USE " .. check_name("use", name))
end

--- Whether there is such a book: success.
---@async
---@param name string
---@return boolean? success
---@return string text
---@return string? code
function Client:exists(name)
  return send(self, "EXISTS " .. check_name("exists", name))
end

--- The number of rows of the current book, or of all, in decimal digits.
---@async
---@param which? "all"
---@return boolean? success
---@return string text
---@return string? code
function Client:count(which)
  return send(self, which == "all" and "COUNT ALL" or "COUNT")
end

--- Writes the rows of the current book, or of all, to its file.
---@async
---@param which? "all"
---@return boolean? success
---@return string text
---@return string? code
function Client:flush(which)
  return send(self, which == "all" and "FLUSH ALL" or "FLUSH")
end

--- Forgets the rows in memory of the current book, or of all.
---@async
---@param which? "all"
---@return boolean? success
---@return string text
---@return string? code
function Client:clear(which)
  return send(self, which == "all" and "CLEAR ALL" or "CLEAR")
end

local forms = { json = " AS JSON", csv = " AS CSV", dtf = "" }

-- " FROM … TO …", or nothing.
local function range_of(options)
  local from, to = options.from, options.to
  if from == nil and to == nil then
    return ""
  elseif math.type(from) ~= "integer" or math.type(to) ~= "integer" or from < 0 or to < 0 then
    refuse("get", "from and to: whole seconds since 1970", ("%s and %s"):format(from, to))
  end
  return (" FROM %d TO %d"):format(from, to)
end

--- The oldest n rows of the current book, or all.
---@async
---@param n integer|"all"
---@param options? {from?: integer, to?: integer, as?: "json"|"csv"|"dtf"} only those between two times, in whole
---seconds; default json
---@return boolean? success
---@return string text
---@return string? code
function Client:get(n, options)
  options = options or {}
  local form = forms[options.as or "json"]
  if not form then
    error(("tectonic: get: as: json, csv or dtf expected, got %s"):format(tostring(options.as)), 2)
  elseif n ~= "all" and (math.type(n) ~= "integer" or n < 0) then
    error(('tectonic: get: a number of rows or "all" expected, got %s'):format(tostring(n)), 2)
  end
  local count = n == "all" and "ALL" or ("%d"):format(n)
  return send(self, "GET " .. count .. range_of(options) .. form)
end

--- Stores one row.
---@async
---@param value strobe.tectonic.Tick
---@param name? string default: the current book
---@return boolean? success
---@return string text
---@return string? code
function Client:insert(value, name)
  local row, message = tick.format_row(value)
  if not row then
    error("tectonic: insert: " .. message, 2)
  end
  return send(self, "INSERT " .. row .. (name and " INTO " .. check_name("insert", name) or ""))
end

--- Subscribes to a book and iterates over its updates, for ever:
--- `for tick in db:ticks "btc_usd" do … end`. Leaving the loop unsubscribes.
---
--- With `reconnect = true` (or {initial, factor, most, attempts}) a lost connection is
--- made again and `on_gap(gap)` told what was missed; without `on_gap` that is printed.
--- Without `reconnect` the loop raises.
---@async
---@param book string
---@param options? strobe.tectonic.TicksOptions
---@return strobe.Generator
function Client:ticks(book, options)
  return iterate(self, check_name("ticks", book), options or {})
end

return Client
