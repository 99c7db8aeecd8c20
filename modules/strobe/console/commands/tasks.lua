--- :ps :tree :where :cancel :top — what runs, what it waits for, and its end.

local grid = require "strobe.grid"
local layout = require "strobe.console.commands.layout"
local quantity = require "strobe.quantity"
local refusal = require "strobe.console.commands.refusal"
local request = require "strobe.console.commands.request"

local STYLES = { running = "32", failed = "31", cancelled = "33", cancelling = "33", frozen = "36" }

local function style_of_state(cell)
  return STYLES[cell:match "^%a+"]
end

local function unit_text(task)
  return task.unit and (task.gen and ("%s.%d"):format(task.unit, task.gen) or task.unit) or "-"
end

local function state_text(task)
  if (task.cancelling or 0) > 0 and (task.state == "waiting" or task.state == "ready") then
    return "cancelling"
  end
  return task.shielded and task.state .. ", shielded" or task.state
end

local function place_of(wait)
  return wait.file and ("%s:%d"):format(wait.file, wait.line) or nil
end

-- What a task waits for, in words: "task 21", "inbox", "sleep, 0.8 s left".
local function wait_text(task, now)
  local wait = task.waiting_on
  if not wait then
    return task.resumes == 0 and task.state == "ready" and "has not begun" or "-"
  end
  local what = wait.task and ("task %d"):format(wait.task) or wait.what and ("%s %s"):format(wait.kind, wait.what)
    or wait.kind
  local left = wait.deadline and now and wait.deadline - now
  return left and left >= 0 and ("%s, %s left"):format(what, quantity.duration(left)) or what
end

local function since(task, now)
  local wait = task.waiting_on
  return wait and now and quantity.duration(math.max(now - wait.since, 0)) or "-"
end

-- --- :ps -----------------------------------------------------------------------------------------

local PS_COLUMNS = {
  { "TASK", align = "right" }, { "NAME", flexible = true }, { "UNIT", flexible = true },
  { "STATE", style = style_of_state }, { "FOR", align = "right" }, { "RUNS", align = "right" },
  { "WAITS FOR", flexible = true }, { "AT", flexible = true, keep_end = true },
}

