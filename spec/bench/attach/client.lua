--- A client of the attach socket that does one thing until it is ended.
-- usage: strobe attach/client.lua PID tail|top|watch|idle
local async = require "strobe.async"
local attach = require "strobe.attach"

local client <close> = assert(attach.connect(tonumber(arg[1])))
assert(client:call("open", {rights = "rw", name = "bench"}))

local works = {}

-- All events of a stream are looked at; 20 lines a second come.
function works.tail()
  assert(client:call("tail", {stream = "ticks"}))
  client:wait_end()
end

-- What `strobe top` asks for, every second.
function works.top()
  while true do
    assert(client:call("top", {n = 100})) -- which takes a second
    assert(client:call("metrics"))
    assert(client:call("streams"))
  end
end

-- An expression, ten times a second: as often as a watched one is drawn.
function works.watch()
  while true do
    assert(client:call("eval", {code = "require('strobe.live').runtime().units.bench.run.st.count"}))
    async.sleep(0.1)
  end
end

function works.idle()
  client:wait_end()
end

print "ready"
io.stdout:flush()
works[arg[2]]()
