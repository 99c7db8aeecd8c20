--- A network in memory: links that hear what is sent to all, each from an address of its own.

local Deque = require "strobe.async.deque"
local async = require "strobe.async"
local dns = require "strobe.discovery.dns"
local lot = require "strobe.core.lot"

local ether = {}

---@class spec.Ether
---@field sent {at: number, from: string, to?: string, message: strobe.dns.Message, size: integer}[] all packets
local Ether = {}
Ether.__index = Ether

local Link = {}
Link.__index = Link

--- An empty network on which nothing takes time.
---@return spec.Ether
function ether.new()
  return setmetatable({ links = {}, sent = {} }, Ether)
end

local function note(network, bytes, from, to)
  table.insert(network.sent, { at = async.time(), from = from, to = to, message = assert(dns.decode(bytes)),
    size = #bytes })
end

local function deliver(link, bytes, address, port, interface)
  link.inbox:push { bytes, { address = address, port = port, interface = interface or 1, own = false } }
  link.arrival:wake(1)
end

--- A link on it.
---@param address string
---@return strobe.discovery.Link
function Ether:join(address)
  local link = setmetatable({ network = self, address = address, port = 5353, inbox = Deque.new(),
    arrival = lot.new "ether", interfaces = { { name = "ether", address = address, loopback = false,
      ipv4 = { address }, ipv6 = { "fe80::1", "2001:db8::1" } } } }, Link)
  table.insert(self.links, link)
  return link
end

--- Sends to all, as somebody who is not one of us.
---@param message strobe.dns.Message|string
---@param from? {address?: string, port?: integer, interface?: integer} by which it is heard
function Ether:say(message, from)
  local bytes = type(message) == "string" and message or dns.encode(message)
  for _, link in ipairs(self.links) do
    if not link.closed then
      deliver(link, bytes, from and from.address or "10.0.0.99", from and from.port or 5353,
        from and from.interface)
    end
  end
end

--- The packets that a link has sent since the last call.
---@param address? string default: all links
---@return table[]
function Ether:take(address)
  local list, rest = {}, {}
  for _, packet in ipairs(self.sent) do
    table.insert((not address or packet.from == address) and list or rest, packet)
  end
  self.sent = rest
  return list
end

function Link:multicast(bytes)
  if self.broken then
    return nil, "ether: EPERM: operation not permitted", "EPERM"
  end
  note(self.network, bytes, self.address)
  for _, link in ipairs(self.network.links) do
    if not link.closed and not link.deaf then
      deliver(link, bytes, self.address, self.port)
    end
  end
  return true
end

function Link:unicast(bytes, address, port)
  note(self.network, bytes, self.address, ("%s:%d"):format(address, port))
  for _, link in ipairs(self.network.links) do
    if not link.closed and link.address == address and port == link.port then
      deliver(link, bytes, self.address, self.port)
    end
  end
  return true
end

function Link:receive()
  while not self.closed do
    if self.inbox.count > 0 then
      return table.unpack(self.inbox:shift())
    end
    self.arrival:park()
  end
end

function Link:close()
  self.closed = true
  self.arrival:wake()
end

return ether
