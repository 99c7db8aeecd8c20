--- Operations on the process: its figures.

local failures = require "strobe.attach.failure"
local host = require "strobe.core.host"
local protocol = require "strobe.attach.protocol"
local uv = require "luv"

local function units_of(session)
  local list = protocol.list()
  for i, unit in ipairs(session.runtime and session.runtime.order or {}) do
    list[i] = { unit = unit.name, gen = unit.run and unit.run.generation.number, state = unit.state }
  end
  return list
end

local function matching(figures, word)
  local chosen = {}
  for name, value in pairs(figures) do
    chosen[name] = (not word or name:find(word, 1, true)) and value or nil
  end
  return chosen
end

-- What `strobe ps` tells, and the counters there are.
local function metrics(session, request)
  local word = failures.field(request, "word", "string", true)
  local told, server = host.statistics(), session:process()
  local figures = {
    turns = told.turns, steps = told.steps, timers = told.timers, handles = told.handles_by_type,
    lua_bytes = math.floor(collectgarbage "count" * 1024), connections = server.connections,
    refused = server.refused,
  }
  local runtime = session.runtime
  figures.live = runtime and runtime.metrics and runtime:metrics() or nil
  return {
    pid = uv.os_getpid(), uptime = server.uptime, tasks = server.tasks, lag_p99 = server.lag_p99,
    rss = uv.resident_set_memory(), command = server.command, units = units_of(session),
    metrics = matching(figures, word),
  }
end

return {
  metrics = { rights = "ro", run = metrics },
}
