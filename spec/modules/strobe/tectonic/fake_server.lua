--- Servers that play a part, for specs of clients. All are `<close>` values with a `port`.

local async = require "strobe.async"
local net = require "strobe.net"

local fake_server = {}

--- Calls play(connection, n) for its n-th connection, in a task of its own, and hangs up when that returns.
---@param play fun(connection: strobe.Connection, n: integer)
function fake_server.plays(play)
  local listener = assert(net.listen(nil, 0))
  local tasks, connections = {}, {}
  local function play_out(connection, n)
    play(connection, n)
    connection:close()
  end
  table.insert(tasks, async.create_task(function()
    for connection in listener:accept() do
      table.insert(connections, connection)
      table.insert(tasks, async.create_task(play_out, connection, #connections))
    end
  end))
  return setmetatable({ port = listener:port() }, {
    __close = function()
      listener:close()
      for _, connection in ipairs(connections) do
        connection:abort()
      end
      for _, task in ipairs(tasks) do
        task:cancel()
      end
      async.wait(tasks)
    end,
  })
end

--- Reads and forgets requests, until the client hangs up, so that only the answers matter.
function fake_server.ignore_requests(connection)
  repeat
    local bytes = connection:read()
  until not bytes or bytes == ""
end

--- Says the same bytes, piece by piece, to whoever asks anything.
function fake_server.says(...)
  local pieces = { ... }
  return fake_server.plays(function(connection)
    connection:read()
    for _, piece in ipairs(pieces) do
      connection:send(piece)
      async.sleep(0.01)
    end
    fake_server.ignore_requests(connection)
  end)
end

return fake_server
