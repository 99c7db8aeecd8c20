--- Operations on the log of the process.

local failures = require "strobe.attach.failure"
local Journal = require "strobe.attach.journal"
local protocol = require "strobe.attach.protocol"

local function level_of(request, optional)
  local level = failures.field(request, "level", "string", optional)
  if level and not Journal.LEVELS[level] then
    failures.raise("bad_request", "level: debug, info, warning or error expected")
  end
  return level
end

local function log(session, request)
  return { lines = protocol.list(session.journal:lines(level_of(request, true))) }
end

-- Lines below that level are kept no more; those that are there stay.
local function loglevel(session, request)
  local level, was = level_of(request), session.journal.least
  session.journal.least = level
  return { level = level, was = was }
end

return {
  log = { rights = "ro", run = log },
  loglevel = { rights = "rw", run = loglevel },
}
