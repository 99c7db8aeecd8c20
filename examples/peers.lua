-- Two components that are each other's peers: both serve and both connect, and each streams to the other. They
-- know no host and no port: each announces its name to this machine (with "0.0.0.0" to the network) and finds the
-- other by its name. In a terminal each, on one machine or two:
--   strobe examples/peers.lua left right
--   strobe examples/peers.lua right left
-- Without names both are here: strobe examples/peers.lua

local async = require "strobe.async"
local sketch = require "strobe.sketch"

-- A kind of component by its name, which is also the one it announces.
local function peer(name)
  local Peer = sketch.component(name)

  function Peer:loop(channel, message)
    self:out(("%s sends %s"):format(channel, message))
    return #message -- the acknowledgement
  end

  function Peer:found(other)
    self:out("found " .. other)
  end

  -- Streams a few readings; each send waits for its acknowledgement, so that none is faster than the other.
  function Peer:stream(other)
    local link <close> = assert(self:connect(other, { discovery = { timeout = 30 } }))
    for number = 1, 3 do
      assert(link:send("reading " .. number))
      async.sleep(0.5)
    end
  end

  return Peer
end

-- Serves under its name, and streams to the other one; ends when both have streamed.
local function meet(name, other)
  local component <close> = assert(peer(name)():serve("127.0.0.1", 0, { announce = true }))
  local gone = async.Event()
  function component:left(channel)
    self:out(channel .. " is done")
    gone:set()
  end
  component:stream(other)
  gone:wait()
end

async.run(function()
  if arg[2] then
    meet(arg[1], arg[2])
  else
    async.gather(async.create_task(meet, "left", "right"), async.create_task(meet, "right", "left"))
  end
end)
