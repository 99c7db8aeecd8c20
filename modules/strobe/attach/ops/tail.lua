--- Operations that let events be watched as they come.

local failures = require "strobe.attach.failure"
local Predicate = require "strobe.attach.predicate"
local printer = require "strobe.console.printer"
local subscriptions = require "strobe.attach.subscriptions"
local time = require "strobe.core.time"
local typed = require "strobe.attach.typed"

-- Lines a second of one subscription.
local MOST_LINES = 20

-- Hands on so many events in a second; the others are counted and told once a second.
local function new_teller(session, sub)
  local second, lines, dropped = 0, 0, 0
  return function(data, seq)
    local now = time.real() // 1
    if now ~= second then
      if dropped > 0 then
        session.push { ev = "dropped", sub = sub, n = dropped }
      end
      second, lines, dropped = now, 0, 0
    end
    if lines >= MOST_LINES then
      dropped = dropped + 1
      return
    end
    lines = lines + 1
    session.push { ev = "tail", sub = sub, seq = seq, text = printer.text(data) }
  end
end

-- The events of one stream; with a predicate those for which it is true. One that fails ends the subscription.
local function new_tail(session, sub, stream, predicate)
  local tell = new_teller(session, sub)
  return function(of, data, _, seq)
    if of ~= stream then
      return
    elseif not predicate then
      return tell(data, seq)
    end
    local wanted, message = predicate:ask(data)
    if message then
      local stop = subscriptions.forget(session, sub)
      if stop then
        stop()
        session.push { ev = "tail", sub = sub, ended = true, error = message }
      end
    elseif wanted then
      tell(data, seq)
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
