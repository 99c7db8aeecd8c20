--- Probing: whether a name is free, and who gets it when two ask at once.
--
-- Source: RFC 6762 sections 8.1 and 8.2.

local dns = require "strobe.discovery.dns"
local names = require "strobe.discovery.name"
local service = require "strobe.discovery.service"

local probe = {}

-- The records that nobody else may have.
local function unique(records)
  local list = {}
  for _, record in ipairs(records) do
    list[#list + 1] = record.flush and record or nil
  end
  return list
end

--- The question whether anybody has the names of some records, with what we would say.
---@param records strobe.dns.Record[]
---@return strobe.dns.Message
function probe.query(records)
  local message, asked = { questions = {}, authorities = {} }, {}
  for _, record in ipairs(unique(records)) do
    local key = names.key(record.name)
    if not asked[key] then
      asked[key] = true
      table.insert(message.questions, { name = record.name, type = "ANY" })
    end
    -- Without the flush bit. RFC 6762 section 10.2
    local claim = setmetatable({ flush = false }, { __index = record })
    table.insert(message.authorities, claim)
  end
  return message
end

--- Whether a record of somebody else's says that they have one of our names.
---@param ours strobe.dns.Record[][] our records, by interface
---@param theirs strobe.dns.Record
---@return boolean
function probe.contradicts(ours, theirs)
  local claimed = false
  for _, records in pairs(ours) do
    if service.find_same(records, theirs) then
      return false -- it is what we say ourselves, perhaps by another interface
    end
    for _, record in ipairs(records) do
      claimed = claimed or record.flush and record.type == theirs.type
        and names.key(record.name) == names.key(theirs.name)
    end
  end
  return claimed and theirs.ttl > 0
end

-- Class, type and data of the records of a name, in order.
local function claims(records, key)
  local list = {}
  for _, record in ipairs(records) do
    if names.key(record.name) == key and record.type ~= "PTR" then
      list[#list + 1] = string.pack(">I2I2", record.class or 1, dns.type_number(record.type)) .. dns.rdata(record)
    end
  end
  table.sort(list)
  return list
end

-- Below 0 when the first is earlier in the alphabet, 0 when they are equal.
local function compare(ours, theirs)
  for i = 1, math.max(#ours, #theirs) do
    if ours[i] ~= theirs[i] then
      return not ours[i] and -1 or theirs[i] and ours[i] < theirs[i] and -1 or 1
    end
  end
  return 0
end

--- Whether somebody who probes for our service's name at the same time is to have it. Its machine's name, which is
--- random, need not be looked at; and there two interfaces of ours on one network would disagree.
---@param records strobe.dns.Record[] ours
---@param authorities strobe.dns.Record[] what they would say
---@return boolean
function probe.loses(records, authorities)
  local key = names.key(records[1].name)
  local theirs = claims(authorities, key)
  return #theirs > 0 and compare(claims(records, key), theirs) < 0
end

return probe
