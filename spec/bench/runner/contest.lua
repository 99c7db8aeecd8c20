--- Runs the contestants of a work in turn (A B C A B C …), because the machine is never as
-- quiet as one would like, and keeps every figure and the best.
local shell = require "runner.shell"

local Contest = {}

--- The figures of one output: name → {value, unit}.
local function parse(output)
  local figures = {}
  for name, value, unit in output:gmatch("RESULT (%S+) (%S+) (%S+)") do
    figures[name] = {value = tonumber(value), unit = unit}
  end
  return figures
end

local function better(result, a, b)
  if not b then return a end
  return result.better == "less" and math.min(a, b) or math.max(a, b)
end

--- Adds the figures of one run to those of the contestant.
local function record(work, contestant, figures)
  for _, result in ipairs(work.results) do
    local figure, seen = figures[result.name], contestant.figures[result.name]
    if figure and not (seen and seen.round == contestant.round) then
      seen = seen or {runs = {}, unit = figure.unit}
      seen.runs[#seen.runs + 1] = figure.value
      seen.best = better(result, figure.value, seen.best)
      seen.round = contestant.round
      contestant.figures[result.name] = seen
    end
  end
end

local function missing(contestant, skipped)
  for _, need in ipairs(contestant.needs or {}) do
    if skipped[need] then return need .. ": " .. skipped[need] end
  end
end

--- The line of a failed program's output that says most.
local function reason(output)
  return output:match("[^\n]*[Ee]rror[^\n]*") or output:match("([^\n]*)\n*$")
end

--- Runs the command, or all of the list: whether all went well, what they printed, and the one
--- that failed.
local function run_commands(commands)
  local all, failed = {}, nil
  for i, command in ipairs(type(commands) == "table" and commands or {commands}) do
    local ok, output = shell.run(command)
    all[i], failed = output, failed or not ok and command or nil
  end
  return not failed, table.concat(all), failed
end

local function run(work, contestant, say)
  local ok, output, command = run_commands(contestant.command)
  local figures = parse(output)
  if not ok or not next(figures) then
    contestant.failed = reason(output)
    say(("%s: %s failed: %s\n  %s"):format(work.name, contestant.name, contestant.failed,
      command or contestant.command))
  end
  record(work, contestant, figures)
  local figure = figures[work.results[1].name]
  if figure then
    say(("%s: %s %.6g %s"):format(work.name, contestant.name, figure.value, figure.unit))
  end
end

--- Fills in `figures` (name → {best, unit, runs}), `skipped` or `failed` of each contestant.
---@param work table
---@param rounds integer
---@param skipped table<string, string> what cannot run, and why
---@param say fun(text: string) takes a line of progress
function Contest.hold(work, rounds, skipped, say)
  for _, contestant in ipairs(work.contestants) do
    contestant.figures = {}
    contestant.skipped = missing(contestant, skipped)
  end
  for round = 1, rounds do
    for _, contestant in ipairs(work.contestants) do
      contestant.round = round
      if not contestant.skipped and not contestant.failed then run(work, contestant, say) end
    end
  end
end

return Contest
