--- :pry — into a task that has stopped by repl.pry().

local grid = require "strobe.grid"
local layout = require "strobe.console.commands.layout"
local request = require "strobe.console.commands.request"

local PARKED_COLUMNS = {
  { "TASK", align = "right" }, { "NAME", flexible = true }, { "AT", flexible = true, keep_end = true },
}

local function variables_text(answer, settings)
  local rows = {}
  for i, variable in ipairs(answer.variables) do
    rows[i] = { variable.name, variable.kind, variable.type, variable.text }
  end
  local head = ("task %d %s stands at %s:%d"):format(answer.task, answer.name, answer.file, answer.line)
  if #rows == 0 then
    return head .. "; it has no variables there. :pry go lets it go on"
  end
  local columns = { { "NAME" }, { "KIND" }, { "TYPE" }, { "VALUE", flexible = true } }
  return ("%s\n%s\nthey can be read and set by name; :pry go lets it go on"):format(head,
    grid.text(columns, rows, settings))
end

local function parked_text(list, settings)
  local rows = {}
  for i, entry in ipairs(list) do
    rows[i] = { ("%d"):format(entry.task), entry.name, entry.file and ("%s:%d"):format(entry.file, entry.line) or "-" }
  end
  if #rows == 0 then
    return "no task waits in repl.pry()"
  end
  return grid.text(PARKED_COLUMNS, rows, settings)
end

local function pry(console, text)
  if text == "" then
    return parked_text(request.ask(console, "pry").parked, layout.of(console))
  elseif text == "go" then
    return ("task %d goes on"):format(request.ask(console, "pry", { go = true }).task)
  end
  local answer = request.ask(console, "pry", { task = math.tointeger(tonumber(text)) or text })
  return variables_text(answer, layout.of(console))
end

return {
  {
    name = "pry", arguments = "[TASK|go]", rights = "rw", run = pry,
    help = "the variables of a task that waits in repl.pry()\n"
      .. "They can be read and set by their names from then on; :pry go lets the task go on. Without TASK: which wait.",
  },
}
