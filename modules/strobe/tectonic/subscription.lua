--- db:ticks(book): an async generator over a client's updates, which may reconnect.
--
-- After a break it connects again, at once the first time and then with growing
-- pauses until an update comes, subscribes again, and says what was missed: the
-- numbers between the last update before and the first after.

local errors = require "strobe.async.error"
local generators = require "strobe.async.generator"
local report = require "strobe.core.error"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"

-- What asyncio's example does between two polls that found nothing.
local POLL_PAUSE = 0.01

-- Seconds that leaving the loop may wait for a server that does not answer.
local LEAVE = 5

local BACKOFF = { initial = 0.1, factor = 2, most = 5, attempts = math.huge }

---@class strobe.tectonic.Backoff how long to wait before another attempt
---@field initial? number seconds before the second attempt (0.1)
---@field factor? number  by which each further pause is longer (2)
---@field most? number    seconds of the longest pause (5)
---@field attempts? number after which it gives up (never)

---@class strobe.tectonic.TicksOptions
---@field reconnect? boolean|strobe.tectonic.Backoff whether, and how, a lost connection is made again
---@field on_gap? fun(gap: strobe.tectonic.Gap) default: it is reported
---@field poll? number seconds between two polls that found nothing (0.01)

---@class strobe.tectonic.Gap updates that are missing
---@field book string
---@field after? integer   seq of the last update before the break
---@field before? integer  seq of the first one after it
---@field missed? integer  updates between them; nil when that cannot be known
---@field seconds number   from the break to being subscribed again
---@field attempts integer connects it took
---@field reason string    why the connection broke

local function backoff_of(reconnect)
  local given, backoff = type(reconnect) == "table" and reconnect or {}, {}
  for key, default in pairs(BACKOFF) do
    backoff[key] = given[key] or default
  end
  return backoff
end

-- One book's subscription: who, what, and where it stands.
---@class strobe.tectonic.Subscription
---@field db strobe.tectonic.Client
---@field book string
---@field options strobe.tectonic.TicksOptions
---@field backoff strobe.tectonic.Backoff
---@field pause? number seconds until the next attempt; nil when updates came since the last
---@field last? integer seq of the last update
---@field gap? strobe.tectonic.Gap to be told with the next update

local function fail(message, code)
  local e = errors.Error(message)
  e.code = code
  error(e, 0)
end

local function subscribe(self)
  local db = self.db
  local success, text, code = db:subscribe(self.book)
  if success == false then
    text = ("tectonic %s: subscribe %s: %s"):format(db:peer(), self.book, (text:gsub("%s+$", "")))
  end
  return success or nil, text, code or "EPROTO"
end

-- Pauses before an attempt: not at all at first, then longer and longer.
local function wait_turn(self)
  local backoff = self.backoff
  if self.pause then
    time.sleep(self.pause)
    self.pause = math.min(self.pause * backoff.factor, backoff.most)
  else
    self.pause = backoff.initial
  end
end

-- Connects and subscribes again; returns the number of attempts, or nil, message, code.
local function restore(self)
  local attempt, message, code = 0, "", nil
  while attempt < self.backoff.attempts do
    attempt = attempt + 1
    wait_turn(self)
    local ok
    ok, message, code = self.db:restore()
    if ok then
      ok, message, code = subscribe(self)
    end
    if ok then
      return attempt
    end
  end
  return nil, ("%s (gave up after %d attempts)"):format(message, attempt), code
end

local function print_gap(db, gap)
  report.report {
    warning = true,
    message = ("tectonic %s: connection lost (%s), back after %.3g s and %d attempt(s); book %s: %s"):format(
      db:peer(), gap.reason, gap.seconds, gap.attempts, gap.book,
      gap.missed and ("%d update(s) missed"):format(gap.missed) or "what was missed is not known"
    ),
  }
end

local function tell_gap(self, value)
  local db, gap = self.db, self.gap
  self.gap = nil
  gap.before = value.seq
  if gap.after and value.seq > gap.after then
    gap.missed = value.seq - gap.after - 1
  end
  db.gaps = (db.gaps or 0) + 1
  if self.options.on_gap then
    self.options.on_gap(gap)
  else
    print_gap(db, gap)
  end
end

-- A break: either subscribed again, with a gap to tell, or the generator's error.
local function mend(self, message, code)
  if not self.options.reconnect then
    fail(message, code)
  end
  local began = time.now()
  local attempts, why, word = restore(self)
  if not attempts then
    fail(why, word)
  end
  local gap = self.gap or { book = self.book, after = self.last, seconds = 0, attempts = 0, reason = message }
  gap.seconds, gap.attempts = gap.seconds + time.now() - began, gap.attempts + attempts
  self.gap = gap
end

local function run(yield, self)
  local db = self.db
  while true do
    local value, message, code = db:next_tick(self.book)
    if value then
      if self.gap then
        tell_gap(self, value)
      end
      self.last, self.pause = value.seq, nil
      yield(value)
    elseif message == "NONE" then
      db:pause(self.options.poll or POLL_PAUSE, self.book)
    else
      mend(self, message, code)
    end
  end
end

-- Leaves the book. A server that is silent costs the connection, not the caller's time.
local function leave(self)
  local db = self.db
  if not timeouts.move_on_after(LEAVE, db.close_ticks, db, self.book) then
    db:close()
  end
end

local function begin(self)
  local ok, message, code = self.db:open_ticks(self.book)
  if not ok then
    fail(message, code)
  end
end

local generate = generators.generator(function(yield, db, book, options)
  local self = { db = db, book = book, options = options, backoff = backoff_of(options.reconnect) }
  begin(self)
  local guard <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      leave(self)
    end,
  })
  local ok, message, code = subscribe(self)
  if not ok then
    mend(self, message, code)
    self.gap = nil -- nothing came yet: no gap to tell
  end
  run(yield, self)
end)

return generate
