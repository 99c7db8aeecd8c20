--- :time :bg :fg — code, measured or in the background.

local quantity = require "strobe.quantity"
local refusal = require "strobe.console.commands.refusal"
local request = require "strobe.console.commands.request"

local function code_of(text, usage)
  if not text:find "%S" then
    refusal.raise("code expected: %s", usage)
  end
  return text
end

-- The failure of typed code: the message, and where.
local function raise_failure(message, code, whole)
  if code == "incomplete" then
    refusal.raise "the code is incomplete"
  end
  local lines = { request.explain(message, code, whole) }
  local trace = whole and whole.trace
  if type(trace) == "string" then
    lines[#lines + 1] = trace
  elseif type(trace) == "table" then
    table.move(trace, 1, #trace, 2, lines)
  end
  refusal.raise("%s", table.concat(lines, "\n"))
end

-- What printer and console are told of the settings.
local function with_settings(console, fields)
  local settings = console.settings
  for _, name in ipairs { "depth", "items", "width", "trace" } do
    fields[name] = settings[name]
  end
  return fields
end

local function values_text(answer)
  return answer.values and #answer.values > 0 and table.concat(answer.values, "\n") .. "\n" or ""
end

local function time(console, text)
  local fields = with_settings(console, { code = code_of(text, ":time CODE") })
  local answer, message, code, whole = request.follow(console, "time", fields)
  if not answer then
    raise_failure(message, code, whole)
  elseif answer.job then
    return ("it goes on as job %d"):format(answer.job)
  end
  return ("%s%s: %s running, %s waiting in %s; %s%s of memory"):format(values_text(answer),
    quantity.duration(answer.wall), quantity.duration(answer.running), quantity.duration(answer.waiting),
    quantity.noun(answer.awaits, "await"), answer.collected and "at least " or "", quantity.bytes(answer.bytes))
end

local function in_background(console, text)
  local fields = with_settings(console, { code = code_of(text, ":bg CODE"), background = true })
  local answer, message, code, whole = request.try(console, "eval", fields)
  if not answer then
    raise_failure(message, code, whole)
  end
  return ("[%d] task %d"):format(answer.job, answer.task)
end

local function jobs_text(console)
  local lines = {}
  for i, job in ipairs(request.ask(console, "jobs").jobs) do
    lines[i] = ("[%d] task %d, for %s"):format(job.job, job.task, quantity.duration(job.seconds))
  end
  return #lines > 0 and table.concat(lines, "\n") or "nothing runs in the background"
end

-- A job that has ended already.
local function outcome_of(event)
  if event.ok then
    return { values = event.values }
  end
  return nil, event.error, event.code, event
end

local function in_foreground(console, text)
  if text == "" then
    return jobs_text(console)
  end
  local number = math.tointeger(tonumber(text))
  if not number then
    refusal.raise "the number of a job expected: :fg N"
  end
  local answer, message, code, whole = request.follow(console, "foreground", { job = number })
  if code == "not_found" and console.jobs[number] then
    answer, message, code, whole = outcome_of(console.jobs[number])
  end
  if not answer then
    raise_failure(message, code, whole)
  elseif answer.job then
    return ("[%d] in the background again"):format(answer.job)
  end
  return (values_text(answer):gsub("\n$", ""))
end

return {
  {
    name = "time", arguments = "CODE", rights = "rw", run = time,
    help = "runs code, and tells what it took\n"
      .. "Values, then the time on the clock, of that running and waiting, how often it waited, and how much memory\n"
      .. "is in use more than before. What tasks do that it starts is not its own.",
  },
  {
    name = "bg", arguments = "CODE", rights = "rw", run = in_background,
    help = "starts code in the background\nIts end is told above the prompt; :fg N waits for it, :cancel TASK ends it.",
  },
  {
    name = "fg", arguments = "[N]", rights = "rw", run = in_foreground,
    help = "waits for job N and its values; without N: the jobs",
  },
}
