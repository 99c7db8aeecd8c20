--- Operations on the session itself.

local failures = require "strobe.attach.failure"

local RIGHTS = { ro = true, rw = true }
local MOST_NAME = 64

-- Asks for rights, and gets at most what the process grants.
local function open(session, request)
  local wanted = failures.field(request, "rights", "string", true) or "ro"
  if not RIGHTS[wanted] then
    failures.raise("bad_request", "rights: ro or rw expected")
  end
  local name = failures.field(request, "name", "string", true)
  session.name = name and name:sub(1, MOST_NAME) or session.name
  session.rights = wanted == "rw" and session.ceiling == "rw" and "rw" or "ro"
  session:audit("open", session.rights)
  return { rights = session.rights, console = session.number }
end

local function ping()
  return {}
end

return {
  open = { rights = "ro", run = open },
  ping = { rights = "ro", run = ping },
}
