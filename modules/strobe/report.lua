--- What strobe says on stderr when something went wrong and nobody handles it.
--
-- A report is a table: `message`, and what is known of `failure`, `task`, `where` something was made, `at` which place
-- it happened, `seconds`, `created_by` (a traceback, in debug mode); `warning` when nothing failed. The loop's
-- exception handler gets it first. Without one it goes to the log, which is stderr unless somebody has another: there
-- each is told once per place and minute, and what was held back is counted.

local core = require "strobe.core.error"
local Throttle = require "strobe.throttle"

-- Seconds for which the same is not told again.
local WINDOW = 60

local report = {}

local handler

--- Takes over all reports; nil gives them back. loop.set_exception_handler
---@param f? fun(context: table)
function report.set_handler(f)
  handler = f
end

---@return fun(context: table)?
function report.get_handler()
  return handler
end

-- Tells which reports are nobody's business.
local filter

--- Keeps back the reports for which f returns true; they were dealt with.
---@param f? fun(context: table): boolean
function report.set_filter(f)
  filter = f
end

---@class strobe.Log
---@field write fun(level: "warning"|"error", text: string, context: table)
---@field heeds? fun(context: table): boolean whether it wants a report at all

local log

--- Has the log written by somebody else; nil: to stderr.
---@param f? strobe.Log
function report.set_log(f)
  log = f
end

--- Whether a source is a file of strobe's own modules, inside it or in a folder.
---@param source string as debug.getinfo's short_src
---@return boolean
function report.is_ours(source)
  return source:find "^%s*strobe:" ~= nil
    or source:find "modules/strobe/" ~= nil and not source:find "spec/modules/strobe/"
end
local is_ours = report.is_ours

--- Lines of a traceback that speak of the user's code.
---@param traceback string
---@return string[]
function report.user_lines(traceback)
  local lines = {}
  for line in traceback:gmatch "[^\n]+" do
    if line:find "^%s" and not line:find("[C]:", 1, true) and not is_ours(line:match "^[^:]*:?[^:]*") then
      lines[#lines + 1] = line
    end
  end
  return lines
end
local user_lines = report.user_lines

--- The places of a failure as text: where it happened, and who awaited that.
---@param failure table {error, traceback, task, origin}
---@return string
---@return any e the error of where it happened
function report.failure_places(failure)
  local chain, lines = {}, {}
  while failure do
    chain[#chain + 1], failure = failure, failure.origin
  end
  for i = #chain, 1, -1 do
    local link = chain[i]
    local verb = i == #chain and "in" or "awaited by"
    if link.traceback ~= "" then -- else the text of the error has it
      lines[#lines + 1] = ("%s %s:"):format(verb, link.task or "a callback")
    end
    table.move(user_lines(link.traceback or ""), 1, 100, #lines + 1, lines)
  end
  return table.concat(lines, "\n"), chain[#chain].error
end

--- A failure as text: the error, where it happened, and who awaited that.
---@param failure table {error, traceback, task, origin}
---@return string
function report.failure_text(failure)
  local places, e = report.failure_places(failure)
  local text = ("%s\n%s"):format(tostring(e), places)
  if failure.created_by then
    text = ("%s\ncreated at:\n%s"):format(text, table.concat(user_lines(failure.created_by), "\n"))
  end
  return text
end

--- Where a task stands: file:line of the user's code it waits in.
---@param task strobe.Task
---@return string?
function report.where(task)
  for _, thread in ipairs(task:threads()) do
    local level = 0
    while true do
      local info = debug.getinfo(thread, level, "Sl")
      if not info then
        break
      elseif info.currentline > 0 and not is_ours(info.short_src) then
        return ("%s:%d"):format(info.short_src, info.currentline)
      end
      level = level + 1
    end
  end
end

local function slow_text(context)
  local task = context.task
  local place = task and report.where(task)
  if context.where then
    return ("%s ran %.3f s (its function is at %s)"):format(context.name, context.seconds, context.where)
  end
  return ("%s ran %.3f s without waiting%s"):format(
    task and task:get_name() or context.name,
    context.seconds,
    place and ", until " .. place or ""
  )
end

-- Without "strobe: " and the level.
local function bare_text(context)
  if context.seconds then
    return slow_text(context)
  end
  local lines = { context.message }
  if context.at then
    lines[1] = ("%s, at %s"):format(lines[1], context.at)
  elseif context.where then
    lines[1] = ("%s (made at %s)"):format(lines[1], context.where)
  end
  if context.failure then
    lines[#lines + 1] = report.failure_text(context.failure)
  end
  if context.created_by then
    lines[#lines + 1] = "created at:"
    table.move(user_lines(context.created_by), 1, 100, #lines + 1, lines)
  end
  return table.concat(lines, "\n")
end

local function level_of(context)
  return (context.seconds or context.warning) and "warning" or "error"
end

local function stderr_text(level, text)
  return ("strobe: %s%s"):format(level == "warning" and "warning: " or "", text)
end

--- A report as text.
---@param context table
---@return string
function report.text(context)
  return stderr_text(level_of(context), bare_text(context))
end

--- Prints a report, whatever handler is set.
---@param context table
function report.print(context)
  io.stderr:write(report.text(context), "\n")
end

local function failure_place(failure)
  while failure.origin do
    failure = failure.origin
  end
  local line = user_lines(failure.traceback or "")[1]
  return line and line:match "^%s*(.-:%d+):" or tostring(failure.error)
end

-- Where it happened, as well as that is known.
local function place_of(context)
  if context.failure then
    return failure_place(context.failure)
  end
  return context.at or context.where or context.task and report.where(context.task)
end

-- What is the same to the user has the same key. Numbers, as those of tasks, make no difference where no place is
-- known.
local function key_of(context)
  local place = place_of(context)
  local kind = context.seconds and "slow" or context.failure and "error" or context.message:gsub("%d+", "#")
  if not place and context.seconds then
    place = context.name:gsub("%d+", "#")
  end
  return kind .. "\0" .. (place or "")
end

local throttle = Throttle.new(WINDOW)

local function write(level, text, context)
  if log then
    log.write(level, text, context)
  else
    io.stderr:write(stderr_text(level, text), "\n")
  end
end

--- Hands a report to the log, unless the same was told within the last minute.
---@param context table
function report.log(context)
  if log and log.heeds and not log.heeds(context) then
    return
  end
  local text = bare_text(context)
  local now, more = throttle:pass(key_of(context), text:match "^[^\n]*")
  if more > 0 then
    text = ("%s\n%d more of this since it was told last"):format(text, more)
  end
  if now then
    write(level_of(context), text, context)
  end
end

--- Tells what the log has held back: at the end.
function report.flush()
  for _, rest in ipairs(throttle:rest()) do
    write("warning", ("%d more of: %s"):format(rest.more, rest.text), {})
  end
end

--- Lets all reports of the core come here.
function report.install()
  core.reporter(function(context)
    if filter and filter(context) then
      return
    elseif handler then
      handler(context)
    else
      report.log(context)
    end
  end)
end

return report