-- A column that says nothing is left out.
local function without_empty(columns, rows)
  local kept_columns, kept = {}, {}
  for i = 1, #rows do
    kept[i] = {}
  end
  for j, column in ipairs(columns) do
    local says = false
    for _, row in ipairs(rows) do
      says = says or row[j] ~= "-"
    end
    if says then
      kept_columns[#kept_columns + 1] = column
      for i, row in ipairs(rows) do
        kept[i][#kept_columns] = row[j]
      end
    end
  end
  return kept_columns, kept
end

local function ps_rows(answer)
  local rows = {}
  for i, task in ipairs(answer.tasks) do
    rows[i] = {
      ("%d"):format(task.id), task.name, unit_text(task), state_text(task), since(task, answer.now),
      quantity.count(task.resumes), wait_text(task, answer.now), task.waiting_on and place_of(task.waiting_on) or "-",
    }
  end
  return rows
end

local function ps(console, text)
  local answer = request.ask(console, "ps", { word = text ~= "" and text or nil })
  if #answer.tasks == 0 then
    return ("no task has '%s' in its name, unit or state; there are %d"):format(text, answer.total)
  end
  local columns, rows = without_empty(PS_COLUMNS, ps_rows(answer))
  local told = grid.text(columns, rows, layout.of(console))
  local foot = text ~= "" and ("%s of %d"):format(quantity.count(#rows + (answer.more or 0)), answer.total)
    or quantity.noun(answer.total, "task")
  return ("%s\n%s%s"):format(told, foot, answer.more and (", %d not shown: :ps WORD"):format(answer.more) or "")
end

-- --- :tree ---------------------------------------------------------------------------------------

local function circle_text(circle)
  local numbers = {}
  for i, id in ipairs(circle) do
    numbers[i] = ("%d"):format(id)
  end
  numbers[#numbers + 1] = numbers[1]
  return table.concat(numbers, " -> ")
end

local TREE_COLUMNS = {
  { "TASK", flexible = true }, { "UNIT", flexible = true }, { "STATE", style = style_of_state },
  { "WAITS FOR", flexible = true }, { "AT", flexible = true, keep_end = true },
}

-- The tasks that each has made, by number; under 0 those whose maker has ended, or is no task.
local function by_parent(list)
  local children, there = { [0] = {} }, {}
  for _, task in ipairs(list) do
    there[task.id] = true
  end
  for _, task in ipairs(list) do
    local parent = task.parent and there[task.parent] and task.parent or 0
    children[parent] = children[parent] or {}
    table.insert(children[parent], task)
  end
  return children
end

-- Rows for the tasks below one, without recursion: chains may be of any length.
local function tree_rows(list, now)
  local children, rows = by_parent(list), {}
  local levels = { { list = children[0], at = 0, lead = "" } }
  while #levels > 0 do
    local level = levels[#levels]
    level.at = level.at + 1
    local task = level.list[level.at]
    if not task then
      levels[#levels] = nil
    else
      local is_root, is_last = #levels == 1, level.at == #level.list
      local mark = is_root and "" or is_last and "└─ " or "├─ "
      rows[#rows + 1] = {
        ("%s%s%d  %s"):format(level.lead, mark, task.id, task.name), unit_text(task), state_text(task),
        wait_text(task, now), task.waiting_on and place_of(task.waiting_on) or "-",
      }
      local lead = level.lead .. (is_root and "" or is_last and "   " or "│  ")
      levels[#levels + 1] = children[task.id] and { list = children[task.id], at = 0, lead = lead } or nil
    end
  end
  return rows
end

local function tree(console)
  local circles, answer = request.ask(console, "tree").cycles or {}, request.ask(console, "ps")
  local columns, rows = without_empty(TREE_COLUMNS, tree_rows(answer.tasks, answer.now))
  local lines, settings = { grid.text(columns, rows, layout.of(console)) }, layout.of(console)
  for _, circle in ipairs(circles) do
    local line = "cycle: they wait for each other for ever: " .. circle_text(circle)
    lines[#lines + 1] = grid.styled(line, settings.color and "31")
  end
  lines[#lines + 1] = answer.more and (":tree shows 1,000 tasks; there are %s more"):format(quantity.count(answer.more))
  return table.concat(lines, "\n")
end

-- --- :where --------------------------------------------------------------------------------------

-- A task, as it was typed: a number or a name.
local function task_of(text, usage)
  if text == "" then
    refusal.raise("a task's number or name expected: %s; :ps tells them", usage)
  end
  return math.tointeger(tonumber(text)) or text
end

-- "function <mm.lua:12>" stands beside its file already.
local function name_text(name)
  return ((name or "?"):gsub("^function <.*:(%d+)>$", "the function of line %1"))
end

local function frames_text(frames)
  local lines, widest = {}, 0
  for _, frame in ipairs(frames) do
    widest = math.max(widest, #("%s:%d"):format(frame.file, frame.line))
  end
  for i, frame in ipairs(frames) do
    local place = ("%s:%d"):format(frame.file, frame.line)
    lines[i] = ("%s%s  in %s"):format(place, (" "):rep(widest - #place), name_text(frame.name))
  end
  return #lines > 0 and table.concat(lines, "\n") or nil
end

local function chain_text(chain)
  local names = {}
  for i, link in ipairs(chain) do
    names[i] = ("%d"):format(link)
  end
  return #names > 1 and table.concat(names, " -> ") or nil
end

local function cancelled_text(task, now)
  local cancelled = task.cancelled
  if not cancelled then
    return nil
  end
  local by = cancelled.by and ("by task %d"):format(cancelled.by) or "by nobody's task"
  local reason = cancelled.reason and (": %s"):format(cancelled.reason) or ""
  return ("%s, %s ago%s"):format(by, quantity.duration(math.max(now - cancelled.at, 0)), reason)
end

local function ran_text(task)
  local times = quantity.noun(task.resumes, "time")
  if not task.run_time then
    return times
  end
  return ("%s, %s in all, %s at the most"):format(times, quantity.duration(task.run_time),
    quantity.duration(task.max_run_time))
end

local function created_text(task, now)
  local lines = { quantity.duration(math.max(now - task.created, 0)) .. " ago" }
  if task.parent then
    lines[1] = ("%s by task %d"):format(lines[1], task.parent)
  end
  for line in (task.created_by or ""):gmatch "[^\n]+" do
    if line:find "^%s" and not line:find("[C]:", 1, true) then
      lines[#lines + 1] = line:match "^%s*(.*)"
    end
  end
  return table.concat(lines, "\n")
end

local function names_text(ids)
  local list = {}
  for i, id in ipairs(ids or {}) do
    list[i] = ("task %d"):format(id)
  end
  return #list > 0 and table.concat(list, ", ") or nil
end

local function where_text(answer, settings)
  local task, now = answer.task, answer.now or 0
  local wait = task.waiting_on
  return grid.list({
    { "task", ("%d  %s"):format(task.id, task.name) },
    { "unit", task.unit and ("%s, generation %s"):format(task.unit, task.gen and ("%d"):format(task.gen) or "?") },
    { "state", wait and ("%s for %s"):format(state_text(task), since(task, now)) or state_text(task) },
    { "waits for", wait and wait_text(task, now) },
    { "stands at", frames_text(answer.frames) },
    { "chain", chain_text(answer.chain) },
    { "awaited by", names_text(answer.waiters) },
    { "created", created_text(task, now) },
    { "ran", ran_text(task) },
    { "cancelled", cancelled_text(task, now) },
  }, settings)
end

-- What is told of one that has ended.
local function ended_text(task, now, settings)
  return grid.list({
    { "task", ("%d  %s"):format(task.id, task.name) },
    { "state", ("%s, %s ago"):format(task.state, quantity.duration(math.max(now - (task.ended or now), 0))) },
    { "ran", ran_text(task) }, { "cancelled", cancelled_text(task, now) }, { "trace", task.trace },
  }, settings)
end

local function find_ended(console, wanted)
  local answer = request.try(console, "ended")
  for _, task in ipairs(answer and answer.tasks or {}) do
    if task.id == wanted or task.name == wanted then
      return task, answer.now
    end
  end
end

local function where(console, text)
  local wanted = task_of(text, ":where TASK")
  local answer, message, code, whole = request.try(console, "where", { task = wanted })
  if answer then
    return where_text(answer, layout.of(console))
  end
  local task, now = nil, nil
  if code == "not_found" then
    task, now = find_ended(console, wanted)
  end
  if not task then
    local missing = ("there is no task %s: it never was, or has ended long ago"):format(text)
    refusal.raise("%s", code == "not_found" and missing or request.explain(message, code, whole))
  end
  return ended_text(task, now or task.ended, layout.of(console))
end

-- --- :cancel -------------------------------------------------------------------------------------

local OUTCOMES = {
  swallowed = "task %d was cancelled and goes on: it has swallowed its CancelledError",
  shielded = "task %d was cancelled, but is shielded: it ends when its shield does",
  waiting = "task %d was cancelled, and has not ended within 1 s: it still cleans up",
}

local function cancel(console, text)
  local first, why = text:match "^(%S+)%s*(.*)$"
  local answer, message, code, whole = request.try(console, "cancel", {
    task = task_of(first or "", ":cancel TASK [WHY]"), why = why ~= "" and why or nil,
  })
  if code == "not_found" then
    refusal.raise("there is no living task %s; :ps tells which there are", first)
  elseif not answer then
    refusal.raise("%s", request.explain(message, code, whole))
  elseif answer.outcome == "ended" then
    return ("task %d has ended (%s)"):format(answer.task, answer.how)
  end
  return (OUTCOMES[answer.outcome] or "task %d: " .. tostring(answer.outcome)):format(answer.task)
end

-- --- :top ----------------------------------------------------------------------------------------

-- Seconds that one page stands.
local PERIOD = 1

local TOP_COLUMNS = {
  { "TASK", align = "right" }, { "NAME", flexible = true }, { "UNIT", flexible = true },
  { "TIME", align = "right" }, { "SHARE", align = "right" }, { "RUNS", align = "right" },
  { "LONGEST", align = "right" }, { "AT", flexible = true, keep_end = true },
}

local function top_text(answer, settings)
  local rows = {}
  for i, task in ipairs(answer.tasks) do
    rows[i] = {
      ("%d"):format(task.id), task.name, unit_text(task), quantity.duration(task.time),
      quantity.percent(task.time / answer.seconds), quantity.count(task.runs), quantity.duration(task.longest),
      task.waiting_on and place_of(task.waiting_on) or "-",
    }
  end
  local head = ("%s, %s of time in Lua"):format(quantity.noun(answer.total, "task"),
    quantity.percent(answer.busy / answer.seconds))
  return head .. "\n" .. grid.text(TOP_COLUMNS, rows, settings)
end

-- Lines above the prompt, one pin each; those that are too many go, and in the end all.
local function pin_lines(console, text)
  local count = 0
  for line in text:gmatch "[^\n]+" do
    count = count + 1
    console:pin("top" .. count, line)
  end
  for i = count + 1, console.top_lines or 0 do
    console:pin("top" .. i, nil)
  end
  console.top_lines = count
end

local Unpin = { __close = function(unpin)
  pin_lines(unpin.console, "")
end }

local function top(console, text)
  local count = text == "" and 10 or math.tointeger(tonumber(text))
  if not count or count < 1 then
    refusal.raise("a number of tasks expected: :top [N]")
  end
  local answer = request.ask(console, "top", { n = count })
  if not console.key then -- no terminal: one page
    return top_text(answer, layout.of(console))
  end
  local unpin <close> = setmetatable({ console = console }, Unpin) -- luacheck: ignore
  repeat
    pin_lines(console, "any key ends it; " .. top_text(answer, layout.of(console)))
    local future = console.peer:send("top", { n = count })
    local pressed = console:key(PERIOD)
    answer = not pressed and request.result(console, future) or answer
  until pressed
  return top_text(answer, layout.of(console))
end

return {
  {
    name = "ps", arguments = "[WORD]", rights = "ro", run = ps, aliases = { "tasks" },
    help = "the tasks: what each waits for, where, how long\n"
      .. "WORD chooses those that have it in their name, unit or state. RUNS is how often a task was resumed.",
  },
  {
    name = "tree", arguments = "", rights = "ro", run = tree,
    help = "tasks below those that made them; what each waits for\n"
      .. "Tasks that wait for each other in a circle are told at the end.",
  },
  {
    name = "where", arguments = "TASK", rights = "ro", run = where, aliases = { "why" },
    help = "where a task stands, since when and why\n"
      .. "Its frames, the chain of tasks it waits for, deadline, who made it, who cancelled it. TASK is a number or\n"
      .. "a name; of the last 100 that ended it tells how, and the trace.",
  },
  {
    name = "cancel", arguments = "TASK [WHY]", rights = "rw", run = cancel,
    help = "cancels a task, and tells what became of it",
  },
  {
    name = "top", arguments = "[N]", rights = "ro", run = top,
    help = "the tasks that take most time, until a key\n"
      .. "TIME is that of the last second; there is a new page every second. N tasks (10).",
  },
}
