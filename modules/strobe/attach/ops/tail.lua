--- Operations that let events be watched as they come.

local failures = require "strobe.attach.failure"
local Predicate = require "strobe.attach.predicate"
local printer = require "strobe.repl.printer"
local subscriptions = require "strobe.attach.subscriptions"
local time = require "strobe.core.time"
local typed = require "strobe.attach.typed"

-- Of one subscription in a second: lines, and seconds that its expression may take.
local MOST_LINES, MOST_TIME = 20, 0.1

-- Tells so many events in a second; the others are counted, and that is told once a second.
local Teller = {}
Teller.__index = Teller

local function new_teller(session, sub)
  return setmetatable({ session = session, sub = sub, second = 0, lines = 0, dropped = 0, taken = 0 }, Teller)
end

-- A second begins, in real time.
function Teller:turn(now)
  local second = now // 1
  if second ~= self.second then
    if self.dropped > 0 then
      self.session.push { ev = "dropped", sub = self.sub, n = self.dropped }
    end
    self.second, self.lines, self.dropped, self.taken = second, 0, 0, 0
  end
end

function Teller:tell(data, seq)
  if self.lines >= MOST_LINES then
    self.dropped = self.dropped + 1
    return
  end
  self.lines = self.lines + 1
  self.session.push { ev = "tail", sub = self.sub, seq = seq, text = printer.text(data) }
end

-- Whether an event is wanted; nil and a message when the expression has failed. Events for which there is no time left
-- in this second count as dropped.
function Teller:asks(predicate, data, now)
  if self.taken >= MOST_TIME then
    self.dropped = self.dropped + 1
    return false
  end
  local wanted, message = predicate:ask(data)
  self.taken = self.taken + time.real() - now
  return wanted, message
end

local function fail(session, sub, message)
  local stop = subscriptions.forget(session, sub)
  if stop then
    stop()
    session.push { ev = "tail", sub = sub, ended = true, error = message }
  end
end

-- Hands on the events of one stream; with a predicate those for which it is true. One that fails ends the subscription.
local function new_tail(session, sub, stream, predicate)
  local teller = new_teller(session, sub)
  return function(of, data, _, seq)
    if of ~= stream then
      return
    end
    local now, wanted, message = time.real(), true, nil
    teller:turn(now)
    if predicate then
      wanted, message = teller:asks(predicate, data, now)
    end
    if message then
      fail(session, sub, message)
    elseif wanted then
      teller:tell(data, seq)
    end
  end
end

-- Those who look on get a stream's own name.
local function check_stream(runtime, stream)
  local there, message = runtime.delivery:has_stream(stream)
  if not there then
    failures.raise("not_found", message)
  end
  for _, feed in ipairs(runtime.feeds) do
    if stream:sub(1, #feed.name + 1) == feed.name .. ":" then
      failures.raise("bad_request", "stream: its own name expected, without that of its feed")
    end
  end
end

local function predicate_of(session, request)
  local text = failures.field(request, "expr", "string", true)
  if not text then
    return nil
  end
  local predicate, message = Predicate.new(text, typed.evaluator(session).variables)
  if not predicate then
    failures.raise("syntax", "expr: " .. message)
  end
  return predicate
end

local function tail(session, request)
  local stream = failures.field(request, "stream", "string")
  local runtime = session.runtime or failures.raise("not_found", "this process runs no live units")
  check_stream(runtime, stream)
  local predicate = predicate_of(session, request)
  return { sub = subscriptions.add(session, function(sub)
    return runtime:observe(new_tail(session, sub, stream, predicate))
  end) }
end

local function rights_of(request)
  return request.expr ~= nil and "rw" or "ro"
end

return {
  tail = { rights = rights_of, run = tail },
  untail = { rights = "ro", run = subscriptions.stop },
}
