--- The flight recorder: what happened last to each unit, to be read when something went wrong.
--
-- Each unit has a ring of its last events, effects, log lines, reports and errors; what is older than some seconds is
-- not told. A recording is a file of JSON lines, the first of which says of whom and why. One is written when a unit
-- fails, when it is rolled back, and on demand. Events and effects are held as they are, not copied: data that the unit
-- has changed since is told as it is now. A recording that cannot be written is a line of the log, no failure.

local fs = require "strobe.async.fs"
local json = require "strobe.json"
local time = require "strobe.core.time"

-- Lines that are made in one turn.
local SLICE = 64

---@class strobe.live.FlightOptions
---@field folder? string  where recordings are written; nil: on demand only
---@field entries? integer that are kept for each unit (2048); 0: nothing is
---@field seconds? number  told (10)
---@field files? integer   in the folder for each unit; then the oldest of this process goes (10)

-- Recordings are of use after a restart: $XDG_STATE_HOME, or ~/.local/state.
local function state_folder()
  local folder, home = os.getenv "XDG_STATE_HOME", os.getenv "HOME"
  if not folder or folder == "" then
    folder = home and home .. "/.local/state"
  end
  return folder and folder .. "/strobe/flight" or nil
end

local defaults = { entries = 2048, seconds = 10, files = 10 }

---@class strobe.live.Ring of one unit
---@field count integer all that was noted
local Ring = {}
Ring.__index = Ring

--- Notes something. Costs next to nothing.
---@param kind "event"|"effect"|"log"|"report"|"error"
---@param thing table plain data
function Ring:note(kind, thing)
  local place = self.count % self.size + 1
  self.count = self.count + 1
  self.kinds[place], self.times[place], self.things[place] = kind, time.now(), thing
end

-- One in which nothing is kept.
local Silent = setmetatable({ note = function() end }, { __index = Ring })
Silent.__index = Silent

-- A copy of what is to be told, oldest first.
local function told(ring, seconds)
  local list, since = {}, time.now() - seconds
  for n = math.max(0, ring.count - ring.size), ring.count - 1 do
    local place = n % ring.size + 1
    if ring.times[place] >= since then
      list[#list + 1] = { kind = ring.kinds[place], time = ring.times[place], thing = ring.things[place] }
    end
  end
  return list
end

local fields = {
  event = { "seq", "stream", "stream_seq", "time", "data", "redelivered", "late" },
  effect = { "id", "port", "value" },
}

local function line_of(entry)
  local line = { kind = entry.kind, at = entry.time }
  local names = fields[entry.kind]
  if names then
    for _, name in ipairs(names) do
      line[name] = entry.thing[name]
    end
  else
    line[entry.kind] = entry.thing
  end
  return line
end

-- As JSON; values that it has no words for as text.
local function encode(line)
  local text = json.encode(line)
  if text then
    return text
  end
  for key, value in pairs(line) do
    line[key] = json.encode(value) and value or tostring(value)
  end
  return json.encode(line) or json.encode { kind = line.kind, at = line.at }
end

---@class strobe.live.Flight
---@field private runtime strobe.live.Runtime
---@field private options strobe.live.FlightOptions
local Flight = { state_folder = state_folder }
Flight.__index = Flight

---@param runtime strobe.live.Runtime
---@param options? strobe.live.FlightOptions
---@return strobe.live.Flight
function Flight.new(runtime, options)
  local made = setmetatable({ runtime = runtime, options = {}, written = {}, number = 0 }, Flight)
  for name, value in pairs(defaults) do
    made.options[name] = options and options[name] or value
  end
  made.options.folder = options and options.folder
  runtime:watch {
    log = function(level, text, facts)
      local unit = runtime.units[facts.unit]
      if unit then
        unit.flight:note("log", { level = level, text = text, gen = facts.gen, seq = facts.seq })
      end
    end,
    report = function(report)
      made:reported(report)
    end,
  }
  return made
end

--- The ring of a new unit.
---@return strobe.live.Ring
function Flight:ring()
  local size = self.options.entries
  return setmetatable({ size = size, count = 0, kinds = {}, times = {}, things = {} }, size > 0 and Ring or Silent)
end

---@param report strobe.live.Report
function Flight:reported(report)
  local unit = self.runtime.units[report.unit]
  if unit then
    unit.flight:note("report", report)
    if report.verdict:find "^rolled_back" then
      self:save(unit, report.verdict)
    end
  end
end

-- The text of a recording, made in slices.
local function text_of(unit, why, list)
  local lines = { encode {
    kind = "flight", unit = unit.name, gen = unit.run and unit.run.generation.number, why = why, wall = time.wall(),
    entries = #list, noted = unit.flight.count,
  } }
  for i, entry in ipairs(list) do
    lines[i + 1] = encode(line_of(entry))
    if i % SLICE == 0 then
      time.sleep(0)
    end
  end
  lines[#lines + 1] = ""
  return table.concat(lines, "\n")
end

--- Writes a recording.
---@async
---@param unit strobe.live.RunningUnit
---@param why string
---@param path string
---@return true? done
---@return string? message
---@return string? code
function Flight:write(unit, why, path)
  local list = told(unit.flight, self.options.seconds)
  return fs.write_file(path, text_of(unit, why, list))
end

-- A path that this process has not used, and room for it.
local function next_path(flight, unit)
  flight.number = flight.number + 1
  local stamp = os.date("!%Y%m%dT%H%M%SZ", math.floor(time.wall()))
  local path = ("%s/%s-%s-%d.jsonl"):format(flight.options.folder, unit.name, stamp, flight.number)
  local paths = flight.written[unit.name] or {}
  flight.written[unit.name] = paths
  table.insert(paths, path)
  return path, #paths > flight.options.files and table.remove(paths, 1) or nil
end

local function save(flight, unit, why, path, oldest)
  fs.mkdir(flight.options.folder, { parents = true }) -- if it cannot be, neither can the file
  if oldest then
    fs.unlink(oldest)
  end
  local done, message = flight:write(unit, why, path)
  local facts = { unit = unit.name }
  if done then
    flight.runtime:log("info", ("flight recorder: %s: %s"):format(why, path), facts)
  else
    flight.runtime:log("warning", "flight recorder: no recording: " .. message, facts)
  end
end

--- Writes a recording into the folder, in a task of its own; its path goes to the log.
---@param unit strobe.live.RunningUnit
---@param why string
function Flight:save(unit, why)
  if self.options.folder and not self.runtime.closed then
    local path, oldest = next_path(self, unit)
    self.runtime:spawn(save, self, unit, why, path, oldest):set_name("flight recorder of " .. unit.name)
  end
end

return Flight
