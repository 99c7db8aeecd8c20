--- A service: the records that say what and where it is, and what a querier makes of such records.
--
-- Source: RFC 6763 sections 4 to 9; times to live: RFC 6762 section 10.

local address = require "strobe.discovery.address"
local dns = require "strobe.discovery.dns"
local names = require "strobe.discovery.name"
local text = require "strobe.discovery.text"

local HOST_TTL, OTHER_TTL = 120, 4500 -- seconds: of what changes with an address, and of the rest
local ALL_TYPES = "_services._dns-sd._udp.local"

---@class strobe.discovery.Service what was found
---@field name string e.g. "iopin"
---@field type string e.g. "_strobe._tcp"
---@field host string the address to connect to
---@field port integer
---@field addresses string[] all of them, the best first
---@field text table<string, string|true> what it tells about itself; keys in lower case
---@field target? string its machine's name in multicast DNS
---@field interface? string the network interface by which it was found

local service = {}

-- Whom a server on `host` can be reached at by an interface; nothing when not at all.
local function addresses_on(interface, host)
  if host == "0.0.0.0" then
    return { interface.address }
  elseif host == "::" then
    return { interface.address, table.unpack(interface.ipv6) }
  end
  for _, list in ipairs { interface.ipv4, interface.ipv6 } do
    for _, own in ipairs(list) do
      if own == host then
        return { host }
      end
    end
  end
  -- 127.0.0.2 is on the loopback, which tells of 127.0.0.1 only.
  return interface.loopback and address.is_loopback(host) and { host } or {}
end

--- Whether a server on `host` can be reached by an interface.
---@param interface strobe.discovery.Interface
---@param host string address
---@return boolean
function service.reachable(interface, host)
  return #addresses_on(interface, host) > 0
end

local function address_records(found, target)
  local records = {}
  for _, own in ipairs(found) do
    if not address.is_link_local(own) then
      records[#records + 1] = { name = target, type = own:find(":", 1, true) and "AAAA" or "A", flush = true,
        ttl = HOST_TTL, address = own }
    end
  end
  return records
end

--- The records of a service on an interface: first those that are only its own.
---@param what {instance: string, type: string, port: integer, host: string, target: string, strings: string[]}
---@param interface strobe.discovery.Interface
---@return strobe.dns.Record[]? records nil when it cannot be reached there
function service.records(what, interface)
  local records = address_records(addresses_on(interface, what.host), what.target)
  if #records == 0 then
    return nil
  end
  local kind = what.type .. ".local"
  local instance = names.within(what.instance, kind)
  table.insert(records, 1, { name = instance, type = "SRV", flush = true, ttl = HOST_TTL, priority = 0, weight = 0,
    port = what.port, target = what.target })
  table.insert(records, 2, { name = instance, type = "TXT", flush = true, ttl = OTHER_TTL, strings = what.strings })
  table.insert(records, { name = kind, type = "PTR", ttl = OTHER_TTL, target = instance })
  table.insert(records, { name = ALL_TYPES, type = "PTR", ttl = OTHER_TTL, target = kind })
  return records
end

--- The records a reader of some records will ask for next. RFC 6763 section 12
---@param records strobe.dns.Record[] all of the service on an interface
---@param answers strobe.dns.Record[] those it gets
---@return strobe.dns.Record[]
function service.additional(records, answers)
  local given, wanted, found = {}, {}, {}
  for _, record in ipairs(answers) do
    given[record] = true
    wanted[names.key(record.target or "")] = true
  end
  for _, record in ipairs(records) do
    if not given[record] and (wanted[names.key(record.name)] or given[records[1]] and record.address
      or record.address and wanted[names.key(records[1].name)]) then
      found[#found + 1] = record
    end
  end
  return found
end

--- Another name, when somebody else has this one: "iopin", "iopin-2", "iopin-3". RFC 6763 appendix D
---@param instance string
---@return string
function service.rename(instance)
  local base, number = instance:match "^(.*)%-(%d%d?%d?%d?)$"
  local ending = number and ("-%d"):format(tonumber(number) + 1) or "-2"
  base = base or instance
  while #base + #ending > 63 do -- whole characters go
    base = base:sub(1, (utf8.offset(base, -1) or #base) - 1)
  end
  return base .. ending
end

-- IPv4 first; what leads nowhere without the name of an interface last.
local function rank(text_of_address)
  return address.is_link_local(text_of_address) and 3 or text_of_address:find(":", 1, true) and 2 or 1
end

local function addresses_of(cache, interface, target)
  local list = {}
  for _, kind in ipairs { "A", "AAAA" } do
    for _, entry in ipairs(cache:get(interface, target, kind)) do
      list[#list + 1] = entry.record.address
    end
  end
  table.sort(list, function(a, b)
    if rank(a) ~= rank(b) then
      return rank(a) < rank(b)
    end
    return a < b
  end)
  return list
end

--- What is missing of a service on an interface: questions.
---@param cache strobe.discovery.Cache
---@param interface integer
---@param instance string its full name
---@return strobe.dns.Question[]
function service.missing(cache, interface, instance)
  local located, told = cache:newest(interface, instance, "SRV"), cache:newest(interface, instance, "TXT")
  local questions = {}
  if not located then
    questions[1] = { name = instance, type = "SRV" }
  elseif #addresses_of(cache, interface, located.record.target) == 0 then
    questions[1] = { name = located.record.target, type = "A" }
    questions[2] = { name = located.record.target, type = "AAAA" }
  end
  if not told then
    table.insert(questions, { name = instance, type = "TXT" })
  end
  return questions
end

--- What the records of an interface say about a service; nil while something is missing.
---@param cache strobe.discovery.Cache
---@param interfaces strobe.discovery.Interface[]
---@param index integer
---@param instance string its full name
---@return strobe.discovery.Service?
function service.read(cache, interfaces, index, instance)
  local located, told = cache:newest(index, instance, "SRV"), cache:newest(index, instance, "TXT")
  local addresses = located and addresses_of(cache, index, located.record.target)
  if not told or not addresses or #addresses == 0 then
    return nil
  end
  return {
    name = names.first(instance),
    type = instance:match "(_[^.]+%._[^.]+)%.local$",
    host = addresses[1],
    port = located.record.port,
    addresses = addresses,
    text = text.values(told.record.strings),
    target = located.record.target,
    interface = interfaces[index].name,
  }
end

--- Whether a record is among some.
---@param records strobe.dns.Record[]
---@param wanted strobe.dns.Record
---@return strobe.dns.Record?
function service.find_same(records, wanted)
  for _, record in ipairs(records) do
    if dns.same(record, wanted) then
      return record
    end
  end
end

return service
