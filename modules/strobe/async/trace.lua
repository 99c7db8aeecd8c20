--- A recording of what tasks and the loop did last, to be looked at in chrome://tracing or ui.perfetto.dev.
--
--   async.trace.start()
--   …
--   async.trace.stop()
--   assert(async.trace.save "trace.json")
--
-- Or without a line of code: `strobe --trace trace.json script.lua`. Events lie in a ring in C: when it is full the
-- oldest are overwritten, and counted. A task is a row (a thread, for the viewer) with slices for the time it ran and
-- for what it waited; arrows lead from who woke a task to its next run. The loop has a row of its own: its polls, and
-- the timers that fired, with how late the first of them was. Times are real ones, whatever the clock.

local inspect = require "strobe.core.inspect"
local json = require "strobe.json"
local mistake = require "strobe.mistake"
local task = require "strobe.core.task"

local trace = {}

local DEFAULT_CAPACITY, MOST = 65536, 1 << 24
local PROCESS, LOOP = 1, 0

--- Starts recording, into a new ring. What was recorded before is gone.
---@param options? {capacity?: integer} events that are kept, of 48 bytes each; by default 65,536, at most 16,777,216
function trace.start(options)
  local capacity = mistake.options("trace.start", options).capacity or DEFAULT_CAPACITY
  if math.type(capacity) ~= "integer" or capacity < 1 or capacity > MOST then
    error(("trace.start: a capacity of 1 to %d events expected, got %s"):format(MOST, tostring(capacity)), 2)
  end
  inspect.trace_start(capacity)
end

--- How many events there are in the ring, and how many were overwritten.
---@return {running: boolean, capacity: integer, events: integer, lost: integer}
function trace.status()
  local running, capacity, count = inspect.trace_status()
  local kept = math.min(count, capacity)
  return { running = running, capacity = capacity, events = kept, lost = count - kept }
end

--- Stops recording; what was recorded stays, to be saved. Stopping twice is harmless.
---@return {running: boolean, capacity: integer, events: integer, lost: integer}
function trace.stop()
  inspect.trace_stop()
  return trace.status()
end

-- --- Events as JSON -----------------------------------------------------------------------------

-- A JSON text is UTF-8: of a name that is not, the other bytes are escaped.
local function quoted(text)
  if not utf8.len(text) then
    text = text:gsub("[\x80-\xff]", function(byte)
      return ("\\x%02x"):format(byte:byte())
    end)
  end
  return json.encode(text)
end

local function names_of_tasks()
  local names = { [LOOP] = "loop" }
  for place = 1, trace.status().events do
    local kind, _, id, _, text = inspect.trace_event(place)
    names[id] = kind == "named" and text or names[id]
  end
  for _, record in ipairs(inspect.ended()) do
    names[record.id] = record.name
  end
  for _, t in ipairs(task.all()) do
    names[inspect.id(t)] = t:get_name()
  end
  return names
end

-- Which of the wake-ups a run followed; those get an arrow.
local function arrows()
  local followed, runs = {}, {}
  for place = trace.status().events, 1, -1 do
    local kind, _, id, by = inspect.trace_event(place)
    if kind == "resumed" then
      runs[id] = true
    elseif (kind == "ready" or kind == "created") and by ~= 0 and runs[id] then
      followed[place], runs[id] = true, nil
    end
  end
  return followed
end

---@class strobe.TraceWriter
---@field write fun(text: string)
---@field open table<integer, string> the slice that is open on each row
---@field arrow table<integer, integer> the arrow on its way to each row
local Writer = {}
Writer.__index = Writer

function Writer:row(id)
  if not self.rows[id] then
    self.rows[id] = true
    local name = quoted(self.names[id] or "Task-" .. id)
    self.write((',\n{"ph":"M","pid":%d,"tid":%d,"name":"thread_name","args":{"name":%s}}'):format(PROCESS, id, name))
  end
end

function Writer:event(phase, id, name, rest)
  self:row(id)
  self.write((',\n{"ph":"%s","pid":%d,"tid":%d,"ts":%.3f,"cat":"strobe","name":%s%s}'):format(
    phase, PROCESS, id, (self.time - self.first) / 1000, quoted(name), rest or ""))
