--- What was heard: records with the time when they were, and how long they are good for.
--
-- Each interface has its own, for the same name may have another address there (RFC 6762 section 14). There is
-- room for so many records; when it is full, those that would go first make room.
--
-- Source: RFC 6762 section 10 (goodbye: 10.1, cache flush: 10.2).

local dns = require "strobe.discovery.dns"
local names = require "strobe.discovery.name"

local MOST = 1024         -- records
local LONGEST = 24 * 3600 -- seconds that a record is kept, whatever it says
local GRACE = 1           -- seconds that one still lives after its goodbye
-- A task that waits until a record goes may wake a nanosecond early, for seconds are rounded.
local SLACK = 0.001

---@class strobe.discovery.Entry
---@field record strobe.dns.Record
---@field interface integer
---@field identity string its data
---@field received number seconds
---@field expires number seconds
---@field refreshes integer how often it was asked for again
---@field spread number from 0 to 1: spreads these questions

---@class strobe.discovery.Cache
---@field count integer
---@field private most integer
---@field private sets table<string, table<string, strobe.discovery.Entry>> by place, name and type, then by identity
local Cache = {}
Cache.__index = Cache
Cache.__name = "cache"

--- An empty one.
---@param random fun(): number from 0 to 1
---@param most? integer records (1024)
---@return strobe.discovery.Cache
function Cache.new(random, most)
  return setmetatable({ sets = {}, count = 0, most = most or MOST, random = random }, Cache)
end

local function key_of(interface, name, kind)
  return ("%d %s %s"):format(interface, kind, names.key(name))
end

-- Another record has come in their place: those which did not come with it go in a second.
local function flush(set, identity, now)
  for other, entry in pairs(set) do
    if other ~= identity and entry.received < now - GRACE then
      entry.expires = math.min(entry.expires, now + GRACE)
    end
  end
end

local function earliest(cache)
  local first
  for _, set in pairs(cache.sets) do
    for _, entry in pairs(set) do
      if not first or entry.expires < first.expires then
        first = entry
      end
    end
  end
  return first
end

local function remove(cache, gone)
  local key = key_of(gone.interface, gone.record.name, gone.record.type)
  local set = cache.sets[key]
  set[gone.identity] = nil
  if not next(set) then
    cache.sets[key] = nil
  end
  cache.count = cache.count - 1
end

local function insert(cache, key, entry)
  if cache.count >= cache.most then
    remove(cache, earliest(cache))
  end
  local set = cache.sets[key] or {}
  cache.sets[key], set[entry.identity] = set, entry
  cache.count = cache.count + 1
end

--- Takes a record that was heard.
---@param record strobe.dns.Record
---@param interface integer where
---@param now number seconds
function Cache:add(record, interface, now)
  local key, identity = key_of(interface, record.name, record.type), dns.identity(record)
  local set = self.sets[key] or {}
  if record.flush then
    flush(set, identity, now)
  end
  local known = set[identity]
  if record.ttl == 0 then
    if known then
      known.expires = math.min(known.expires, now + GRACE)
    end
    return
  end
  local entry = known or { interface = interface, identity = identity }
  entry.record, entry.received, entry.refreshes, entry.spread = record, now, 0, self.random()
  entry.expires = now + math.min(record.ttl, LONGEST)
  if not known then
    insert(self, key, entry)
  end
end

--- The records of a name and type, the newest first.
---@param interface integer
---@param name string
---@param kind string
---@return strobe.discovery.Entry[]
function Cache:get(interface, name, kind)
  local list = {}
  for _, entry in pairs(self.sets[key_of(interface, name, kind)] or list) do
    list[#list + 1] = entry
  end
  table.sort(list, function(a, b)
    if a.received ~= b.received then
      return a.received > b.received
    end
    return a.identity < b.identity
  end)
  return list
end

--- The newest record of a name and type.
---@param interface integer
---@param name string
---@param kind string
---@return strobe.discovery.Entry?
function Cache:newest(interface, name, kind)
  local newest
  for _, entry in pairs(self.sets[key_of(interface, name, kind)] or {}) do
    if not newest or entry.received > newest.received
      or entry.received == newest.received and entry.identity < newest.identity then
      newest = entry
    end
  end
  return newest
end

--- Forgets what is no longer good.
---@param now number seconds
---@return number? next when the next one goes
function Cache:expire(now)
  local gone, following = {}, nil
  for _, set in pairs(self.sets) do
    for _, entry in pairs(set) do
      if entry.expires <= now + SLACK then
        gone[#gone + 1] = entry
      elseif not following or entry.expires < following then
        following = entry.expires
      end
    end
  end
  for _, entry in ipairs(gone) do
    remove(self, entry)
  end
  return following
end

return Cache
