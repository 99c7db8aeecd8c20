--- Operations that measure: what code takes, and which tasks take most.

local Alarm = require "strobe.alarm"
local budget = require "strobe.repl.budget"
local core_task = require "strobe.core.task"
local errors = require "strobe.async.error"
local failures = require "strobe.attach.failure"
local inspect = require "strobe.core.inspect"
local printer = require "strobe.repl.printer"
local protocol = require "strobe.attach.protocol"
local runs = require "strobe.live.run"
local Slice = require "strobe.attach.slice"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"
local times = require "strobe.attach.times"
local typed = require "strobe.attach.typed"

-- Releases what measures the time of tasks.
local Release = { __close = function(release)
  release.f()
end }

-- Lets an interrupt find what is at work for a request.
local Entry = { __close = function(entry)
  entry.session.evaluations[entry.id] = nil
end }

local function enter(session, id, what)
  session.evaluations[id] = what
  return setmetatable({ session = session, id = id }, Entry)
end

-- Tells whether the collector has ended a round.
local function new_witness()
  local witness = { rounds = 0 }
  setmetatable({}, { __gc = function()
    witness.rounds = 1
  end })
  return witness
end

-- --- time ------------------------------------------------------------------------------------------

-- What a task that has ended had taken: the book of the last ones keeps it.
local function record_of(id)
  for _, record in ipairs(inspect.ended()) do
    if record.id == id then
      return record
    end
  end
  return { resumes = 1 }
end

local function raise_unless_ok(answer)
  if not answer.ok then
    failures.raise(answer.code, answer.error, answer)
  end
end

local function time_code(session, request)
  local evaluator = typed.evaluator(session)
  local chunk = typed.compile(evaluator, failures.field(request, "code", "string"))
  local limits = {}
  for _, name in ipairs { "depth", "items", "width" } do
    limits[name] = failures.field(request, name, "integer", true)
  end
  local release <close> = setmetatable({ f = times.hold() }, Release) -- luacheck: ignore
  local witness, before, began = new_witness(), collectgarbage "count", time.real()
  local evaluation = evaluator:start(chunk, {
    id = request.id, seconds = typed.seconds(session, request), limits = limits,
  })
  local id = inspect.id(evaluation.task)
  local wall, bytes
  evaluation.task:add_done_callback(function()
    wall, bytes = time.real() - began, (collectgarbage "count" - before) * 1024
  end)
  local entry <close> = enter(session, request.id, evaluation) -- luacheck: ignore
  local answer = evaluation:wait()
  raise_unless_ok(answer)
  local record = record_of(id)
  wall = wall or time.real() - began
  local running = math.min(record.run_time or 0, wall)
  return {
    values = answer.values and protocol.list(answer.values), job = answer.job, wall = wall, running = running,
    waiting = wall - running, awaits = math.max(record.resumes - 1, 0),
    bytes = math.max(math.floor(bytes or 0), 0), collected = witness.rounds > 0,
  }
end

-- --- timeit ----------------------------------------------------------------------------------------

-- Seconds it takes in all, of a batch, and without letting the others run.
local TOTAL, BATCH, SLICE = 1, 0.001, 0.05
-- Batches whose times are kept.
local MOST_BATCHES = 10000

-- Calls the chunk so often; seconds for each call.
local function batch(chunk, count)
  local began = time.real()
  for _ = 1, count do
    chunk()
  end
  return (time.real() - began) / count
end

local function repeat_for(chunk, seconds, stats)
  local now = time.real()
  local finish, slice_end, count = now + seconds, now + SLICE, 1
  repeat
    local each = batch(chunk, count)
    stats.runs = stats.runs + count
    stats.times[#stats.times % MOST_BATCHES + 1] = each
    now = time.real()
    if each * count < BATCH / 2 then
      count = count * 2
    end
    if now >= slice_end then
      time.sleep(0)
      slice_end = time.real() + SLICE
    end
  until now >= finish
end

-- The middle one of a list, which it sorts.
local function middle(list)
  table.sort(list)
  local half = #list // 2
  return #list % 2 == 1 and list[half + 1] or (list[half] + list[half + 1]) / 2
end

local function timeit(session, request)
  local evaluator = typed.evaluator(session)
  local chunk = typed.compile(evaluator, failures.field(request, "code", "string"))
  local seconds, stats = typed.seconds(session, request), { runs = 0, times = {} }
  local task = tasks.create_task(function()
    if seconds then
      return budget.run(seconds, repeat_for, chunk, TOTAL, stats)
    end
    return repeat_for(chunk, TOTAL, stats)
  end)
  task:set_name(("console %d:%d timeit"):format(session.number, evaluator.inputs))
  local ended <close> = setmetatable({}, { __close = function() -- luacheck: ignore
    task:cancel "detached"
  end })
  local work = { task = task, interrupt = function(_, reason)
    task:cancel(reason)
  end }
  local entry <close> = enter(session, request.id, work) -- luacheck: ignore
  evaluator:enter_foreground(work)
  tasks.wait { task }
  evaluator:leave_foreground(work)
  local e = not task:cancelled() and task:exception()
  local interrupted = task:cancelled() or session.near and errors.is(e, errors.Interrupted)
  if e and not interrupted then
    failures.raise("error", type(e) == "string" and e or printer.text(e))
  elseif #stats.times == 0 then
    failures.raise("interrupted", "it was interrupted within its first run")
  end
  local median = middle(stats.times)
  return { runs = stats.runs, minimum = stats.times[1], median = median, interrupted = interrupted or nil }
end

-- --- top -------------------------------------------------------------------------------------------

-- Real seconds between the two looks; tasks that are told, and at most.
local SPAN, USUAL, MOST = 1, 10, 100

-- What each living task has taken so far, by number.
local function look(slice)
  local taken = {}
  for _, task in ipairs(core_task.all()) do
    slice:rest()
    local record = inspect.record(task)
    taken[record.id] = { time = record.run_time or 0, runs = record.resumes }
  end
  return taken
end

local function top_rows(before, slice)
  local rows, total, busy = {}, 0, 0
  for _, task in ipairs(core_task.all()) do
    slice:rest()
    local record, was = inspect.record(task), before[inspect.id(task)] or { time = 0, runs = 0 }
    local taken = (record.run_time or 0) - was.time
    total, busy = total + 1, busy + taken
    if taken > 0 then
      local run = task:get_context():get(runs.variable)
      rows[#rows + 1] = {
        id = record.id, name = record.name, state = record.state, waiting_on = record.waiting_on, time = taken,
        runs = record.resumes - was.runs, longest = record.max_run_time, unit = run and run.unit.name,
        gen = run and run.generation.number,
      }
    end
  end
  table.sort(rows, function(a, b)
    return a.time > b.time or a.time == b.time and a.id < b.id
  end)
  return rows, total, busy
end

local function top(_, request)
  local most = failures.field(request, "n", "integer", true) or USUAL
  local release <close> = setmetatable({ f = times.hold() }, Release) -- luacheck: ignore
  local slice, began = Slice.new(), time.real()
  local before = look(slice)
  Alarm.sleep(SPAN)
  local rows, total, busy = top_rows(before, slice)
  local list = protocol.list()
  for i = 1, math.min(#rows, most, MOST) do
    list[i] = rows[i]
  end
  return { tasks = list, total = total, busy = busy, seconds = math.max(time.real() - began, 1e-6) }
end

return {
  time = { rights = "rw", run = time_code, waits = true },
  timeit = { rights = "rw", run = timeit, waits = true },
  top = { rights = "ro", run = top, waits = true },
}
