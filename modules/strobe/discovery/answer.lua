--- Answers: what a responder says to a query, to whom and when.
--
-- Records wait in `due` until their time, so that one packet carries what several questions asked for, and so that
-- what another responder says meanwhile need not be said again. What was told to all a second ago is not told
-- again (RFC 6762 section 6), and what is sent to single askers is limited, for their address may be forged.
--
-- Source: RFC 6762 sections 5.4, 6, 6.7, 7.1, 7.2 and 7.4.

local dns = require "strobe.discovery.dns"
local names = require "strobe.discovery.name"
local service = require "strobe.discovery.service"

local PAUSE, PROBE_PAUSE = 1, 0.25 -- seconds between two multicasts of a record
local LEGACY_TTL = 10              -- seconds
local MOST_UNICAST = 50            -- packets a second
-- Timers and their rounding must not make a second too short.
local SLACK = 0.001

---@class strobe.discovery.Answers
---@field private link strobe.discovery.Link
---@field private records strobe.dns.Record[][] by interface
---@field private random fun(least: number, most: number): number
---@field private due table<strobe.dns.Record, number>[] by interface: when a record is to be told to all
---@field private told table<strobe.dns.Record, number>[] by interface: when it was
---@field private asked table<string, strobe.dns.Record[]> by source: what is due for one that has more to say
local Answers = {}
Answers.__index = Answers
Answers.__name = "answers"

local function tables(records)
  local list = {}
  for interface in pairs(records) do
    list[interface] = {}
  end
  return list
end

--- For the records of a service.
---@param link strobe.discovery.Link
---@param records strobe.dns.Record[][] by interface
---@param random fun(least: number, most: number): number
---@return strobe.discovery.Answers
function Answers.new(link, records, random)
  return setmetatable({ link = link, records = records, random = random, due = tables(records),
    told = tables(records), asked = {}, second = 0, unicasts = 0 }, Answers)
end

local function fits(question, record)
  return not question.class and (question.type == "ANY" or question.type == record.type)
    and names.key(question.name) == names.key(record.name)
end

-- Whether the asker knows it, and for long enough. RFC 6762 section 7.1
local function is_known(query, record)
  local known = service.find_same(query.answers, record)
  return known ~= nil and known.ttl >= record.ttl / 2
end

