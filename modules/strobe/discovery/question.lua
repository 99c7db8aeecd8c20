--- Questions: when to ask what, again and again but ever more seldom.
--
-- Source: RFC 6762 sections 5.2 (how often; at 80, 85, 90 and 95 % of a record's time to live) and 7.1 and 7.2 (the
-- answers already known go with the question).

local dns = require "strobe.discovery.dns"
local names = require "strobe.discovery.name"

local FIRST, FACTOR, LONGEST = 1, 2, 3600 -- seconds between two questions
local MOST_REFRESHES = 4
local MOST_PACKET = 1200 -- bytes, more or less: fits in every network's frame
local SLACK = 0.001

---@class strobe.discovery.Questions
---@field private open table<string, {question: strobe.dns.Question, at: number, pause: number}>
local Questions = {}
Questions.__index = Questions
Questions.__name = "questions"

--- None yet.
---@return strobe.discovery.Questions
function Questions.new()
  return setmetatable({ open = {} }, Questions)
end

local function key_of(question)
  return ("%s %s"):format(question.type, names.key(question.name))
end

--- What is to be asked from now on; the others are given up.
---@param wanted strobe.dns.Question[]
---@param at number seconds: when those that are new begin
function Questions:want(wanted, at)
  local open = {}
  for _, question in ipairs(wanted) do
    local key = key_of(question)
    open[key] = open[key] or self.open[key] or { question = question, at = at, pause = FIRST }
  end
  self.open = open
end

-- When a record is to be asked for again; nil when it was, often enough.
local function refresh_at(entry)
  if entry.refreshes < MOST_REFRESHES then
    local share = 0.80 + 0.05 * entry.refreshes + 0.02 * entry.spread
    return entry.received + (entry.expires - entry.received) * share
  end
end

local function earlier(a, b)
  return a and b and math.min(a, b) or a or b
end

--- Takes those that are due.
---@param now number seconds
---@param entries strobe.discovery.Entry[] what must not be forgotten
---@return strobe.dns.Question[]
---@return number? next when there are more
function Questions:take_due(now, entries)
  local due, following = {}, nil
  for key, asked in pairs(self.open) do
    if asked.at <= now + SLACK then
      due[key] = asked.question
      asked.at, asked.pause = now + asked.pause, math.min(asked.pause * FACTOR, LONGEST)
    end
    following = earlier(following, asked.at)
  end
  for _, entry in ipairs(entries) do
    local at = refresh_at(entry)
    if at and at <= now + SLACK then
      due[key_of(entry.record)] = { name = entry.record.name, type = entry.record.type }
      repeat
        entry.refreshes = entry.refreshes + 1
        at = refresh_at(entry)
      until not at or at > now
    end
    following = earlier(following, at)
  end
  local list = {}
  for _, question in pairs(due) do
    list[#list + 1] = question
  end
  return list, following
end

-- What is known of a question's answer: shared records that are good for long enough.
local function known_answers(cache, interface, question, now)
  local list = {}
  for _, entry in ipairs(question.type == "PTR" and cache:get(interface, question.name, "PTR") or {}) do
    local left = math.floor(entry.expires - now)
    if left > entry.record.ttl / 2 then
      list[#list + 1] = setmetatable({ ttl = left, flush = false }, { __index = entry.record })
    end
  end
  return list
end

-- A rough upper limit, without compression.
local function size_of(item)
  return #item.name + 12 + (item.target and #item.target + 2 or 0)
end

local function new_packet(packets)
  local packet = { questions = {}, answers = {} }
  packets[#packets + 1] = packet
  return packet, 12
end

--- The packets that ask questions on an interface.
---@param questions strobe.dns.Question[]
---@param cache strobe.discovery.Cache
---@param interface integer
---@param now number seconds
---@return string[]
function Questions.packets(questions, cache, interface, now)
  local packets, bytes = {}, {}
  local packet, size
  local function put(section, item)
    if not packet or size + size_of(item) > MOST_PACKET then
      -- More answers that are known follow.
      if packet and section == "answers" then
        packet.truncated = true
      end
      packet, size = new_packet(packets)
    end
    table.insert(packet[section], item)
    size = size + size_of(item)
  end
  for _, question in ipairs(questions) do
    put("questions", question)
  end
  for _, question in ipairs(questions) do
    for _, record in ipairs(known_answers(cache, interface, question, now)) do
      put("answers", record)
    end
  end
  for i, one in ipairs(packets) do
    bytes[i] = dns.encode(one)
  end
  return bytes
end

return Questions
