-- A chat room: what one says, all hear. A server with a task for each connection, three guests,
-- and a broadcast, which encodes the message once and waits for nobody.
-- Run it: strobe examples/chat.lua, or in no time at all: strobe --clock=virtual …

local async = require "strobe.async"
local ws = require "strobe.ws"

local room -- the server

local function welcome(guest)
  local name = guest:recv() -- the first message is the guest's name
  ws.broadcast(room:connections(), name .. " is here")
  for text in guest:messages() do
    ws.broadcast(room:connections(), name .. ": " .. text)
  end
  ws.broadcast(room:connections(), name .. " has left")
end

-- Comes in after a while, says something every second, and leaves.
local function guest(name, after, words)
  async.sleep(after)
  local chat <close> = assert(ws.connect(("ws://127.0.0.1:%d/"):format(room:port())))
  local listening = async.create_task(function()
    for text in chat:messages() do
      print(("%-4s hears  %s"):format(name, text))
    end
  end)
  chat:send(name)
  for word in words:gmatch "%S+" do
    async.sleep(1)
    chat:send(word)
  end
  async.sleep(1)
  chat:close()
  listening:await()
end

room = assert(ws.serve(welcome, "127.0.0.1", 0))
async.gather(
  async.create_task(guest, "Ada", 0, "hello anybody?"),
  async.create_task(guest, "Bob", 1.5, "yes!"),
  async.create_task(guest, "Eve", 10, "echo")
)
room:close()
