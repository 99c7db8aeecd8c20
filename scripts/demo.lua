-- The whole thing in one process: a feed of random ticks on a free port, and a
-- batcher that fetches them over TCP. At the end: were all received that were sent?

local arguments = require "strobe.arguments"
local async = require "strobe.async"
local source = require "strobe.tectonic.source"
local tectonic = require "strobe.tectonic"

local options = arguments.parse("usage: strobe run demo [--seconds N] [--rate N]", { seconds = 15.0, rate = 400.0 })
local book = "demo_btc"

local TickBatcher = require "strobe.script".module("batcher")

local function feed(server)
  local ticks = source.synthetic { books = { book }, rate = options.rate, seed = 7 }
  local sent = 0
  for tick, name in ticks do
    assert(server:insert(tick, name))
    sent = sent + 1
    if sent >= options.rate * options.seconds then
      return sent
    end
  end
end

local function summary(sent, batcher, server)
  local s = server:stats()
  print(("\nsent %d, received %d, dropped %d: %s"):format(sent, batcher.received, s.dropped,
    sent == batcher.received and "received = sent" or "some are missing"))
  return sent == batcher.received
end

local server = assert(tectonic.serve { port = 0 })
local guard <close> = server -- luacheck: ignore
print(("A feed of %g ticks a second on port %d; a batcher subscribes to it over TCP and reports\n"
  .. "each second what came. %g seconds:\n"):format(options.rate, server:port(), options.seconds))
local batcher = TickBatcher.new { host = "127.0.0.1", port = server:port(), book = book, every = 1 }
local sub = async.create_task(batcher.sub, batcher)
local run = async.create_task(batcher.run, batcher)
server:wait_subscribers(1)
local sent = feed(server)
server:wait_delivered(5)
async.sleep(0.1)
run:cancel()
sub:cancel()
if not summary(sent, batcher, server) then
  os.exit(1)
end
