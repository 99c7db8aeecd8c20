-- A tick batcher: collects a book's ticks and reports each second what came.
-- Copy it and change what `report` does.

local arguments = require "strobe.arguments"
local async = require "strobe.async"
local json = require "strobe.json"
local tectonic = require "strobe.tectonic"

local TickBatcher = {}
TickBatcher.__index = TickBatcher

function TickBatcher.new(options)
  return setmetatable({ options = options, batch = {}, received = 0 }, TickBatcher)
end

-- Collects for ever.
function TickBatcher:sub()
  local options = self.options
  local db = assert(tectonic.connect {
    host = options.host,
    port = options.port,
    protocol = options.push and "push" or "poll",
  })
  local guard <close> = db -- luacheck: ignore
  for tick in db:ticks(options.book, { reconnect = true }) do
    table.insert(self.batch, tick)
    self.received = self.received + 1
  end
end

function TickBatcher:take()
  local batch = self.batch
  self.batch = {}
  return batch
end

local function summary(book, batch, seconds)
  local trades, volume, value, last = 0, 0, 0, nil
  for _, tick in ipairs(batch) do
    last = tick.price
    if tick.is_trade then
      trades, volume = trades + 1, volume + tick.size
      value = value + tick.size * tick.price
    end
  end
  return {
    book = book,
    count = #batch,
    trades = trades,
    volume = volume,
    vwap = volume > 0 and value / volume or nil,
    last = last,
    rate = #batch / seconds,
  }
end

local function number(value)
  return value and ("%.8g"):format(value) or "-"
end

function TickBatcher:report()
  local s = summary(self.options.book, self:take(), self.options.every)
  if self.options.json then
    print((json.encode(s)))
  else
    print(("%-12s %6d ticks %5d trades  volume %-10s vwap %-10s last %-10s %8.1f/s"):format(
      s.book, s.count, s.trades, number(s.volume), number(s.vwap), number(s.last), s.rate))
  end
  io.stdout:flush()
end

-- Reports each `every` seconds, for ever.
function TickBatcher:run()
  async.timer(self.options.every, { steady = true })(self.report)(self)
end

if ... == "strobe.batcher" then
  return TickBatcher -- as a module: scripts/demo.lua uses it
end

local options = arguments.parse([[
usage: strobe run batcher [--host HOST] [--port PORT] [--book NAME] [--every SECONDS] [--json] [--push]
  --push: the server speaks today's TectonicDB protocol (default: the poll protocol of 2018)]], {
  host = "localhost",
  port = 9001,
  book = "btc_usd",
  every = 1.0,
  json = false,
  push = false,
})

local batcher = TickBatcher.new(options)
async.gather(async.create_task(batcher.sub, batcher), async.create_task(batcher.run, batcher))
