--- :gens :reload :rollback — the code of live units.

local grid = require "strobe.grid"
local layout = require "strobe.console.commands.layout"
local quantity = require "strobe.quantity"
local refusal = require "strobe.console.commands.refusal"
local reports = require "strobe.live.report"
local request = require "strobe.console.commands.request"

local STYLES = { committed = "32", rejected = "31", rolled_back = "33", superseded = "33" }

-- Attempts of a unit that are shown.
local MOST_SHOWN = 10

local function style_of_verdict(cell)
  return STYLES[cell:match "^[%a_]+"]
end

-- --- :gens ---------------------------------------------------------------------------------------

local COLUMNS = {
  { "GEN", align = "right" }, { "VERDICT", flexible = true, style = style_of_verdict }, { "AGO", align = "right" },
  { "FILES", flexible = true },
}

local function names_of(files)
  local names = {}
  for i, file in ipairs(files or {}) do
    names[i] = file:match "[^/]*$"
  end
  return #names > 0 and table.concat(names, " ") or "-"
end

local function title(unit)
  local gen = unit.gen and (", generation %d"):format(unit.gen) or ""
  local line = ("%s  %s%s  %s"):format(unit.unit, unit.state, gen, unit.file)
  local probation = unit.probation
  if probation then
    local left = probation.events_left > 0 and quantity.noun(probation.events_left, "event") .. " and " or ""
    line = ("%s\n  on probation: %s%s to go; :rollback %s undoes it"):format(line, left,
      quantity.duration(probation.seconds_left), unit.unit)
  end
  return line
end

local function unit_text(unit, now, settings)
  local rows, history = {}, unit.history
  for i = #history, math.max(#history - MOST_SHOWN + 1, 1), -1 do
    local entry = history[i]
    rows[#rows + 1] = {
      ("%d%s"):format(entry.gen, entry.gen == unit.gen and "*" or ""), entry.verdict,
      quantity.duration(math.max(now - entry.time, 0)), names_of(entry.files),
    }
  end
  local lines = { grid.styled(title(unit), settings.color and "1") }
  lines[#lines + 1] = grid.text(COLUMNS, rows, settings)
  for _, old in ipairs(unit.reachable or {}) do
    lines[#lines + 1] = ("  generation %d can still be reached, by %s"):format(old.gen, old.by)
  end
  return table.concat(lines, "\n")
end

local function gens(console, text)
  local answer = request.ask(console, "gens", { unit = text ~= "" and text or nil })
  local texts = {}
  for i, unit in ipairs(answer.units) do
    texts[i] = unit_text(unit, answer.now, layout.of(console))
  end
  return #texts > 0 and table.concat(texts, "\n\n") or "no unit runs"
end

-- --- :reload and :rollback -------------------------------------------------------------------------

local function reports_text(list, settings)
  local texts = {}
  for i, report in ipairs(list) do
    texts[i] = reports.text(report, settings)
  end
  return table.concat(texts, "\n")
end

local function reload(console, text)
  local answer, message, code, whole = request.try(console, "reload", { unit = text ~= "" and text or nil })
  local list = (answer or whole or {}).reports
  if not list or #list == 0 and not answer then
    refusal.raise("%s", request.explain(message, code, whole))
  elseif #list == 0 then
    return "no file of a unit has changed"
  elseif not answer then
    refusal.raise("%s", reports_text(list, layout.of(console)))
  end
  return reports_text(list, layout.of(console))
end

local function rollback(console, text)
  if text == "" then
    refusal.raise "which unit? :rollback UNIT; :gens tells which are on probation"
  end
  local answer, message, code, whole = request.try(console, "rollback", { unit = text })
  local report = (answer or whole or {}).report
  if not report then
    refusal.raise("%s", request.explain(message, code, whole))
  end
  return reports.text(report, layout.of(console))
end

return {
  {
    name = "reload", arguments = "[UNIT]", rights = "rw", run = reload,
    help = "gives a unit, or all, the code that is in their files\n"
      .. "Without UNIT: all units whose files have changed. The prompt stays usable. Code that is refused, or\n"
      .. "fails soon after, leaves the old generation at work.",
  },
  {
    name = "rollback", arguments = "UNIT", rights = "rw", run = rollback,
    help = "undoes the last reload, while on probation",
  },
  {
    name = "gens", arguments = "[UNIT]", rights = "ro", run = gens,
    help = "the generations of units, and probation\n"
      .. "Verdict, when, files; the newest first, * runs. Old ones that can still be reached are told, and by whom.",
  },
}
