--- The operation that profiles the process.

local failures = require "strobe.attach.failure"
local Profiler = require "strobe.attach.profiler"

-- Bytes of folded stacks in an answer, which is one line.
local MOST_TEXT = 700 * 1024

-- There is one for the process, whoever has begun it.
local running

local function begin()
  if running then
    failures.raise("busy", "a profile is being taken already: prof stop ends it")
  end
  running = true
  local ok, profiler = pcall(Profiler.start)
  running = ok and profiler or nil
  if not ok then
    error(profiler, 0)
  end
  return { running = true }
end

-- As lines "a;b;c 12"; the rarest are left out when there are too many.
local function text_of(stacks)
  local lines, size = {}, 0
  for _, entry in ipairs(stacks) do
    local line = ("%s %d"):format(entry.stack, entry.count)
    size = size + #line + 1
    if size > MOST_TEXT then
      break
    end
    lines[#lines + 1] = line
  end
  return table.concat(lines, "\n"), #stacks - #lines
end

local function stop()
  local profiler = running
  if not profiler or profiler == true then
    failures.raise("not_found", "no profile is being taken: prof start begins one")
  end
  running = nil
  profiler:stop()
  local text, more = text_of(profiler:folded())
  return { text = text, more = more > 0 and more or nil, samples = profiler.samples, seconds = profiler.seconds }
end

local function prof(_, request)
  local action = failures.field(request, "action", "string")
  if action == "start" then
    return begin()
  elseif action == "stop" then
    return stop()
  end
  failures.raise("bad_request", "action: start or stop expected")
end

return { prof = { rights = "rw", run = prof, waits = true } }
