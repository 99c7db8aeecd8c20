--- The result of a run: a plain table of figures, curves, trades and what ran.

local json = require "strobe.json"
local statistics = require "strobe.backtest.statistics"
local uri = require "strobe.ws.uri"

---@class strobe.backtest.Result
---@field kind string what it is: "strobe.backtest"
---@field format integer 1, the form of this table
---@field title string
---@field feed? string
---@field time {begin?: number, finish?: number, seconds: number}
---@field totals strobe.backtest.Totals
---@field drawdown table {current, depth, share, peak, begin, low, recovered}; times of the deepest fall
---@field sharpe table {period, periods, value, annual}
---@field equity number[][] points {time, value}
---@field falls number[][] points {time, below the peak, 0 or less}
---@field prices table[] {symbol, traded, points}
---@field trades strobe.backtest.Trade[] closed ones, then open ones
---@field trades_omitted integer
---@field fills table[]
---@field fills_omitted integer
---@field units table[] {name, file, generation, version, parameters, reloads}, the last of {generation, verdict,
---time, files, changes}

local results = {}

local function describe_drawdown(recorder)
  local fall = recorder.drawdown.deepest
  local told = { current = recorder.drawdown.current, depth = fall and fall.depth or 0 }
  if fall then
    told.peak, told.begin, told.low, told.recovered = fall.peak, fall.begin, fall.low, fall.recovered
    told.share = recorder.start > 0 and fall.peak > 0 and fall.depth / fall.peak or nil
  end
  return told
end

local function prices_of(recorder)
  local list = json.array {}
  for symbol, curve in pairs(recorder.prices) do
    local traded = recorder.traded[symbol] or false
    list[#list + 1] = { symbol = symbol, traded = traded, points = json.array(curve:points()) }
  end
  table.sort(list, function(a, b)
    if a.traded ~= b.traded then
      return a.traded
    end
    return a.symbol < b.symbol
  end)
  return list
end

local function trades_of(recorder)
  local list = json.array {}
  for i, trade in ipairs(recorder.trades.list) do
    list[i] = trade
  end
  for _, trade in ipairs(recorder.now and recorder.trades:unfinished(recorder.now, recorder.last) or {}) do
    list[#list + 1] = trade
  end
  return list
end

local function reloads_of(recorder, unit)
  local list = json.array {}
  for i, attempt in ipairs(unit.history) do
    local told = (recorder.reloads[unit.name] or {})[attempt.number] or {}
    local noted = told[attempt.verdict == "superseded" and "committed" or attempt.verdict] or {}
    list[i] = {
      generation = attempt.number, verdict = attempt.verdict, time = noted.time,
      files = json.array { table.unpack(attempt.files) }, changes = json.array(noted.changes or {}),
    }
  end
  return list
end

local function units_of(recorder)
  local list, runtime = json.array {}, recorder.runtime
  for i, unit in ipairs(runtime and runtime.order or {}) do
    local generation = unit.run and unit.run.generation
    local contract = generation and generation.contract or {}
    list[i] = {
      name = unit.name, file = unit.path:match "[^/]*$", generation = generation and generation.number,
      version = contract.version, parameters = contract.parameters or {}, reloads = reloads_of(recorder, unit),
    }
  end
  return list
end

local function feed_of(recorder)
  local urls = {}
  for i, feed in ipairs(recorder.runtime and recorder.runtime.feeds or {}) do
    urls[i] = uri.without_password(feed.url)
  end
  return recorder.options.feed or #urls > 0 and table.concat(urls, ", ") or nil
end

local function title_of(recorder, units)
  local names = {}
  for i, unit in ipairs(units) do
    names[i] = unit.name
  end
  return recorder.options.title or #names > 0 and table.concat(names, ", ") or "Back-test"
end

--- Makes it of what a recorder has seen.
---@param recorder strobe.backtest.Recorder
---@return strobe.backtest.Result
function results.of(recorder)
  local units = units_of(recorder)
  return {
    kind = "strobe.backtest", format = 1, title = title_of(recorder, units), feed = feed_of(recorder),
    time = {
      begin = recorder.begin, finish = recorder.now, seconds = recorder.begin and recorder.now - recorder.begin or 0,
    },
    totals = statistics.totals(recorder), drawdown = describe_drawdown(recorder), sharpe = recorder.sharpe:result(),
    equity = json.array(recorder.equity:points()), falls = json.array(recorder.falls:points()),
    prices = prices_of(recorder), trades = trades_of(recorder), trades_omitted = recorder.trades.omitted,
    fills = json.array(recorder.fills), fills_omitted = recorder.fill_count - #recorder.fills, units = units,
  }
end

-- --- As JSON -----------------------------------------------------------------------------------

local Array = getmetatable(json.array {})

local encode

local function encode_list(list)
  local parts = {}
  for i, value in ipairs(list) do
    parts[i] = encode(value)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encode_object(object, between)
  local names, parts = {}, {}
  for name in pairs(object) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    parts[i] = json.encode(name) .. ":" .. encode(object[name])
  end
  return "{" .. table.concat(parts, between) .. "}"
end

-- JSON knows neither infinity nor what is no number.
local function encode_number(value)
  if math.type(value) == "integer" then
    return ("%d"):format(value)
  end
  return value - value == 0 and ("%.14g"):format(value) or "null"
end

-- Lists are what json.array has made, and points.
function encode(value)
  if type(value) == "number" then
    return encode_number(value)
  elseif type(value) ~= "table" then
    return json.encode(value)
  elseif #value > 0 or getmetatable(value) == Array then
    return encode_list(value)
  end
  return encode_object(value, ",")
end

--- As JSON: names in their order, a line for each part, so that the same run gives the same bytes.
---@param result strobe.backtest.Result
---@return string
function results.encode(result)
  return encode_object(result, ",\n") .. "\n"
end

return results
