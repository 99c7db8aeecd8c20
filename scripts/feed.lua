-- A market feed: a TectonicDB-speaking server whose ticks come from a recording, a
-- random walk, or the standard input.

local arguments = require "strobe.arguments"
local async = require "strobe.async"
local source = require "strobe.tectonic.source"
local tectonic = require "strobe.tectonic"

local usage = [[
usage: strobe run feed [--host HOST] [--port PORT] SOURCE [options]
  --replay FILE.csv|jsonl     a recording: book,ts,seq,is_trade,is_bid,price,size
                              (a small one to try: examples/ticks.csv)
  --synthetic                 a seeded random walk (the default)
  --stdin                     lines of either form from the standard input
options:
  --port PORT                 9001; 0 takes a free one, and the first line says which
  --speed N|max               replay: times as fast as recorded (1)
  --rate N|max                synthetic: updates per second (10)
  --books A,B                 synthetic: names of the books (btc_usd)
  --seed N                    synthetic: which walk (1)
  --count N                   stop after so many updates
  --wait N                    begin when N clients have subscribed (0)
  --stay                      go on serving when the source has ended
  --every SECONDS             print counters that often (10; 0: never)]]

local options = arguments.parse(usage, {
  host = "127.0.0.1",
  port = 9001,
  replay = arguments.text,
  synthetic = false,
  stdin = false,
  speed = "1",
  rate = "10",
  books = "btc_usd",
  seed = 1,
  count = arguments.integer,
  wait = 0,
  stay = false,
  every = 10.0,
})

local function fail(message)
  io.stderr:write("feed: ", message, "\n")
  os.exit(2)
end

local function positive(name)
  local value = options[name] == "max" and math.huge or tonumber(options[name])
  if not value or value <= 0 then
    fail(("--%s %s: a number above 0, or max, expected"):format(name, options[name]))
  end
  return value
end

local function names()
  local list = {}
  for name in options.books:gmatch "[^,%s]+" do
    list[#list + 1] = name
  end
  return list
end

local function open_source()
  if options.replay then
    return source.replay(options.replay, { speed = positive "speed" })
  elseif options.stdin then
    return source.stdin()
  end
  return source.synthetic { books = names(), rate = positive "rate", seed = options.seed }
end

local function print_counters(server)
  local s = server:stats()
  io.stderr:write(("feed: %d sent by the source, %d subscribers, %d delivered, %d queued, %d dropped\n"):format(
    s.inserted, s.subscribers, s.delivered, s.queued, s.dropped))
end

local function feed(server)
  local count = 0
  for tick, book in open_source() do
    assert(server:insert(tick, book))
    count = count + 1
    if count == options.count then
      break
    end
  end
end

local server, message = tectonic.serve { host = options.host, port = options.port }
if not server then
  fail(message)
end
local guard <close> = server -- luacheck: ignore
io.stderr:write(("feed: serving on %s:%d\n"):format(options.host, server:port()))
if options.every > 0 then
  async.create_task(async.every, options.every, function()
    print_counters(server)
  end)
end
server:wait_subscribers(options.wait)
feed(server)
if options.stay then
  async.sleep(math.huge)
end
server:wait_delivered(10)
print_counters(server)
