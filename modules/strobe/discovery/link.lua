--- The link of multicast DNS: packets by UDP to all on a network, or to one.
--
-- One socket takes part on every interface. It shares its port with the others of this machine (avahi, another
-- strobe), all of which get what is sent to all; what is sent to one program of a machine that has several
-- reaches only one of them, so nobody here asks for that.
--
-- Whoever has the methods of a link may stand in for it, such as one in memory.
--
-- Source: RFC 6762 sections 3, 11 and 15.

local Deque = require "strobe.async.deque"
local interfaces = require "strobe.discovery.interface"
local lot = require "strobe.core.lot"
local uv = require "luv"

local MOST_WAITING = 256 -- packets
local MOST_SIZE = 9000   -- bytes of one
local TTL = 255          -- hops

---@class strobe.discovery.From
---@field address string
---@field port integer
---@field interface integer index of the interface by which it came
---@field own boolean whether from this machine

---@class strobe.discovery.Link
---@field interfaces strobe.discovery.Interface[]
---@field port integer
---@field private udp userdata
---@field private inbox {packets: table, arrival: userdata, dropped: integer, closed?: boolean}
local Link = {}
Link.__index = Link
Link.__name = "multicast link"

-- The callback knows the inbox only, so that a link that nobody has any more can be collected.
local function hear(udp, inbox)
  return udp:recv_start(function(_, data, peer, flags)
    if not data or not peer or #data > MOST_SIZE or flags and flags.partial then
      return
    elseif inbox.packets.count >= MOST_WAITING then
      inbox.packets:shift()
      inbox.dropped = inbox.dropped + 1
    end
    inbox.packets:push { data, peer.ip, peer.port }
    inbox.arrival:wake(1)
  end)
end

-- Joins the group on each interface; those on which it can, and the last failure.
local function join(udp, group, list)
  local joined, failure, failure_code = {}, "no interface is up", "ENODEV"
  for _, interface in ipairs(list) do
    local ok, message, code = udp:set_membership(group, interface.address, "join")
    if ok then
      joined[#joined + 1] = interface
    else
      failure, failure_code = ("%s: %s"):format(interface.name, message), code
    end
  end
  return joined, failure, failure_code
end

local function set_up(udp, options)
  local ok, message, code = udp:bind("0.0.0.0", options.port, { reuseaddr = true })
  if ok then
    ok, message, code = udp:set_multicast_ttl(TTL)
  end
  if ok then
    udp:set_ttl(TTL)
    ok, message, code = udp:set_multicast_loop(true)
  end
  return ok, message, code
end

--- Takes part in a group.
---@package
---@param options {group: string, port: integer, interfaces: strobe.discovery.Interface[]}
---@return strobe.discovery.Link?
---@return string? message
---@return string? code "ENODEV", "EPERM", "EADDRINUSE", …
function Link.open(options)
  local udp, message, code = uv.new_udp "inet"
  if not udp then
    return nil, message, code
  end
  local inbox = { packets = Deque.new(), arrival = lot.new "a packet by multicast", dropped = 0 }
  local link = setmetatable({ udp = udp, inbox = inbox, group = options.group, all = interfaces.all() }, Link)
  local ok
  ok, message, code = set_up(udp, options)
  if ok then
    link.interfaces, message, code = join(udp, options.group, options.interfaces)
    ok = #link.interfaces > 0
  end
  if ok then
    link.port = udp:getsockname().port
    ok, message, code = hear(udp, inbox)
  end
  if not ok then
    link:close()
    return nil, message, code
  end
  return link
end

--- Sends to all on an interface.
---@param bytes string
---@param interface integer
---@return true?
---@return string? message
---@return string? code "ENETUNREACH", "EPERM", …
function Link:multicast(bytes, interface)
  if self.inbox.closed then
    return nil, "the link is closed", "ECANCELED"
  end
  local ok, message, code = self.udp:set_multicast_interface(self.interfaces[interface].address)
  if ok then
    -- At once: a send that is queued would go by the interface that is set when its turn has come.
    ok, message, code = self.udp:try_send(bytes, self.group, self.port)
  end
  if not ok then
    return nil, ("%s: %s"):format(self.interfaces[interface].name, message), code
  end
  return true
end

--- Sends to one.
---@param bytes string
---@param address string
---@param port integer
---@return true?
---@return string? message
---@return string? code
function Link:unicast(bytes, address, port)
  if self.inbox.closed then
    return nil, "the link is closed", "ECANCELED"
  end
  local ok, message, code = self.udp:try_send(bytes, address, port)
  return ok and true, message, code
end

-- A packet with where it came from; nothing when that is no neighbour on one of our interfaces.
local function sorted(link, packet)
  local data, source, port = table.unpack(packet)
  local index = interfaces.of(link.all, source)
  for i, interface in ipairs(index and link.interfaces or {}) do
    if interface.name == link.all[index].name then
      return data, { address = source, port = port, interface = i, own = interfaces.is_own(link.all, source) }
    end
  end
end

--- The next packet; waits for one.
---@async
---@return string? bytes nil when the link is closed
---@return strobe.discovery.From? from
function Link:receive()
  local inbox = self.inbox
  while not inbox.closed do
    if inbox.packets.count == 0 then
      inbox.arrival:park()
    else
      local data, from = sorted(self, inbox.packets:shift())
      if data then
        return data, from
      end
    end
  end
end

--- How many packets were dropped, the oldest first, because they came faster than they were taken.
---@return integer
function Link:dropped()
  return self.inbox.dropped
end

--- Closes it. Twice is harmless.
function Link:close()
  self.inbox.closed = true
  self.inbox.arrival:wake()
  if not self.udp:is_closing() then
    self.udp:close()
  end
end

Link.__close = Link.close
Link.__gc = Link.close

return Link
