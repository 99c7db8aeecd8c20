--- Peers for strobe.ws without a port.
--
-- The keys are URIs, or their paths only; a * stands for anything. A peer is a handler, as ws.serve has them, or a
-- list of messages which it sends before it waits for the client to close:
--
--   mock.ws {
--     ["wss://feed.example/ticks"] = { "tick 1", "tick 2" },
--     ["/echo"] = function(ws)
--       for message in ws:messages() do ws:send(message) end
--     end,
--   }
--
-- The client's handshake, frames and closing are the real ones, over a pipe in memory.

local dial = require "strobe.ws.dial"
local net = require "strobe.net"
local pattern = require "strobe.testing.pattern"
local server = require "strobe.http.server"
local tasks = require "strobe.async.task"
local upgrade = require "strobe.ws.upgrade"

---@class strobe.testing.WsMock peers while it is open; a `<close>` value
---@field connected string[] the URIs that were connected to, in order
---@field private rules table[]
---@field private options strobe.ws.UpgradeOptions
---@field private living table<strobe.Task, true>
local WsMock = {}
WsMock.__index = WsMock
WsMock.__name = "ws mock"

-- A handler that sends a list.
local function sender(messages)
  return function(connection)
    for _, message in ipairs(messages) do
      if not connection:send(message) then
        return
      end
    end
    connection:wait_closed()
  end
end

local function rules_of(peers)
  local rules = {}
  for key, peer in pairs(peers) do
    if type(key) ~= "string" or not (key:find "^/" or key:find "^wss?://" or key:find "^%*") then
      error(('mock.ws: %q: a key as "ws://host/path" or "/path" expected'):format(tostring(key)), 3)
    elseif type(peer) ~= "function" and type(peer) ~= "table" then
      error(("mock.ws: %q: a handler or a list of messages expected, got %s"):format(key, type(peer)), 3)
    end
    rules[#rules + 1] = {
      key = key, pattern = pattern.of(key), by_path = key:sub(1, 1) == "/",
      handler = type(peer) == "table" and sender(peer) or peer, precise = #key,
    }
  end
  return pattern.sorted(rules)
end

local function find(rules, uri)
  local path = uri.target:match "^[^?]*"
  local whole = ("%s://%s%s"):format(uri.secure and "wss" or "ws", uri.authority, path)
  for _, rule in ipairs(rules) do
    if (rule.by_path and path or whole):find(rule.pattern) then
      return rule, whole
    end
  end
  return nil, whole
end

-- A pipe, whose other end the peer serves in a task.
local function connect(self, rule)
  local ours, theirs = net.pipe()
  local child = tasks.create_task(function()
    return server.serve_stream(function(request)
      return upgrade.upgrade(request, rule.handler, self.options)
    end, theirs)
  end)
  child:set_name "mock websocket"
  self.living[child] = true
  child:add_done_callback(function()
    self.living[child] = nil
    pcall(theirs.abort, theirs) -- it never began, or failed; raises when the WebSocket had it
  end)
  return ours
end

--- Ends it, with what is connected to it: those are closed with 1001.
---@async
function WsMock:close()
  self.pushed:close()
  local left = {}
  for child in pairs(self.living) do
    left[#left + 1] = child
    child:cancel()
  end
  if #left > 0 then
    tasks.wait(left)
  end
end

WsMock.__close = function(self)
  self:close()
end

local mock_ws = {}

--- Is the peer of what strobe.ws connects to, until it is closed.
---@param peers table<string, string[]|fun(ws: strobe.ws.Connection)>
---@param options? strobe.ws.UpgradeOptions of the peers: subprotocols, compression, …
---@return strobe.testing.WsMock a `<close>` value
function mock_ws.open(peers, options)
  if type(peers) ~= "table" then
    error(("mock.ws: a table of peers expected, got %s"):format(type(peers)), 2)
  end
  local self = setmetatable({
    connected = {}, rules = rules_of(peers), options = options or {}, living = {},
    pushed = false, -- its place: what is pushed must not be lost for want of memory
  }, WsMock)
  self.pushed = dial.push(function(uri)
    local rule, whole = find(self.rules, uri)
    if not rule then
      return nil, ("mock.ws has no peer for %s; it has %s"):format(whole, pattern.keys(self.rules)), "ECONNREFUSED"
    end
    self.connected[#self.connected + 1] = whole
    return connect(self, rule)
  end)
  return self
end

return mock_ws
