--- Operations that let events be watched as they come.

local failures = require "strobe.attach.failure"
local printer = require "strobe.console.printer"
local time = require "strobe.core.time"

-- Lines a second of one subscription; subscriptions of one session.
local MOST_LINES, MOST_TAILS = 20, 16

-- Hands on events of one stream, so many in a second; the others are counted and told once a second.
local function new_tail(session, sub, stream)
  local second, lines, dropped = 0, 0, 0
  return function(of, data, _, seq)
    if of ~= stream then
      return
    end
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

local function tail(session, request)
  local stream = failures.field(request, "stream", "string")
  local runtime = session.runtime or failures.raise("not_found", "this process runs no live units")
  check_stream(runtime, stream)
  if request.expr ~= nil then
    failures.raise("bad_request", "expr: not there yet")
  elseif session.tail_count >= MOST_TAILS then
    failures.raise("too_many", ("%d streams are watched already: untail one"):format(MOST_TAILS))
  end
  session.last_tail, session.tail_count = session.last_tail + 1, session.tail_count + 1
  local sub = session.last_tail
  session.tails[sub] = runtime:observe(new_tail(session, sub, stream))
  return { sub = sub }
end

local function untail(session, request)
  local sub = failures.field(request, "sub", "integer")
  local stop = session.tails[sub] or failures.raise("not_found", "sub: this session watches no stream by that number")
  session.tails[sub], session.tail_count = nil, session.tail_count - 1
  stop()
  return {}
end

return {
  tail = { rights = "ro", run = tail },
  untail = { rights = "ro", run = untail },
}