end

function Writer:begin(id, name, rest)
  self:finish(id)
  self.open[id] = name
  self:event("B", id, name, rest)
end

function Writer:finish(id)
  if self.open[id] then
    self:event("E", id, self.open[id])
    self.open[id] = nil
  end
end

-- An arrow leads from a run to a run.
function Writer:send(place, from, id)
  if self.followed[place] and self.open[from] == "run" then
    self.arrow[id] = place
    self:event("s", from, "wake", (',"id":%d'):format(place))
  end
end

function Writer:receive(id)
  if self.arrow[id] then
    self:event("f", id, "wake", (',"id":%d,"bp":"e"'):format(self.arrow[id]))
    self.arrow[id] = nil
  end
end

local handlers = {}

function handlers.created(writer, place, id, by)
  writer:send(place, by, id)
  writer:begin(id, "new")
end

function handlers.ready(writer, place, id, by)
  writer:send(place, by, id)
end

function handlers.resumed(writer, _, id)
  writer:begin(id, "run")
  writer:receive(id)
end

function handlers.parked(writer, _, id, _, text)
  writer:begin(id, text)
end

function handlers.ended(writer, _, id, _, text)
  writer:finish(id)
  writer:event("i", id, text, ',"s":"t"')
end

function handlers.polling(writer)
  writer:begin(LOOP, "poll")
end

function handlers.polled(writer)
  writer:finish(LOOP)
end

function handlers.timers(writer, _, fired, late)
  writer:event("i", LOOP, "timers", (',"s":"t","args":{"fired":%d,"late_us":%.3f}'):format(fired, late / 1000))
end

local function finish_all(writer)
  local rows = {}
  for id in pairs(writer.open) do
    rows[#rows + 1] = id
  end
  table.sort(rows)
  for _, id in ipairs(rows) do
    writer:finish(id)
  end
end

--- Writes the recording, which may go on, as JSON in the Trace Event Format: `write(text)` gets its pieces.
---@param write fun(text: string)
---@return integer events of the ring that were written
function trace.export(write)
  mistake.expect("trace.export", "write", "function", write)
  local status = trace.status()
  local writer = setmetatable({
    write = write, names = names_of_tasks(), followed = arrows(), open = {}, arrow = {}, rows = {},
  }, Writer)
  local text = '[\n{"ph":"M","pid":%d,"tid":%d,"name":"process_name","args":{"name":"strobe","lost_events":%d}}'
  write(text:format(PROCESS, LOOP, status.lost))
  for place = 1, status.events do
    local kind, time, id, other, label = inspect.trace_event(place)
    writer.first = writer.first or time
    writer.time = time
    local handler = handlers[kind]
    if handler then
      handler(writer, place, id, other, label)
    end
  end
  finish_all(writer)
  write "\n]\n"
  return status.events
end

--- Saves the recording, which may go on, as a file for chrome://tracing and ui.perfetto.dev. The loop stands still
--- meanwhile. What was overwritten in the ring is counted in the file's first event.
---@param path string
---@return integer? events of the ring that were saved
---@return string? message
---@return string? code e.g. "ENOENT"
function trace.save(path)
  mistake.expect("trace.save", "path", "string", path)
  local file, message, number = io.open(path, "w")
  if not file then
    return nil, message, select(2, require("luv").translate_sys_error(number))
  end
  file:setvbuf "full"
  local good, reason = true, nil
  local events = trace.export(function(text)
    if good then
      good, reason = file:write(text)
    end
  end)
  local closed, why = file:close()
  if not good or not closed then
    return nil, ("%s: %s"):format(path, reason or why), "EIO"
  end
  return events
end

--- Saves the recording and says so on stderr. For the command line
---@param path string
function trace.report(path)
  local events, message = trace.save(path)
  local status = trace.status()
  local text = events and ("%d events in %s"):format(events, path) or "cannot write " .. message
  if events and status.lost > 0 then
    text = ("%s; %d older ones were overwritten"):format(text, status.lost)
  end
  io.stderr:write("strobe: trace: ", text, "\n")
end

return trace
