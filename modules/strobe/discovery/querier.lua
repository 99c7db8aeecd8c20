--- A querier: asks for services, remembers what it hears, and knows which there are.
--
-- `goal` is what is looked for: all services of a type, or one by its name. What changes about them is told by
-- `next`: a service and "added", "updated" or "removed".
--
-- Source: RFC 6762 sections 5.2, 10 and 11; RFC 6763 section 4.

local Cache = require "strobe.discovery.cache"
local Deque = require "strobe.async.deque"
local Event = require("strobe.async.event").Event
local Questions = require "strobe.discovery.question"
local dns = require "strobe.discovery.dns"
local lot = require "strobe.core.lot"
local names = require "strobe.discovery.name"
local service = require "strobe.discovery.service"
local shallow = require "strobe.shallow"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"

local MOST_SERVICES = 256
local MANY, REST = 64, 0.0002 -- with many records it looks at them less often: seconds for each

---@class strobe.discovery.Querier
---@field private link strobe.discovery.Link
---@field private goal {type?: string, instance?: string} full names
---@field private cache strobe.discovery.Cache
---@field private known table<string, strobe.discovery.Service> by the key of their full name
local Querier = {}
Querier.__index = Querier
Querier.__name = "querier"

local EMPTY = {}

-- The full names of the services there may be on an interface.
local function instances_on(self, interface)
  if self.goal.instance then
    return { self.goal.instance }
  end
  local list = {}
  for _, entry in ipairs(self.cache:get(interface, self.goal.type, "PTR")) do
    if #list < MOST_SERVICES and names.key(entry.record.target):find("." .. names.key(self.goal.type), 2, true) then
      list[#list + 1] = entry.record.target
    end
  end
  return list
end

-- Two interfaces know of the same service: the first one's view, with all addresses.
local function merge(first, second)
  for _, address in ipairs(second.addresses) do
    local known = false
    for _, other in ipairs(first.addresses) do
      known = known or other == address
    end
    if not known then
      table.insert(first.addresses, address)
    end
  end
end

-- All that are there, by the keys of their names. The loopback, which is first, comes first.
local function read_all(self)
  local found = {}
  for index in ipairs(self.link.interfaces) do
    for _, instance in ipairs(instances_on(self, index)) do
      local seen, key = service.read(self.cache, self.link.interfaces, index, instance), names.key(instance)
      if seen and found[key] then
        merge(found[key], seen)
      elseif seen then
        found[key] = seen
      end
    end
  end
  return found
end

local function same_service(a, b)
  return a.port == b.port and a.target == b.target and a.interface == b.interface
    and table.concat(a.addresses, " ") == table.concat(b.addresses, " ") and shallow.equal(a.text, b.text)
end

local function tell(self, seen, event)
  self.events:push { seen, event }
  self.arrival:wake(1)
end

-- Events about what has changed, in the order of the names.
local function compare(self)
  local found, keys = read_all(self), {}
  for key in pairs(found) do
    keys[#keys + 1] = key
  end
  for key in pairs(self.known) do
    keys[#keys + 1] = not found[key] and key or nil
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local before, now = self.known[key], found[key]
    if not before then
      tell(self, now, "added")
    elseif not now then
      tell(self, before, "removed")
    elseif not same_service(before, now) then
      tell(self, now, "updated")
    end
  end
  self.known = found
end

-- A listener that is slow learns the latest state, not each step: a service whose last event waits gets no second.
local function keep_events_few(self)
  if self.events.count <= 4 * MOST_SERVICES then
    return
  end
  local latest, order = {}, {}
  while self.events.count > 0 do
    local event = self.events:shift()
    local key = names.key(event[1].name)
    if not latest[key] then
      order[#order + 1] = key
    end
    latest[key] = event
  end
  for _, key in ipairs(order) do
    self.events:push(latest[key])
  end
end

local function take_records(self, message, interface, now)
  for _, section in ipairs { message.answers, message.additionals } do
    for _, record in ipairs(section) do
      if not record.class and type(record.type) == "string" then
        self.cache:add(record, interface, now)
      end
    end
  end
end

-- Takes packets, for ever.
local function hear(self)
  for bytes, from in self.link.receive, self.link do
    local message = dns.decode(bytes)
    if message and message.response and message.opcode == 0 and message.rcode == 0
      and from.port == self.link.port then
      take_records(self, message, from.interface, time.now())
      self.heard:set()
    end
    time.sleep(0) -- a flood must not hold up the others
  end
end

-- What is to be asked, as far as it is known, and the entries that are to be kept.
local function wanted(self)
  local questions, entries = {}, {}
  if self.goal.type then
    questions[1] = { name = self.goal.type, type = "PTR" }
  end
  for index in ipairs(self.link.interfaces) do
    table.move(self.goal.type and self.cache:get(index, self.goal.type, "PTR") or EMPTY, 1, MOST_SERVICES,
      #entries + 1, entries)
    for _, instance in ipairs(instances_on(self, index)) do
      -- Complete on one interface, it need not be on the others.
      if not self.known[names.key(instance)] then
        local missing = service.missing(self.cache, index, instance)
        table.move(missing, 1, #missing, #questions + 1, questions)
      end
      for _, kind in ipairs { "SRV", "TXT" } do
        entries[#entries + 1] = self.cache:newest(index, instance, kind)
      end
      local located = self.cache:newest(index, instance, "SRV")
      for _, kind in ipairs(located and { "A", "AAAA" } or EMPTY) do
        local list = self.cache:get(index, located.record.target, kind)
        table.move(list, 1, #list, #entries + 1, entries)
      end
    end
  end
  return questions, entries
end

-- Asks on all interfaces; fails when it can on none.
local function ask(self, questions, now)
  local sent, message, code
  for index in ipairs(self.link.interfaces) do
    for _, bytes in ipairs(Questions.packets(questions, self.cache, index, now)) do
      local ok
      ok, message, code = self.link:multicast(bytes, index)
      sent = sent or ok
    end
  end
  if not sent and not self.asked then
    self.failure = { message, code }
    self.arrival:wake()
  end
  self.asked = self.asked or sent
end

-- Asks what is due, for ever.
local function inquire(self)
  local questions, first = Questions.new(), time.now() + self.delay
  while true do
    local now = time.now()
    self.heard:clear()
    local expires = self.cache:expire(now)
    compare(self)
    keep_events_few(self)
    local missing, entries = wanted(self)
    questions:want(missing, math.max(now, first))
    local due, at = questions:take_due(now, entries)
    if #due > 0 then
      ask(self, due, now)
    end
    at = math.min(at or math.huge, expires or math.huge)
    timeouts.move_on_after(at < math.huge and at - now or nil, self.heard.wait, self.heard)
    if self.cache.count > MANY then
      time.sleep(self.cache.count * REST) -- a flood is looked at as a whole
    end
  end
end

--- Begins to ask on a link, which it closes in the end.
---@param link strobe.discovery.Link
---@param goal {type?: string, instance?: string} full names
---@param random fun(least: number, most: number): number
---@param delay? number seconds before the first question (0)
---@return strobe.discovery.Querier
function Querier.open(link, goal, random, delay)
  local self = setmetatable({
    link = link, goal = goal, delay = delay or 0, known = {}, events = Deque.new(), heard = Event(),
    arrival = lot.new "a service",
    cache = Cache.new(function()
      return random(0, 1)
    end),
  }, Querier)
  self.tasks = { tasks.create_task(hear, self), tasks.create_task(inquire, self) }
  return self
end

--- What happens next; waits for it.
---@async
---@return strobe.discovery.Service? service nil when it cannot ask at all
---@return "added"|"updated"|"removed"|string event or why it cannot
---@return string? code
function Querier:next()
  while self.events.count == 0 do
    if self.failure then
      return nil, self.failure[1], self.failure[2]
    end
    self.arrival:park()
  end
  local event = self.events:shift()
  return event[1], event[2]
end

--- Ends it. Twice is harmless.
---@async
function Querier:close()
  tasks.cancel_and_wait(self.tasks)
  self.link:close()
end

Querier.__close = Querier.close

return Querier
