--- The network interfaces of this machine, as far as multicast DNS needs them.

local address = require "strobe.discovery.address"
local uv = require "luv"

---@class strobe.discovery.Interface a network of this machine
---@field name string e.g. "lo"
---@field address string its first address of IPv4
---@field loopback boolean
---@field ipv4 string[]
---@field ipv6 string[]
---@field networks {address: string, netmask: string}[]

local interface = {}

local MOST = 16

local function new(name, entries)
  local found = { name = name, loopback = false, ipv4 = {}, ipv6 = {}, networks = {} }
  for _, entry in ipairs(entries) do
    local list = entry.family == "inet" and found.ipv4 or found.ipv6
    list[#list + 1] = entry.ip
    found.loopback = found.loopback or entry.internal
    if entry.family == "inet" then
      table.insert(found.networks, { address = entry.ip, netmask = entry.netmask })
    end
  end
  found.address = found.ipv4[1]
  return found
end

--- All that are up and have an address of IPv4: the loopback first, then by name.
---@return strobe.discovery.Interface[]
function interface.all()
  local list = {}
  for name, entries in pairs(uv.interface_addresses() or {}) do
    local found = new(name, entries)
    list[#list + 1] = found.address and found or nil
  end
  table.sort(list, function(a, b)
    if a.loopback ~= b.loopback then
      return a.loopback
    end
    return a.name < b.name
  end)
  return table.move(list, 1, MOST, 1, {})
end

local function has(found, wanted)
  if found.name == wanted then
    return true
  end
  for _, list in ipairs { found.ipv4, found.ipv6 } do
    for _, own in ipairs(list) do
      if own == wanted then
        return true
      end
    end
  end
  return false
end

--- Those of a list that have one of the names or addresses.
---@param list strobe.discovery.Interface[]
---@param wanted string[]
---@return strobe.discovery.Interface[]
function interface.among(list, wanted)
  local kept = {}
  for _, found in ipairs(list) do
    for _, word in ipairs(wanted) do
      if has(found, word) then
        kept[#kept + 1] = found
        break
      end
    end
  end
  return kept
end

local function in_network(found, source)
  for _, network in ipairs(found.networks) do
    if address.together(network.address, source, network.netmask) then
      return true
    end
  end
  return false
end

--- Which of them a packet has come by, told from its source: only a neighbour's counts. RFC 6762 section 11
---@param list strobe.discovery.Interface[]
---@param source string address
---@return integer? index
function interface.of(list, source)
  for index, found in ipairs(list) do
    if in_network(found, source) then
      return index
    end
  end
end

--- Whether an address is one of this machine's.
---@param list strobe.discovery.Interface[]
---@param source string
---@return boolean
function interface.is_own(list, source)
  if address.is_loopback(source) then
    return true
  end
  for _, found in ipairs(list) do
    if has(found, source) then
      return true
    end
  end
  return false
end

return interface
