--- Operations on tasks.

local Alarm = require "strobe.alarm"
local core_task = require "strobe.core.task"
local failures = require "strobe.attach.failure"
local graph = require "strobe.async.graph"
local inspect = require "strobe.core.inspect"
local protocol = require "strobe.attach.protocol"
local runs = require "strobe.live.run"
local Slice = require "strobe.attach.slice"
local stack = require "strobe.async.stack"
local time = require "strobe.core.time"
local waiting = require "strobe.async.waiting"

-- Tasks told at once; of which a tree is drawn in one go; links of a chain that are followed.
local MOST_TOLD, MOST_IN_TREE, MOST_LINKS = 1000, 2000, 100
-- Seconds for a task to end when it is cancelled.
local CANCEL_WITHIN = 1

local function run_of(t)
  return t:get_context():get(runs.variable)
end

-- A record, with the unit it belongs to.
local function with_unit(record, t)
  local run = run_of(t)
  if run then
    record.unit, record.gen = run.unit.name, run.generation.number
    record.shielded = run.shields > 0 or nil
  end
  return record
end

local function has_word(record, word)
  for _, text in ipairs { record.name, record.state, record.unit or "" } do
    if text:find(word, 1, true) then
      return true
    end
  end
  return false
end

local function ps(_, request)
  local word = failures.field(request, "word", "string", true)
  local list, slice, left, all = protocol.list(), Slice.new(), 0, core_task.all()
  for _, t in ipairs(all) do
    slice:rest()
    local record = with_unit(inspect.record(t), t)
    if not word or has_word(record, word) then
      if #list < MOST_TOLD then
        record.trace, record.created_by = nil, nil
        list[#list + 1] = record
      else
        left = left + 1
      end
    end
  end
  return { tasks = list, total = #all, more = left > 0 and left or nil, now = time.now() }
end

local function tree()
  local count, slice = #core_task.all(), Slice.new()
  if count > MOST_IN_TREE then
    failures.raise("too_many", ("there are %d tasks: a tree is drawn of at most %d; ask for ps or where"):format(count,
      MOST_IN_TREE))
  end
  local function rest()
    slice:rest()
  end
  local cycles = protocol.list()
  for i, circle in ipairs(graph.cycles(rest)) do
    cycles[i] = {}
    for j, t in ipairs(circle) do
      cycles[i][j] = inspect.id(t)
    end
  end
  return { text = graph.format_task_tree(rest), cycles = cycles }
end

local function by_name(name)
  for _, t in ipairs(core_task.all()) do
    if t:get_name() == name then
      return t
    end
  end
end

-- The living task that a request names, by number or name.
local function task_of(request)
  local wanted = request.task
  local number = type(wanted) == "number" and math.tointeger(wanted)
  if not number and type(wanted) ~= "string" then
    failures.raise("bad_request", "task: the number or the name of a task expected")
  end
  local found = number and inspect.find(number) or not number and by_name(wanted)
  if not found then
    failures.raise("not_found", ("there is no living task %s; the last ones that ended: op ended"):format(
      number or "'" .. wanted .. "'"))
  end
  return found
end

-- The task that a task waits for, if it is one.
local function awaited_by(t)
  for _, future in ipairs(inspect.awaiting(t)) do
    if waiting.is_task(future) then
      return future
    end
  end
end

-- Numbers of tasks, each of which waits for the next; a circle ends with where it began.
local function chain_of(t)
  local chain, seen = protocol.list(), {}
  while t and #chain < MOST_LINKS do
    chain[#chain + 1] = inspect.id(t)
    if seen[t] then
      break
    end
    seen[t] = true
    t = awaited_by(t)
  end
  return chain
end

local function frames_of(session, t)
  local frames = protocol.list()
  for i, frame in ipairs(stack.of(t, MOST_LINKS)) do
    frames[i] = { file = session:short_path(frame.file), line = frame.line, name = stack.name_of(frame) }
  end
  return frames
end

-- The numbers of the tasks that wait for it.
local function waiters_of(t)
  local list = protocol.list()
  for _, who in ipairs(waiting.waiters()(t)) do
    list[#list + 1] = waiting.is_task(who) and inspect.id(who) or nil
  end
  return list
end

local function where(session, request)
  local t = task_of(request)
  return {
    task = with_unit(waiting.record(t), t), frames = frames_of(session, t), chain = chain_of(t),
    waiters = waiters_of(t), now = time.now(),
  }
end

local function ended()
  return { tasks = protocol.list(graph.ended_tasks()), now = time.now() }
end

-- What has become of a task that did not end.
local function outcome_of(t, resumes)
  local run = run_of(t)
  if run and run.shields > 0 then
    return "shielded"
  end
  return inspect.record(t).resumes > resumes and "swallowed" or "waiting"
end

local function cancel(_, request)
  local why = failures.field(request, "why", "string", true)
  local t = task_of(request)
  local resumes = inspect.record(t).resumes
  t:cancel(why or "attach")
  Alarm.wait({ t }, CANCEL_WITHIN)
  if not t:done() then
    return { task = inspect.id(t), outcome = outcome_of(t, resumes) }
  end
  return { task = inspect.id(t), outcome = "ended", how = inspect.record(t).state }
end

return {
  ps = { rights = "ro", run = ps },
  tree = { rights = "ro", run = tree },
  where = { rights = "ro", run = where },
  ended = { rights = "ro", run = ended },
  cancel = { rights = "rw", run = cancel, waits = true },
}
