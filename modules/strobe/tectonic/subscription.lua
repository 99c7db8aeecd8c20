--- db:ticks(book): an async generator over a client's updates, which may reconnect.
--
-- After a break it connects again with growing pauses, subscribes again, and says
-- what was missed: the numbers between the last update before and the first after.

local generators = require "strobe.async.generator"
local report = require "strobe.core.error"
local time = require "strobe.core.time"

-- What asyncio's example does between two polls that found nothing.
local POLL_PAUSE = 0.01

---@class strobe.tectonic.Gap
---@field book string
---@field after? integer   seq of the last update before the break
---@field before? integer  seq of the first one after it
---@field missed? integer  updates between them; nil when that cannot be known
---@field seconds number   from the break to being subscribed again
---@field attempts integer connects it took
---@field reason string    why the connection broke

local function default_backoff()
  return { initial = 0.1, factor = 2, most = 5, attempts = math.huge }
end

-- reconnect = true | {initial, factor, most: seconds, attempts}
local function backoff_of(reconnect)
  local backoff = default_backoff()
  if type(reconnect) == "table" then
    for key in pairs(backoff) do
      backoff[key] = reconnect[key] or backoff[key]
    end
  end
  return backoff
end

local function subscribe(db, book)
  local success, text, code = db:subscribe(book)
  if not success then
    return nil, text, code or "EPROTO"
  end
  return true
end

-- Connects and subscribes again; returns the number of attempts, or nil, message, code.
local function restore(db, book, backoff)
  local pause, message, code = backoff.initial, nil, nil
  for attempt = 1, backoff.attempts do
    local ok
    ok, message, code = db:reconnect()
    if ok then
      ok, message, code = subscribe(db, book)
    end
    if ok then
      return attempt
    end
    time.sleep(pause)
    pause = math.min(pause * backoff.factor, backoff.most)
  end
  return nil, ("%s (gave up after %d attempts)"):format(message, backoff.attempts), code
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

local function tell_gap(db, gap, value, options)
  gap.before = value.seq
  if gap.after and value.seq > gap.after then
    gap.missed = value.seq - gap.after - 1
  end
  db.gaps = (db.gaps or 0) + 1
  if options.on_gap then
    options.on_gap(gap)
  else
    print_gap(db, gap)
  end
end

local function fail(message, code)
  local e = require("strobe.async.error").Error(message)
  e.code = code
  error(e, 0)
end

-- A break: either back again with a gap to tell, or the generator's error.
local function break_of(db, book, last, options, message, code)
  if not options.reconnect then
    fail(message, code)
  end
  local began = time.now()
  local attempts, why, word = restore(db, book, backoff_of(options.reconnect))
  if not attempts then
    fail(why, word)
  end
  return { book = book, after = last, seconds = time.now() - began, attempts = attempts, reason = message }
end

local function run(yield, db, book, options)
  local last, gap
  while true do
    local value, message, code = db:next_tick()
    if value then
      if gap then
        tell_gap(db, gap, value, options)
        gap = nil
      end
      last = value.seq
      yield(value)
    elseif message == "NONE" then
      db:pause(options.poll or POLL_PAUSE)
    else
      gap = break_of(db, book, last, options, message, code)
    end
  end
end

local generate = generators.generator(function(yield, db, book, options)
  local ok, message, code = subscribe(db, book)
  if not ok then
    break_of(db, book, nil, options, message, code) -- nothing came yet: no gap to tell
  end
  local leave <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      if db.stream then
        db:unsubscribe()
      end
    end,
  })
  run(yield, db, book, options)
end)

return generate
