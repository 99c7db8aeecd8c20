--- WebSocket echo server on 127.0.0.1, a task for each connection. Prints `PORT n` and serves
-- until it is ended.
-- usage: strobe ws_echo.lua
local ws = require "strobe.ws"

local function echo(connection)
  for message, kind in connection:messages() do
    if kind == "text" then
      connection:send(message)
    else
      connection:send_bytes(message)
    end
  end
end

local server = assert(ws.serve(echo, "127.0.0.1", 0))
print("PORT " .. server:port())
io.stdout:flush()
require("strobe.async").Event():wait()
