-- Commands: the requests that both generations know, and how a line finds its handler.
--
-- Model: a session has three tables of handlers: `exact`, by the whole line; `named`, by the first word, for
-- commands whose argument is a book's name; `verbs`, by the first word, for all others. Its own tables fall
-- back on those here, and what the generations only word differently is in its dialect. A handler gets the
-- session, the text behind the first word and the whole line, never waits, and returns success and body.
-- Commands are matched letter by letter, so "PING " is unknown.
--
-- Where we leave the original, in both generations:
--
--   request                   original                                 here
--   a row of 7 separators     panic                                    "ERR: Too many separators in line"
--   GET with a bad range      panic                                    "ERR: FROM and TO need whole seconds."
--   FLUSH                     writes a file, forgets rows even when    the store's flush function; rows stay
--                             that fails                               without one, or when it fails
--   GET of a range            finds rows on file too                   rows in memory only
--   CLEAR                     COUNT keeps counting the cleared rows    COUNT goes back to the flushed ones
--   HELP                      its own words                            ours

local report = require "strobe.tectonic.report"
local request = require "strobe.tectonic.request"

---@class strobe.tectonic.SessionDialect : strobe.tectonic.Dialect what a generation words in its own way
---@field error_end string what follows the text of an error
---@field noun string what answers call a book
---@field name_limit number bytes of a book's name; a longer one is "Bad format."
---@field help string
---@field info fun(store: strobe.tectonic.Store): string

---@alias strobe.tectonic.Handler fun(session: table, text: string, line: string): boolean, string, boolean?

---@class strobe.tectonic.AnySession what a session of either generation has
---@field store strobe.tectonic.Store
---@field current string name of the current book
---@field closed boolean
---@field bare_get? boolean whether the answer to a binary GET has no length
---@field dialect strobe.tectonic.SessionDialect
---@field exact table<string, strobe.tectonic.Handler>
---@field named table<string, strobe.tectonic.Handler>
---@field verbs table<string, strobe.tectonic.Handler>

local commands = {}

---An error as an answer.
---@param session strobe.tectonic.AnySession
---@param message string
---@return false success
---@return string body
function commands.fail(session, message)
  return false, "ERR: " .. message .. session.dialect.error_end
end
local fail = commands.fail

---Stores a row and answers so.
---@param session strobe.tectonic.AnySession
---@param value strobe.tectonic.Tick
---@param name? string default: the current book
---@return boolean success
---@return string body
function commands.insert(session, value, name)
  local ok, message = session.store:insert(value, name or session.current)
  if not ok then
    return fail(session, message)
  end
  return true, ""
end

-- Commands without arguments.
local exact = {}
commands.exact = exact

local function number(count)
  return true, ("%d"):format(count)
end

function exact.PING()
  return true, "PONG"
end

function exact.HELP(session)
  return true, session.dialect.help
end

function exact.INFO(session)
  return true, session.dialect.info(session.store)
end

function exact.PERF(session)
  return true, report.perf(session.store)
end

function exact.COUNT(session)
  return number(session.store:book(session.current).total)
end

exact["COUNT ALL"] = function(session)
  return number((session.store:count()))
end

exact["COUNT ALL IN MEM"] = function(session)
  return number((select(2, session.store:count())))
end

function exact.FLUSH(session)
  session.store:flush(session.current)
  return true, "1"
end

exact["FLUSH ALL"] = function(session)
  session.store:flush()
  return true, "1"
end

function exact.CLEAR(session)
  session.store:clear(session.current)
  return true, "1"
end

exact["CLEAR ALL"] = function(session)
  session.store:clear()
  return true, "1"
end

-- Commands whose argument is a book's name.
local named = {}
commands.named = named

---The answer for a book that is not there.
---@param session strobe.tectonic.AnySession
---@param name string
---@return false success
---@return string body
function commands.no_book(session, name)
  return fail(session, ("No db named `%s`"):format(name))
end

function named.USE(session, name)
  if not session.store:book(name) then
    return commands.no_book(session, name)
  end
  session.current = name
  return true, ("SWITCHED TO %s `%s`."):format(session.dialect.noun, name)
end

function named.EXISTS(session, name)
  if not session.store:book(name) then
    return commands.no_book(session, name)
  end
  return true, "1"
end

-- Commands with other arguments.
local verbs = {}
commands.verbs = verbs

function verbs.INSERT(session, text)
  local value, name = request.parse_insert(text)
  if not value then
    return fail(session, name)
  elseif name and #name > session.dialect.name_limit then
    return fail(session, "Bad format.")
  end
  return commands.insert(session, value, name)
end
verbs.ADD = verbs.INSERT

function verbs.GET(session, _, line)
  local body, form = request.get(line, session.store:book(session.current), session.dialect)
  if not body then
    return fail(session, form)
  end
  return true, body, form == "dtf" and session.bare_get
end

---Whether a line is UTF-8, as all commands are.
---@param line string
---@return boolean
function commands.is_text(line)
  return not line:find("[\x80-\xFF]") or utf8.len(line) ~= nil
end

---Answers one line.
---@param session strobe.tectonic.AnySession
---@param line string without its line end
---@return boolean success
---@return string body
---@return boolean? bare whether the answer has no length
function commands.answer(session, line)
  if not commands.is_text(line) then
    return fail(session, "Bad format.")
  end
  local handler = session.exact[line]
  if handler then
    return handler(session, "", line)
  end
  local word, text = line:match("^(%u+) (.*)$")
  handler = session.named[word]
  if handler and #text > session.dialect.name_limit then
    return fail(session, "Bad format.")
  end
  handler = handler or session.verbs[word]
  if not handler then
    return fail(session, "Unknown command.")
  end
  return handler(session, text, line)
end

return commands
