--- CSV as events. It does no I/O.
--
-- Ticks have the columns book,ts,seq,is_trade,is_bid,price,size, with this header or none. With another header a row
-- is a table of its columns, numbers as numbers; its stream is in the column stream, book or symbol (else it is that
-- of the feed's name), its time in ts, time, timestamp or date (see instant.lua), its number in seq; the options
-- stream, time and seq name other columns. There are no quotes: a field has no comma.

local instants = require "strobe.live.feed.instant"

local COLUMNS = "book,ts,seq,is_trade,is_bid,price,size"
-- One tick, and where the next line begins. One match a line, and no string for the line itself, is what makes it
-- fast; so are these simple classes. They may run over the end of a line: that is looked at besides.
local TICK = "^([^,]+),([^,]+),(%d+),([^,]+),([^,]+),([^,]+),([^,\n]+)\n()"
-- Whole numbers up to there are exact.
local MOST = 2 ^ 53

local huge = math.huge
local find, match, sub = string.find, string.match, string.sub
local tonumber = tonumber

---@class strobe.live.Rows
---@field line integer read so far
---@field private columns? string[] of what are no ticks
local Rows = {}
Rows.__index = Rows

local rows = { options = { stream = true, seq = true, time = true } }

local flags = { t = true, f = false, ["true"] = true, ["false"] = false }

---@param name string of the feed
---@param options table<string, string>
---@param broken fun(line: integer, why: string) told of each line that is no event
---@return strobe.live.Rows
function rows.new(name, options, broken)
  return setmetatable({ line = 0, name = name, options = options, broken = broken }, Rows)
end

-- --- Ticks -------------------------------------------------------------------------------------

-- Hands on the ticks from there on; returns where there is something else.
local function parse_ticks(self, text, from, hand)
  local line = self.line
  local ts_text, ts = self.ts_text, self.ts -- many have the same
  local stop = find(text, "\n", from, true)
  while stop do
    local book, at, seq, is_trade, is_bid, price, size, next_from = match(text, TICK, from)
    if next_from ~= stop + 1 then
      break
    elseif at ~= ts_text then
      ts_text, ts = at, tonumber(at)
      ts = ts and ts >= 0 and ts < huge and ts or nil
    end
    seq, is_trade, is_bid, price, size = tonumber(seq), flags[is_trade], flags[is_bid], tonumber(price), tonumber(size)
    if not (ts and price and size and seq <= MOST and price < huge and price > -huge and size < huge and size > -huge)
      or is_trade == nil or is_bid == nil then
      break
    end
    line, from = line + 1, next_from
    self.line = line
    hand(book, { ts = ts, seq = seq, is_trade = is_trade, is_bid = is_bid, price = price, size = size }, ts, seq)
    stop = find(text, "\n", from, true)
  end
  self.ts_text, self.ts = ts_text, ts
  return from
end

-- --- Other tables ------------------------------------------------------------------------------

local function split(line)
  local fields = {}
  for field in (line .. ","):gmatch "([^,]*)," do
    fields[#fields + 1] = field
  end
  return fields
end

local function find_column(columns, names)
  for _, name in ipairs(names) do
    for i, there in ipairs(columns) do
      if there == name then
        return i
      end
    end
  end
end

-- The header: names of columns. Returns what is wrong with it.
local function begin_table(self, line)
  local columns, options = split(line), self.options
  for i, column in ipairs(columns) do
    columns[i] = column:match "^%s*(.-)%s*$"
    if not columns[i]:find "^[%a_][%w_ .-]*$" then
      return ("%s, or a header with names of columns, expected"):format(COLUMNS)
    end
  end
  self.columns = columns
  self.stream_at = find_column(columns, options.stream and { options.stream } or { "stream", "book", "symbol" })
  self.time_at = find_column(columns, options.time and { options.time } or { "ts", "time", "timestamp", "date" })
  self.seq_at = find_column(columns, { options.seq or "seq" })
end

local function value_of(column, text)
  if flags[text] ~= nil and (#text > 1 or find(column, "^is_")) then
    return flags[text]
  end
  return tonumber(text) or text
end

-- A row of such a table. Returns what is wrong with it.
local function take_row(self, line, hand)
  local columns, fields = self.columns, split(line)
  if #fields ~= #columns then
    return ("%d fields expected, got %d"):format(#columns, #fields)
  end
  local data = {}
  for i, column in ipairs(columns) do
    data[column] = value_of(column, fields[i])
  end
  local at
  if self.time_at then
    at = instants.seconds(fields[self.time_at])
    if not at then
      return ("%s: a time expected, got %q"):format(columns[self.time_at], fields[self.time_at])
    end
  end
  local seq = self.seq_at and math.tointeger(tonumber(fields[self.seq_at]))
  hand(self.stream_at and fields[self.stream_at] or self.name, data, at, seq or nil)
end

-- --- Lines ---------------------------------------------------------------------------------------

-- A line that is no tick: empty, a header, a row of another table, or broken.
local function take_line(self, line, hand)
  local wrong
  line = line:gsub("\r$", "")
  if self.line == 1 then
    line = line:gsub("^\xEF\xBB\xBF", "")
  end
  if line == "" or line == COLUMNS then
    return
  elseif self.columns then
    wrong = take_row(self, line, hand)
  elseif self.line == 1 then
    wrong = begin_table(self, line)
  else
    wrong = COLUMNS .. " expected"
  end
  if wrong then
    self.broken(self.line, wrong)
  end
end

--- Hands on the events of the whole lines in a text.
---@async
---@param text string
---@param hand fun(stream: string, data: any, at?: number, seq?: integer, first?: integer)
---@return integer from where the line begins that has no end yet
function Rows:parse(text, hand)
  local from = 1
  repeat
    if not self.columns then
      from = parse_ticks(self, text, from, hand)
    end
    local stop = find(text, "\n", from, true)
    if stop then
      self.line = self.line + 1
      take_line(self, sub(text, from, stop - 1), hand)
      from = stop + 1
    end
  until not stop
  return from
end

return rows
