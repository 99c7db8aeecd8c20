--- TCP echo server on 127.0.0.1, a task for each connection. Prints `PORT n` and serves
-- until it is ended.
-- usage: strobe echo_server.lua
local async = require "strobe.async"
local net = require "strobe.net"

local function echo(conn)
  while true do
    local data = conn:read(65536)
    if not data or data == "" then break end
    if not conn:write(data) then break end
  end
  conn:close()
end

local server = assert(net.listen("127.0.0.1", 0))
print("PORT " .. server:port())
io.stdout:flush()
for conn in server:accept() do async.create_task(echo, conn) end
