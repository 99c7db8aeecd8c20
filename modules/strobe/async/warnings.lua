--- Warnings of what goes wrong without failing, while somebody looks after a process that runs for long.
--
-- What the core sees by itself it reports from then on: see Loop:set_debug. Each second a task looks for tasks that
-- wait by giving way again and again, which keeps the processor busy and gets nowhere.

local core_error = require "strobe.core.error"
local inspect = require "strobe.core.inspect"
local report = require "strobe.report"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"

-- Seconds between two looks; how often a task may give way in a second; seconds for which one is remembered that was
-- not seen.
local PAUSE, MOST, MEMORY = 1, 1000, 3

local warnings = {}

---@class strobe.Warning
---@field message string
---@field task? strobe.Task
---@field unit? string whose it is
---@field at? string   file:line

--- Hands a warning to the log, where the same one is told once a minute.
---@param warning strobe.Warning
function warnings.tell(warning)
  warning.warning = true
  core_error.report(warning)
end

local function compare(t, before, seen)
  local rate = before and before.place == seen.place and (seen.resumes - before.resumes) / (seen.at - before.at) or 0
  if rate > MOST then
    warnings.tell {
      message = ("%s gives way %d times a second and gets nowhere: let it wait for what it wants"):format(t:get_name(),
        rate // 100 * 100),
      task = t, at = seen.place,
    }
  end
end

-- Looks at the tasks that give way; `known` is what was seen before, by their number.
local function look_for_busy(known)
  local now = time.real()
  for id, seen in pairs(known) do
    known[id] = now - seen.at < MEMORY and seen or nil
  end
  for _, t in ipairs(inspect.yielded()) do
    local record = inspect.record(t)
    local seen = { at = now, resumes = record.resumes, place = report.where(t) }
    compare(t, known[record.id], seen)
    known[record.id] = seen
  end
end

local function look_again_and_again(look)
  local known = {}
  while true do
    time.sleep(PAUSE)
    look_for_busy(known)
    if look then
      look()
    end
  end
end

--- Begins. In virtual time, where a look each second would cost more than all else, nobody looks.
---@param look? fun() called each second as well
---@return fun() stop no more
function warnings.open(look)
  local before = inspect.warnings()
  local task
  inspect.warnings(true)
  if time.mode() ~= "virtual" then
    task = tasks.create_task(look_again_and_again, look)
    task:set_name "warnings"
  end
  return function()
    inspect.warnings(before)
    if task then
      task:cancel()
    end
  end
end

return warnings
