--- WebSocket echo server on 127.0.0.1 that counts: a message begins with its number, which for
-- each connection are 1, 2, 3 and so on. What begins with `?` is a question or an order, see
-- load/counter.h. Prints `PORT n` and serves until it is ended.
-- usage: strobe ws_counter.lua
local async = require "strobe.async"
local ws = require "strobe.ws"

local DIGITS = 10
local PAUSE = 0.001 -- between broadcasts

local messages, sum, wrong = 0, 0, 0
local subscribers = {}
local orders = {}

--- How many messages came, the sum of their numbers, how many were not the next.
function orders.counts()
  return ("%d %d %d"):format(messages, sum, wrong)
end

--- Bytes of Lua's objects.
function orders.heap()
  collectgarbage()
  collectgarbage()
  return ("%d"):format(collectgarbage "count" * 1024)
end

function orders.subscribe(connection)
  subscribers[#subscribers + 1] = connection
  return "subscribed"
end

--- Sends so many messages of so many bytes to all who subscribed; how many were sent, and how
--- many skipped.
function orders.broadcast(_, count, size)
  local text, sent, skipped = ("b"):rep(size), 0, 0
  for _ = 1, count do
    local s, k = ws.broadcast(subscribers, text)
    sent, skipped = sent + s, skipped + k
    async.sleep(PAUSE)
  end
  subscribers = {}
  return ("%d %d"):format(sent, skipped)
end

local function obey(connection, order)
  local name, count, size = order:match "^%?(%l+) ?(%d*) ?(%d*)$"
  return orders[name](connection, tonumber(count), tonumber(size))
end

local function take(message, last)
  local number = tonumber(message:sub(1, DIGITS)) or 0
  messages, sum = messages + 1, sum + number
  if number ~= last + 1 then
    wrong = wrong + 1
  end
  return number
end

local function serve(connection)
  local last = 0
  for message, kind in connection:messages() do
    if kind == "binary" then
      connection:send_bytes(message)
    elseif message:byte() == 63 then -- ?
      connection:send(obey(connection, message))
    else
      last = take(message, last)
      connection:send(message)
    end
  end
end

local server = assert(ws.serve(serve, "127.0.0.1", 0))
print("PORT " .. server:port())
io.stdout:flush()
async.Event():wait()
