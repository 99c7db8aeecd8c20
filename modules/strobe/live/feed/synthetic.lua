--- synthetic:SEED — ticks of a random walk. The same seed and options give the same ticks, on every machine.
--
-- rate: ticks a second, all books together (10), or `max`: as fast as it goes, a millisecond apart by their own time.
-- book: names (btc_usd). count: how many (for ever). start: time of the first, in seconds since 1970 (2020-01-01).

local Feed = require "strobe.live.feed.feed"
local walks = require "strobe.tectonic.walk"

local START = 1577836800

local Synthetic = Feed.class()
Synthetic.noun = "book"

local kind = { separators = "?#", options = { rate = true, book = true, count = true, start = true } }

local function number_of(options, name, default, what, check)
  local text = options[name]
  if text == nil then
    return default
  end
  local value = tonumber(text)
  if not value or not check(value) then
    return nil, ("%s: %s expected, got %q"):format(name, what, text)
  end
  return value
end

local function is_rate(value)
  return value > 0 and value <= 1e9
end

local function is_count(value)
  return math.type(value) == "integer" and value >= 1
end

local function is_time(value)
  return value >= 0 and value < 1e11
end

-- The options as numbers, or nil and a message.
local function numbers_of(options)
  local wrong
  local function get(...)
    local value, message = number_of(options, ...)
    wrong = wrong or message
    return value
  end
  local rate = math.huge
  if options.rate ~= "max" then
    rate = get("rate", 10, "ticks a second above 0, or max", is_rate)
  end
  local count = get("count", math.maxinteger, "a whole number of 1 or more", is_count)
  local start = get("start", START, "seconds since 1970", is_time)
  if wrong then
    return nil, wrong
  end
  return rate, count, start
end

---@param url strobe.live.FeedUrl
---@return strobe.live.Feed?
---@return string? message
---@return string? code
function kind.open(url)
  local seed = math.tointeger(tonumber(url.rest == "" and "1" or url.rest))
  if not seed then
    return nil, ("a whole number as seed expected, got %q"):format(url.rest), "EINVAL"
  end
  local rate, count, start = numbers_of(url.options)
  if not rate then
    return nil, count, "EINVAL"
  end
  local books = {}
  for book in (url.options.book or "btc_usd"):gmatch "[^,]+" do
    books[#books + 1] = book
  end
  if #books == 0 then
    return nil, "book: at least one name expected", "EINVAL"
  end
  local finite = url.options.count ~= nil
  return Feed.new(Synthetic, url, {
    seed = seed, rate = rate, count = count, begins = start, streams = books, finite = finite,
    total = finite and count or nil, done = finite and 0 or nil,
  })
end

---@async
---@protected
function Synthetic:deliver(sink)
  local walk = walks.new(self.seed, self.streams)
  local rate, start = self.rate, self.begins
  local paced = rate < math.huge
  for n = 1, self.count do
    local at = start + (paced and (n - 1) / rate or (n - 1) / 1000)
    if paced then
      self.clock:wait_until(at)
    end
    local tick, book = walk:next(at)
    self:hand_on(sink, book, tick, tick.ts, tick.seq)
    self.done = self.total and n
    self:be_fair()
  end
  return true
end

return kind
