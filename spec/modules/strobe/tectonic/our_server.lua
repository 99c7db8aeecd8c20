--- The embedded server on a free port, and the ways to talk to it.

local assert = require "luassert"
local async = require "strobe.async"
local net = require "strobe.net"
local tectonic = require "strobe.tectonic"

local our_server = {}

--- A tick like any other.
function our_server.row(seq)
  return { ts = 1505177459.685, seq = seq, is_trade = true, is_bid = false, price = 100, size = 1 }
end

function our_server.serve(options)
  options = options or {}
  options.port = 0
  return assert(tectonic.serve(options))
end

--- A bare connection, which waits a minute at most.
function our_server.dial(server)
  local connection = assert(net.connect("127.0.0.1", server:port()))
  connection:set_timeout(60)
  return connection
end

function our_server.client(server, protocol)
  return assert(tectonic.connect { host = "127.0.0.1", port = server:port(), protocol = protocol })
end

--- All that comes until the server hangs up.
function our_server.read_all(connection)
  local parts = {}
  while true do
    local bytes, _, code = connection:read()
    if not bytes or bytes == "" then
      return table.concat(parts), code
    end
    table.insert(parts, bytes)
  end
end

--- Asserts that it answers clients of both protocols.
function our_server.assert_alive(server)
  for _, protocol in ipairs { "poll", "push" } do
    local db <close> = our_server.client(server, protocol)
    assert.same({ true, "PONG" }, { db:ping() })
  end
end

--- Waits until so many sessions are left (0).
function our_server.settle(server, connections)
  for _ = 1, 1000 do
    if server:stats().connections == (connections or 0) then
      return
    end
    async.sleep(0.01)
  end
  error(("%d connections are left"):format(server:stats().connections))
end

return our_server
