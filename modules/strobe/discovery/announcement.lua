--- An announcement: a service that is told to the network for as long as it is open.
--
-- First it probes whether its name is free, and takes another one ("iopin-2") if it is not; then it tells all, and
-- answers who asks. When somebody claims the name later on, it probes again.
--
-- Its task owns the link and ends with a goodbye, whether it is closed or cancelled.
--
-- Source: RFC 6762 sections 8 and 9.

local Answers = require "strobe.discovery.answer"
local Event = require("strobe.async.event").Event
local dns = require "strobe.discovery.dns"
local probe = require "strobe.discovery.probe"
local service = require "strobe.discovery.service"
local tasks = require "strobe.async.task"
local taskgroup = require "strobe.async.taskgroup"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"

local PROBES, PROBE_PAUSE = 3, 0.25   -- seconds
local LOST_PAUSE = 1                  -- seconds until it asks again for what another one probes for
local MOST_CONFLICTS, WITHIN, REST = 15, 10, 5 -- so many within seconds: it rests
local ANNOUNCEMENTS, ANNOUNCE_PAUSE = 2, 1

---@class strobe.discovery.Announcement a service that is told to others until it is closed; a `<close>` value
---@field private what table see service.records
---@field private link strobe.discovery.Link
---@field private answers strobe.discovery.Answers
---@field private task strobe.Task
---@field private state "probing"|"told"
---@field private verdict? "taken"|"lost"
local Announcement = {}
Announcement.__index = Announcement
Announcement.__name = "announcement"

-- All names are from here on what `what` says.
local function write_records(self)
  self.records = {}
  for index, interface in ipairs(self.link.interfaces) do
    self.records[index] = service.records(self.what, interface)
  end
  self.answers = Answers.new(self.link, self.records, self.random)
end

local function decide(self, verdict)
  self.verdict = self.verdict or verdict
  self.decided:set()
end

local function conflicts(self, message)
  for _, section in ipairs { message.answers, message.additionals } do
    for _, record in ipairs(section) do
      if probe.contradicts(self.records, record) then
        return true
      end
    end
  end
  return false
end

local function hear_query(self, message, from)
  if self.state == "told" then
    self.answers:query(message, from, time.now())
    self.work:set()
  elseif #message.authorities > 0 and self.records[from.interface]
    and probe.loses(self.records[from.interface], message.authorities) then
    decide(self, "lost")
  end
end

-- Takes packets, for ever.
local function hear(self)
  for bytes, from in self.link.receive, self.link do
    local message = dns.decode(bytes)
    -- Who answers for a name has the port of multicast DNS. RFC 6762 section 11
    if message and message.opcode == 0 and message.rcode == 0 then
      if not message.response then
        hear_query(self, message, from)
      elseif from.port == self.link.port then
        self.answers:response(message, from)
        if conflicts(self, message) then
          decide(self, "taken")
        end
      end
    end
    time.sleep(0) -- a flood must not hold up the others
  end
end

-- Sends answers when they are due, for ever.
local function answer(self)
  while true do
    self.work:clear()
    local at = self.answers:flush(time.now())
    timeouts.move_on_after(at and at - time.now() or nil, self.work.wait, self.work)
  end
end

-- Whether nobody has objected for some time.
local function undisputed(self, seconds)
  timeouts.move_on_after(seconds, self.decided.wait, self.decided)
  return not self.verdict
end

local function send_probe(self)
  local sent, message, code
  for interface, records in pairs(self.records) do
    local ok
    ok, message, code = self.link:multicast(dns.encode(probe.query(records)), interface)
    sent = sent or ok
  end
  if not sent then
    self.failure = { message, code }
    error(self.failure, 0)
  end
end

-- Asks whether somebody has the name; whether it is ours.
local function ask(self)
  self.verdict = nil
  self.decided:clear()
  for _ = 1, PROBES do
    send_probe(self)
    if not undisputed(self, PROBE_PAUSE) then
      return false
    end
  end
  return true
end

-- After many conflicts in a short time there is a rest before each further try.
local function rest_if_tired(self)
  local now = time.now()
  table.insert(self.conflicts, now)
  if #self.conflicts >= MOST_CONFLICTS then
    self.tired = self.tired or now - table.remove(self.conflicts, 1) < WITHIN
  end
  if self.tired then
    time.sleep(REST)
  end
end

local function rename(self)
  self.what.instance = service.rename(self.what.instance)
  self.what.target = self.new_target()
  write_records(self)
  rest_if_tired(self)
end

-- Waits until there is a name that nobody else has.
local function claim(self)
  self.state = "probing"
  time.sleep(self.random(0, PROBE_PAUSE))
  while not ask(self) do
    if self.verdict == "taken" then
      rename(self)
    else
      time.sleep(LOST_PAUSE)
    end
  end
end

-- Tells all, until somebody objects.
local function tell(self)
  self.state, self.tired, self.conflicts = "told", false, {}
  for number = 1, ANNOUNCEMENTS do
    self.answers:announce(time.now())
    self.ready:set()
    if number < ANNOUNCEMENTS and not undisputed(self, ANNOUNCE_PAUSE) then
      return
    end
  end
  undisputed(self, nil)
end

local function go_on(self)
  local group <close> = taskgroup.TaskGroup()
  group:create_task(hear, self)
  group:create_task(answer, self)
  while true do
    claim(self)
    tell(self)
  end
end

-- Says goodbye if there was a welcome.
local function part(self)
  if self.state == "told" then
    self.answers:announce(time.now(), true)
  end
  self.link:close()
  self.ready:set()
end

-- The task of an announcement.
local function run(self)
  local parting <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      part(self)
    end,
  })
  local ok, e = pcall(go_on, self)
  if not ok and not self.failure then
    error(e, 0)
  end
end

--- Begins to announce on a link, which it closes in the end. Returns before the name is known to be free: see `wait`.
---@package
---@param link strobe.discovery.Link
---@param what {instance: string, type: string, port: integer, host: string, strings: string[]}
---@param random fun(least: number, most: number): number
---@return strobe.discovery.Announcement
function Announcement.open(link, what, random)
  local self = setmetatable({
    link = link, what = what, random = random, conflicts = {}, state = "probing",
    decided = Event(), work = Event(), ready = Event(),
    -- Not this machine's own name, which may be another program's to announce.
    new_target = function()
      return ("strobe-%08x.local"):format(math.floor(random(0, 0xFFFFFFFF)))
    end,
  }, Announcement)
  what.target = self.new_target()
  write_records(self)
  self.task = tasks.create_task(run, self)
  self.task:set_name("announcement of " .. what.instance)
  return self
end

--- Waits until it was told to all.
---@async
---@return true?
---@return string? message
---@return string? code
function Announcement:wait()
  self.ready:wait()
  if self.failure then
    return nil, self.failure[1], self.failure[2]
  elseif self.task:done() then
    return nil, "the announcement is closed", "ECANCELED"
  end
  return true
end

--- The name it has: another one than was wanted when somebody else had that.
---@return string
function Announcement:name()
  return self.what.instance
end

--- Ends it, with a goodbye. Twice is harmless.
---@async
function Announcement:close()
  tasks.cancel_and_wait { self.task }
  self.link:close() -- a task that was cancelled before it began did not
end

Announcement.__close = Announcement.close

function Announcement:__tostring()
  return ("<announcement of %s.%s>"):format(self.what.instance, self.what.type)
end

return Announcement
