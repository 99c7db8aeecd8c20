-- A request: the text commands whose arguments both generations write alike, INSERT/ADD and GET.
--
--   ADD|INSERT <row> [INTO name]
--   GET n|ALL [FROM <s> TO <s>] [AS JSON|AS CSV] [IN MEM]
--
-- Like the original, GET looks for its words anywhere in the line, takes a count it cannot read for 1,
-- gives the oldest rows, and ignores the count when asked IN MEM. FROM and TO exclude their bounds, and a
-- range beside the rows finds none; but one the wrong way round, with all rows between TO and FROM, finds
-- them all.
--
-- Where we leave the original:
--   FROM without TO, or no whole seconds    it panics                    an error
--   a range beside the rows in memory, A    all rows in memory           no rows, as in C
--   a range, rows on file                   see session_c.lua            rows in memory only
--   binary GET of an empty book in C        the server stops answering   an empty body
--
-- Source: facts read in tectonicdb c4fcb1c and c0c6819 (handler.rs, parser.rs, state.rs); ranges as the
-- server of crate tectonicdb 0.5 answers them.

local dtf = require "strobe.tectonic.dtf"
local tick = require "strobe.tectonic.tick"

local MAX_COUNT = 0xFFFFFFFF
local BAD_RANGE = "FROM and TO need whole seconds."

local request = {}

---@class strobe.tectonic.Get
---@field count integer|nil nil = all
---@field from integer|nil seconds, excluded
---@field to integer|nil seconds, excluded
---@field form "json"|"csv"|"dtf"
---@field in_memory boolean

---@class strobe.tectonic.Dialect how a generation writes the answers of GET
---@field brackets boolean JSON objects in a list
---@field letters boolean CSV flags as t and f
---@field shortage string error text for GET 0

---Reads ADD and INSERT.
---@param text string the part behind the command word
---@return strobe.tectonic.Tick|nil tick
---@return string|nil book nil for the current book; on an error the message
---@return string? code "EPROTO"
function request.parse_insert(text)
  local row, name = text, nil
  local from, to = text:find(" INTO ", 1, true)
  if from then
    row, name = text:sub(1, from - 1), text:sub(to + 1)
  end
  local value, message, code = tick.parse_row(row)
  if not value then
    return nil, message, code
  end
  return value, name
end

local function parse_count(text)
  if text == "GET ALL" or text:sub(1, 8) == "GET ALL " then
    return nil
  end
  local count = tonumber(text:match("^GET (%+?%d+)%f[ \0]"))
  return math.type(count) == "integer" and count <= MAX_COUNT and count or 1
end

local function parse_seconds(text, word)
  local _, stop = text:find(word, 1, true)
  local digits = stop and text:match("^%+?(%d+)%f[ \0]", stop + 1)
  return tonumber(digits)
end

local function parse_form(text)
  if text:find(" AS JSON", 1, true) then
    return "json"
  end
  return text:find(" AS CSV", 1, true) and "csv" or "dtf"
end

---Reads GET.
---@param text string the whole command, beginning with "GET "
---@return strobe.tectonic.Get|nil get
---@return string? message
---@return string? code "EPROTO"
function request.parse_get(text)
  local get = { count = parse_count(text), form = parse_form(text),
    in_memory = text:find(" IN MEM", 1, true) ~= nil }
  if text:find(" FROM ", 1, true) then
    get.from, get.to = parse_seconds(text, " FROM "), parse_seconds(text, " TO ")
    if not (get.from and get.to) then
      return nil, BAD_RANGE, "EPROTO"
    end
  end
  return get
end

-- Whether a range is the wrong way round, with all rows between its ends. The original takes that for no
-- range at all: it is the only one of which its check says that it does not touch the rows.
local function is_inside_out(get, book)
  local oldest, newest = book:first(1)[1], book:last(1)[1]
  return oldest and get.from > newest.ts and get.to < oldest.ts
end

---Finds the rows of a GET in a book.
---@param get strobe.tectonic.Get
---@param book strobe.tectonic.Book
---@param shortage string message for a count of 0
---@return strobe.tectonic.Tick[]|nil rows
---@return string? message "Requested n but only have m." or `shortage`
---@return string? code "ENODATA"
function request.rows(get, book, shortage)
  if get.count == 0 then
    return nil, shortage, "ENODATA"
  end
  local count = not get.in_memory and get.count or nil
  local ranged = get.from and not is_inside_out(get, book) and book:range(get.from, get.to)
  local have = ranged and #ranged or book:count()
  if count and count > have then
    return nil, ("Requested %d but only have %d."):format(count, have), "ENODATA"
  elseif not ranged then
    return book:first(count)
  end
  return count and table.move(ranged, 1, count, 1, {}) or ranged
end

local WRITE = {}

function WRITE.dtf(rows)
  return dtf.encode_batches(rows)
end

function WRITE.json(rows, dialect)
  local objects = {}
  for i, row in ipairs(rows) do
    objects[i] = tick.to_json(row)
  end
  local text = table.concat(objects, ", ")
  return (dialect.brackets and "[" .. text .. "]" or text) .. "\n"
end

function WRITE.csv(rows, dialect)
  local lines = {}
  for i, row in ipairs(rows) do
    lines[i] = tick.to_csv(row, dialect.letters)
  end
  return table.concat(lines, "\n") .. "\n"
end

---Answers GET.
---@param text string the whole command, beginning with "GET "
---@param book strobe.tectonic.Book the current book
---@param dialect strobe.tectonic.Dialect
---@return string|nil body
---@return string form the body's form; on an error the message
---@return string? code "EPROTO" or "ENODATA"
function request.get(text, book, dialect)
  local get, message, code = request.parse_get(text)
  if not get then
    return nil, message, code
  end
  local rows
  rows, message, code = request.rows(get, book, dialect.shortage)
  if not rows then
    return nil, message, code
  end
  return WRITE[get.form](rows, dialect), get.form
end

return request