-- The records asked for, and of each question that one answer may be sent to the asker alone.
local function matching(records, query)
  local list, alone = {}, {}
  for _, record in ipairs(records) do
    for _, question in ipairs(query.questions) do
      if fits(question, record) and not is_known(query, record) then
        list[#list + 1] = record
        alone[record] = question.unicast or nil
        break
      end
    end
  end
  return list, alone
end

local function may_unicast(answers, now)
  if now - answers.second >= 1 then
    answers.second, answers.unicasts = now, 0
  end
  answers.unicasts = answers.unicasts + 1
  return answers.unicasts <= MOST_UNICAST
end

local function respond(answers, interface, list)
  return {
    response = true, authoritative = true, answers = list,
    additionals = service.additional(answers.records[interface], list),
  }
end

-- The same for one who speaks no multicast DNS, and would keep things for too long. RFC 6762 section 6.7
local function legacy(answers, query, from, list)
  local message = respond(answers, from.interface, list)
  message.id, message.questions = query.id, {}
  for i, question in ipairs(query.questions) do
    message.questions[i] = { name = question.name, type = question.type }
  end
  for _, section in ipairs { "answers", "additionals" } do
    for i, record in ipairs(message[section]) do
      message[section][i] = setmetatable({ flush = false, ttl = math.min(record.ttl, LEGACY_TTL) },
        { __index = record })
    end
  end
  return dns.encode(message, true)
end

-- A sole owner answers at once; others may have more to say, so their answers are spread.
local function delay_of(answers, query, list)
  if query.truncated then
    return answers.random(0.4, 0.5)
  end
  for _, record in ipairs(list) do
    if not record.flush then
      return answers.random(0.02, 0.12)
    end
  end
  return 0
end

local function schedule(answers, interface, list, at)
  local due, told = answers.due[interface], answers.told[interface]
  for _, record in ipairs(list) do
    if at - (told[record] or -math.huge) >= PAUSE - SLACK then
      due[record] = math.min(due[record] or at, at)
    end
  end
end

-- Whoever probes decides soon whether the name is free: it is told as soon as that may be. RFC 6762 section 6
local function defend(answers, interface, list, now)
  local due, told = answers.due[interface], answers.told[interface]
  for _, record in ipairs(list) do
    local at = math.max(now, (told[record] or -math.huge) + PROBE_PAUSE)
    due[record] = math.min(due[record] or at, at)
  end
end

-- Those answers that go to the asker alone: it wants that, and all were told not long ago. RFC 6762 section 5.4.
-- On our own machine a packet to the port reaches only one of those who share it.
local function for_one(answers, list, alone, from, now)
  local single, rest = {}, {}
  for _, record in ipairs(list) do
    local told = answers.told[from.interface][record]
    local recent = told and now - told < record.ttl / 4
    table.insert(alone[record] and recent and not from.own and single or rest, record)
  end
  return single, rest
end

-- What a querier that has more to say knows already. RFC 6762 section 7.2
local function take_back(answers, query, from)
  for _, record in ipairs(answers.asked[from.address] or {}) do
    if is_known(query, record) then
      answers.due[from.interface][record] = nil
    end
  end
end

--- Takes a query.
---@param query strobe.dns.Message
---@param from strobe.discovery.From
---@param now number seconds
function Answers:query(query, from, now)
  local records = self.records[from.interface]
  if not records then
    return
  elseif #query.questions == 0 then
    return take_back(self, query, from)
  end
  local list, alone = matching(records, query)
  if #list == 0 then
    return
  elseif from.port ~= self.link.port then
    if may_unicast(self, now) then
      self.link:unicast(legacy(self, query, from, list), from.address, from.port)
    end
    return
  end
  local single, rest = for_one(self, list, alone, from, now)
  if #single > 0 and may_unicast(self, now) then
    self.link:unicast(dns.encode(respond(self, from.interface, single)), from.address, from.port)
  end
  self.asked = query.truncated and { [from.address] = rest } or {}
  if #query.authorities > 0 then
    defend(self, from.interface, rest, now)
  else
    schedule(self, from.interface, rest, now + delay_of(self, query, rest))
  end
end

--- Takes what another responder has said: it need not be said again. RFC 6762 section 7.4
---@param response strobe.dns.Message
---@param from strobe.discovery.From
function Answers:response(response, from)
  local due = self.due[from.interface]
  for record in pairs(due or {}) do
    local said = service.find_same(response.answers, record)
    if said and said.ttl >= record.ttl then
      due[record] = nil
    end
  end
end

--- Tells all about everything, or with `goodbye` that it is over.
---@param now number seconds
---@param goodbye? boolean
---@return boolean? sent on one interface at least
---@return string? message
---@return string? code
function Answers:announce(now, goodbye)
  local sent, message, code
  for interface, records in pairs(self.records) do
    local list = {}
    for _, record in ipairs(records) do
      -- That there are services of this type may still be true.
      if not goodbye then
        list[#list + 1] = record
        self.told[interface][record] = now
      elseif record ~= records[#records] then
        list[#list + 1] = setmetatable({ ttl = 0 }, { __index = record })
      end
    end
    local ok
    ok, message, code = self.link:multicast(dns.encode { response = true, authoritative = true, answers = list },
      interface)
    sent = sent or ok
  end
  return sent, message, code
end

local function take_due(answers, interface, now)
  local list, following = {}, nil
  for _, record in ipairs(answers.records[interface]) do
    local at = answers.due[interface][record]
    if at and at <= now + SLACK then
      list[#list + 1] = record
      answers.due[interface][record], answers.told[interface][record] = nil, now
    elseif at then
      following = math.min(following or at, at)
    end
  end
  return list, following
end

--- Sends what is due.
---@param now number seconds
---@return number? next when more is
function Answers:flush(now)
  local following
  for interface in pairs(self.records) do
    local list, at = take_due(self, interface, now)
    following = at and math.min(following or at, at) or following
    if #list > 0 then
      self.link:multicast(dns.encode(respond(self, interface, list)), interface)
    end
  end
  return following
end

return Answers
