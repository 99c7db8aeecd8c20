--- Figures of a runtime: what its reloads came to, how long they kept units waiting, and what went through.

-- Upper ends of the pause histogram's classes, in microseconds.
local CLASSES = { 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, math.huge }

---@class strobe.live.Metrics plain data
---@field reloads table<string, table<string, integer>> by unit and verdict
---@field rollbacks integer
---@field replayed integer events that were processed again by old code
---@field pause {count: integer, sum_us: integer, max_us: integer, classes: {up_to_us?: number, count: integer}[]} of
---committed reloads; the last class has no upper end
---@field old_generations integer that can still be reached
---@field units table<string, strobe.live.UnitMetrics>

---@class strobe.live.UnitMetrics
---@field state string
---@field generation? integer
---@field version? integer
---@field on_probation boolean
---@field events integer processed
---@field skipped integer events of streams that are no longer subscribed
---@field failed_events integer
---@field inbox {fill: integer, size: integer, peak: integer, dropped: integer}

local Recorder = {}
Recorder.__index = Recorder

---@class strobe.live.Recorder
---@return strobe.live.Recorder
function Recorder.new()
  local counts = {}
  for i = 1, #CLASSES do
    counts[i] = 0
  end
  return setmetatable({ reloads = {}, rollbacks = 0, replayed = 0, count = 0, sum = 0, max = 0, counts = counts },
    Recorder)
end

local function add_pause(recorder, us)
  recorder.count, recorder.sum, recorder.max = recorder.count + 1, recorder.sum + us, math.max(recorder.max, us)
  for i, most in ipairs(CLASSES) do
    if us <= most then
      recorder.counts[i] = recorder.counts[i] + 1
      return
    end
  end
end

--- Counts a report.
---@param report strobe.live.Report
function Recorder:reported(report)
  local unit = self.reloads[report.unit] or {}
  self.reloads[report.unit] = unit
  unit[report.verdict] = (unit[report.verdict] or 0) + 1
  if report.verdict:find "^rolled_back:" then
    self.rollbacks, self.replayed = self.rollbacks + 1, self.replayed + report.replayed
  elseif report.verdict == "committed" and report.from > 0 then
    add_pause(self, report.pause_us)
  end
end

local function unit_metrics(unit)
  local generation, inbox = unit.run and unit.run.generation, unit.inbox
  return {
    state = unit.state, generation = generation and generation.number,
    version = generation and generation.contract.version, on_probation = unit.probation ~= false,
    events = unit.events, skipped = unit.skipped, failed_events = unit.failed_events,
    inbox = { fill = #inbox, size = inbox.size, peak = inbox.peak, dropped = inbox.dropped },
  }
end

--- All figures, copied.
---@param runtime strobe.live.Runtime
---@return strobe.live.Metrics
function Recorder:read(runtime)
  local reloads, units, classes = {}, {}, {}
  for name, verdicts in pairs(self.reloads) do
    reloads[name] = {}
    for verdict, count in pairs(verdicts) do
      reloads[name][verdict] = count
    end
  end
  for name, unit in pairs(runtime.units) do
    units[name] = unit_metrics(unit)
  end
  for i, most in ipairs(CLASSES) do
    classes[i] = { up_to_us = most < math.huge and most or nil, count = self.counts[i] }
  end
  return {
    reloads = reloads, rollbacks = self.rollbacks, replayed = self.replayed, units = units,
    pause = { count = self.count, sum_us = self.sum, max_us = self.max, classes = classes },
    old_generations = runtime.leftovers:count(),
  }
end

return Recorder
