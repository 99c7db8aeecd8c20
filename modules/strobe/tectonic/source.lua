--- Where a feed's ticks come from: a recording, a random walk, or the standard input.
--
-- Each source is an async generator of `tick, book`.

local future = require "strobe.core.future"
local generators = require "strobe.async.generator"
local json = require "strobe.json"
local tick = require "strobe.tectonic.tick"
local time = require "strobe.core.time"
local walks = require "strobe.tectonic.walk"

local source = {}

local COLUMNS = "book,ts,seq,is_trade,is_bid,price,size"

-- Bytes of a line; no tick needs as many.
local LINE_LIMIT = 64 * 1024

local function fail(path, line, message)
  error(("%s:%d: %s"):format(path, line, message), 0)
end

-- A speed or a rate, which may be math.huge.
local function check_pace(name, value)
  if type(value) ~= "number" or value ~= value or value <= 0 then
    error(("%s: a number above 0, or math.huge, expected, got %s"):format(name, tostring(value)), 0)
  end
  return value
end

local flag_of = { t = true, f = false, ["true"] = true, ["false"] = false }

-- One CSV row: tick, book; or nil, message.
local function parse_csv(line)
  local book, ts, seq, is_trade, is_bid, price, size = line:match "^([^,]+),([^,]+),(%d+),(%a+),(%a+),([^,]+),([^,]+)$"
  if not book then
    return nil, ("a row of %s expected"):format(COLUMNS)
  end
  local value = {
    ts = tonumber(ts),
    seq = math.tointeger(tonumber(seq)),
    is_trade = flag_of[is_trade],
    is_bid = flag_of[is_bid],
    price = tonumber(price),
    size = tonumber(size),
  }
  local ok, message = tick.check(value)
  if not ok then
    return nil, message
  end
  return value, book
end

-- One JSON line: the fields of a tick and `book`.
local function parse_json(line)
  local value, message = json.decode(line)
  if type(value) ~= "table" then
    return nil, message or "a JSON object expected"
  end
  local book = value.book
  if type(book) ~= "string" then
    return nil, 'a field "book" expected'
  end
  value.book, value.seq = nil, math.tointeger(value.seq)
  local ok, reason = tick.check(value)
  if not ok then
    return nil, reason
  end
  return value, book
end

local function parse_line(line)
  if #line > LINE_LIMIT then
    return nil, ("a line of at most %d bytes expected"):format(LINE_LIMIT)
  end
  if line:find "^%s*{" then
    return parse_json(line)
  end
  return parse_csv(line)
end

-- A file's lines may be read at once: it is local, and small steps yield in between.
local function each_line(path, lines, yield)
  local number = 0
  for line in lines do
    number = number + 1
    line = line:gsub("\r$", "")
    if line ~= "" and line ~= COLUMNS then
      local value, book = parse_line(line)
      if not value then
        fail(path, number, book)
      end
      yield(value, book)
    end
  end
end

-- Paces updates by their own time: `speed` times as fast as they were recorded.
local function pacer(speed)
  local began, first
  local count = 0
  return function(value)
    if speed == math.huge then
      count = count + 1
      if count % 64 == 0 then
        time.sleep(0) -- as fast as it goes, but others run too
      end
      return
    end
    began, first = began or time.now(), first or value.ts
    time.sleep_until(began + (value.ts - first) / speed)
  end
end

--- Replays a recording: rows `book,ts,seq,is_trade,is_bid,price,size`, or JSON objects
--- with these fields, a line each. Raises with file and line for what is neither.
---@async
---@param path string
---@param options? {speed?: number} times as fast as recorded (1); math.huge: as fast as it goes
---@return strobe.Generator
source.replay = generators.generator(function(yield, path, options)
  local speed = check_pace("replay: speed", options and options.speed or 1)
  local file, message = io.open(path, "rb")
  if not file then
    error("replay: " .. message, 0)
  end
  local guard <close> = file -- luacheck: ignore
  local pace = pacer(speed)
  each_line(path, file:lines(), function(value, book)
    pace(value)
    yield(value, book)
  end)
end)

--- A seeded random walk: prices that move a little, trades among level changes.
---@async
---@param options? {books?: string[], rate?: number, seed?: integer, count?: integer, epoch?: number}
--- rate: updates per second, all books together (10; math.huge: as fast as it goes);
--- count: how many (for ever); epoch: the ts of the first, in seconds since 1970
---@return strobe.Generator
source.synthetic = generators.generator(function(yield, options)
  options = options or {}
  local books = options.books or { "btc_usd" }
  if #books == 0 then
    error("synthetic: books: at least one name expected", 0)
  end
  local rate, walk = check_pace("synthetic: rate", options.rate or 10), walks.new(options.seed or 1, books)
  local epoch, began = options.epoch or 1577836800, time.now()
  for n = 1, options.count or math.huge do
    local at = rate == math.huge and n / 1000 or (n - 1) / rate
    if rate ~= math.huge then
      time.sleep_until(began + at)
    elseif n % 64 == 0 then
      time.sleep(0)
    end
    yield(walk:next(epoch + at))
  end
end)

-- Waits for the next bytes of a luv stream; nil at its end.
local function next_chunk(stream)
  local arrived = future.new()
  stream:read_start(function(message, data)
    stream:read_stop()
    if arrived:done() then
      return
    elseif message then
      arrived:set_exception("stdin: " .. message)
    else
      arrived:set_result(data)
    end
  end)
  return arrived:await()
end

-- The standard input as a luv stream; nil for a file, which never blocks.
local function open_input()
  local uv = require "luv"
  local kind = uv.guess_handle(0)
  if kind == "tty" then
    return uv.new_tty(0, true)
  elseif kind == "pipe" then
    local stream = uv.new_pipe(false)
    stream:open(0)
    return stream
  end
end

-- Chunks of the standard input, without blocking the loop; and what closes it.
local function input_chunks()
  local stream = open_input()
  if not stream then
    return function()
      return io.read(65536)
    end
  end
  local closing = setmetatable({}, {
    __close = function()
      if not stream:is_closing() then
        stream:close()
      end
    end,
  })
  return function()
    return next_chunk(stream)
  end, closing
end

-- Lines of chunks that end anywhere. A line above the limit comes in parts, of which
-- the first is refused by whoever parses it.
local function lines_of(chunks)
  local text, from = "", 1
  return function()
    while true do
      local stop = text:find("\n", from, true)
      if stop then
        local line = text:sub(from, stop - 1)
        from = stop + 1
        return line
      end
      local rest = text:sub(from)
      local chunk = #rest <= LINE_LIMIT and chunks()
      text, from = chunk and rest .. chunk or "", 1
      if not chunk then
        return rest ~= "" and rest or nil
      end
    end
  end
end

--- Lines of the standard input, in a form that replay takes; as they come.
---@async
---@return strobe.Generator
source.stdin = generators.generator(function(yield)
  local chunks, closing = input_chunks()
  local guard <close> = closing -- luacheck: ignore
  each_line("stdin", lines_of(chunks), yield)
end)

return source
