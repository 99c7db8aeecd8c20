--- Peers for net.connect without a port, and so for all that connects by it: strobe.tectonic, asyncio's
-- open_connection, strobe.ws, sketches.
--
-- The keys are "host:port"; a * stands for anything. A peer is a function that gets the other end of the connection, in
-- a task of its own; the end is closed when that returns:
--
--   mock.net {
--     ["localhost:9001"] = function(stream) … end,
--     ["*:7"] = function(stream)
--       for bytes in stream.read, stream do if bytes == "" then break end stream:write(bytes) end
--     end,
--   }
--
-- With `faults` the line between the two is a bad one; see faults.lua.

local faults = require "strobe.testing.faults"
local net = require "strobe.net"
local pattern = require "strobe.testing.pattern"
local tasks = require "strobe.async.task"

---@class strobe.testing.NetMock
---@field connected string[] "host:port" of each connection, in order
---@field lines strobe.testing.Line[] of connections with faults
---@field private rules table[]
---@field private living table<strobe.Task, true>
local NetMock = {}
NetMock.__index = NetMock
NetMock.__name = "net mock"

local function rules_of(peers)
  local rules = {}
  for key, peer in pairs(peers) do
    if type(key) ~= "string" or not key:find "^%S+:[%d*]+$" then
      error(('mock.net: %q: a key as "host:port" expected'):format(tostring(key)), 3)
    elseif type(peer) ~= "function" then
      error(("mock.net: %q: a function expected, got %s"):format(key, type(peer)), 3)
    end
    rules[#rules + 1] = { key = key, pattern = pattern.of(key), peer = peer, precise = #key }
  end
  return pattern.sorted(rules)
end

local function connect(self, rule)
  local ours, theirs = net.pipe()
  local child = tasks.create_task(function()
    local open <close> = theirs -- luacheck: ignore
    rule.peer(theirs)
  end)
  child:set_name "mock peer"
  self.living[child] = true
  child:add_done_callback(function()
    self.living[child] = nil
    theirs:abort() -- it may have been cancelled before it began
  end)
  if self.faults then
    ours, self.lines[#self.lines + 1] = faults.faulty(ours, self.faults)
  end
  return ours
end

--- Ends it: cancels the peers, which closes what is connected to them. Twice is harmless.
---@async
function NetMock:close()
  self.pushed:close()
  local left = {}
  for child in pairs(self.living) do
    left[#left + 1] = child
  end
  for _, line in ipairs(self.lines) do
    line:cut()
    left[#left + 1] = line.task
  end
  tasks.cancel_and_wait(left)
end

NetMock.__close = NetMock.close

local mock_net = {}

--- Is the peer of what is connected to, until it is closed.
---@param peers table<string, fun(stream: strobe.Connection)>
---@param options? {faults?: strobe.testing.FaultyOptions}
---@return strobe.testing.NetMock a `<close>` value
function mock_net.open(peers, options)
  if type(peers) ~= "table" then
    error(("mock.net: a table of peers expected, got %s"):format(type(peers)), 2)
  end
  local self = setmetatable({
    connected = {}, lines = {}, rules = rules_of(peers), living = {}, faults = options and options.faults,
    pushed = false, -- its place: what is pushed must not be lost for want of memory
  }, NetMock)
  self.pushed = net.push_dialer(function(host, port)
    local place = ("%s:%d"):format(host, port)
    for _, rule in ipairs(self.rules) do
      if place:find(rule.pattern) then
        self.connected[#self.connected + 1] = place
        return connect(self, rule)
      end
    end
    return nil, ("mock.net has no peer for %s; it has %s"):format(place, pattern.keys(self.rules)), "ECONNREFUSED"
  end)
  return self
end

return mock_net
