--- :timeit :prof :heap — where time and memory go.

local fs = require "strobe.async.fs"
local grid = require "strobe.grid"
local layout = require "strobe.console.commands.layout"
local quantity = require "strobe.quantity"
local expand = require("strobe.console.commands.path").expand
local refusal = require "strobe.console.commands.refusal"
local request = require "strobe.console.commands.request"

local function timeit(console, text)
  if not text:find "%S" then
    refusal.raise "code expected: :timeit CODE"
  end
  local answer, message, code, whole = request.follow(console, "timeit", { code = text })
  if not answer then
    refusal.raise("%s", code == "incomplete" and "the code is incomplete" or request.explain(message, code, whole))
  end
  return ("%s%s: at least %s, half of them within %s"):format(quantity.noun(answer.runs, "run"),
    answer.interrupted and " until it was interrupted" or "", quantity.duration(answer.minimum),
    quantity.duration(answer.median))
end

-- --- :prof -----------------------------------------------------------------------------------------

-- Functions of a profile that are shown.
local MOST_SHOWN = 20

local PROFILE_COLUMNS = {
  { "SELF", align = "right" }, { "ALL", align = "right" }, { "FUNCTION", flexible = true },
}

-- The samples of each function by itself, and with those it has called.
local function by_function(text)
  local own, all = {}, {}
  for line in text:gmatch "[^\n]+" do
    local folded, count = line:match "^(.*) (%d+)$"
    count = tonumber(count)
    local seen, last = {}, nil
    for name in folded:gmatch "[^;]+" do
      if not seen[name] then
        seen[name], all[name] = true, (all[name] or 0) + count
      end
      last = name
    end
    own[last] = (own[last] or 0) + count
  end
  return own, all
end

local function profile_text(answer, settings)
  if answer.samples == 0 then
    return ("no sample in %s: Lua has hardly run"):format(quantity.duration(answer.seconds))
  end
  local own, all = by_function(answer.text)
  local names = {}
  for name in pairs(all) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    local x, y = own[a] or 0, own[b] or 0
    return x > y or x == y and (all[a] > all[b] or all[a] == all[b] and a < b)
  end)
  local rows = {}
  for i = 1, math.min(#names, MOST_SHOWN) do
    local name = names[i]
    rows[i] = {
      quantity.percent((own[name] or 0) / answer.samples), quantity.percent(all[name] / answer.samples), name,
    }
  end
  return ("%s in %s\n%s"):format(quantity.noun(answer.samples, "sample"), quantity.duration(answer.seconds),
    grid.text(PROFILE_COLUMNS, rows, settings))
end

local function stop_profile(console, file)
  local answer = request.ask(console, "prof", { action = "stop" })
  local text = profile_text(answer, layout.of(console))
  if file == "" then
    return text
  end
  local path = expand(file)
  local done, message = fs.write_file(path, answer.text .. "\n")
  if not done then
    refusal.raise("%s\nthe stacks are not written: %s", text, message)
  end
  return ("%s\nfolded stacks in %s"):format(text, path)
end

local function prof(console, text)
  local action, file = text:match "^(%a+)%s*(.*)$"
  if action == "start" and file == "" then
    request.ask(console, "prof", { action = "start" })
    return "a profile is being taken; :prof stop [FILE] ends it"
  elseif action == "stop" then
    return stop_profile(console, file)
  end
  refusal.raise ":prof start or :prof stop [FILE] expected"
end

-- --- :heap -----------------------------------------------------------------------------------------

local HEAP_COLUMNS = {
  { "TYPE", flexible = true }, { "OF", flexible = true }, { "COUNT", align = "right" }, { "SIZE", align = "right" },
  { "SHARE", align = "right" },
}

local function by_owner(rows)
  local list, places = {}, {}
  for _, row in ipairs(rows) do
    local place = places[row.owner]
    if not place then
      place = #list + 1
      list[place], places[row.owner] = { row.owner, 0 }, place
    end
    list[place][2] = list[place][2] + row.bytes
  end
  table.sort(list, function(a, b)
    return a[2] > b[2]
  end)
  local parts = {}
  for i, entry in ipairs(list) do
    parts[i] = ("%s %s"):format(entry[1], quantity.bytes(entry[2]))
  end
  return table.concat(parts, ", ")
end

local function heap(console, text)
  local most = math.tointeger(tonumber(text ~= "" and text or "20"))
  if not most or most < 1 then
    refusal.raise "a number of rows expected: :heap [N]"
  end
  local answer = request.ask(console, "heap", { n = 1000 })
  local rows, total = {}, 0
  for _, row in ipairs(answer.rows) do
    total = total + row.bytes
  end
  for i = 1, math.min(#answer.rows, most) do
    local row = answer.rows[i]
    rows[i] = {
      row.type, row.owner, quantity.count(row.count), quantity.bytes(row.bytes), quantity.percent(row.bytes / total),
    }
  end
  local more = #answer.rows + answer.more - #rows
  return ("%s\n%s%s in %s, %s in use by Lua (%s)%s"):format(grid.text(HEAP_COLUMNS, rows, layout.of(console)),
    more > 0 and ("%s not shown; "):format(quantity.noun(more, "row")) or "", quantity.noun(answer.objects, "object"),
    quantity.bytes(total), quantity.bytes(answer.lua_bytes), by_owner(answer.rows),
    answer.complete and "" or "\nthere are more objects than were looked at")
end

return {
  {
    name = "timeit", arguments = "CODE", rights = "rw", run = timeit,
    help = "runs code for a second: how often, how fast\n"
      .. "Tells the fastest run and the middle one. Others get their turn every 50 ms; Ctrl-C shows what it\n"
      .. "has. From afar a tight loop takes up to twice as long.",
  },
  {
    name = "prof", arguments = "start|stop [FILE]", rights = "rw", run = prof,
    help = "profiles all Lua of the process\n"
      .. "Where it spends its instructions: SELF is of the function itself, ALL with those it calls. FILE gets folded\n"
      .. "stacks, for flame graphs. Loops take about twice their time meanwhile, and units have no quota of time;\n"
      .. "what C functions take is not seen. It ends by itself after a minute.",
  },
  {
    name = "heap", arguments = "[N]", rights = "rw", run = heap,
    help = "what is alive, by type and by unit\n"
      .. "The N largest (20). Counted between turns of the loop. What several units can reach is of the first; sizes\n"
      .. "are reckoned, and code is not among them.",
  },
}
