--- The table of ratios, and the same as JSON.
local Report = {}

local NONE = "–"
local HEAD = {"work", "measure", "peer", "peer's figure", "strobe's", "ratio", "target", ""}

local function number(value)
  if value >= 1000 then
    local digits = ("%.0f"):format(value)
    return (digits:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
  end
  return ("%.3g"):format(value)
end

local function show(figure)
  return figure and number(figure.best) .. " " .. figure.unit or NONE
end

--- How many times strobe is better than the peer.
local function ratio(result, strobe, peer)
  if not (strobe and peer) then return end
  if result.better == "less" then return peer.best / strobe.best end
  return strobe.best / peer.best
end

local function verdict(met)
  return met and "met" or "missed"
end

--- Strobe's figure alone, with the least or the most that it may be, if there is one.
local function own_row(work, result, strobe)
  local row = {work.title, result.name, NONE, NONE, show(strobe), NONE, NONE, NONE}
  if result.limit then
    row[7] = "≤ " .. number(result.limit)
    row[8] = strobe and verdict(strobe.best <= result.limit) or NONE
  elseif result.least then
    row[7] = "≥ " .. number(result.least)
    row[8] = strobe and verdict(strobe.best >= result.least) or NONE
  end
  return row
end

local function peer_row(work, result, strobe, contestant)
  local figure = contestant.figures[result.name]
  local times, target = ratio(result, strobe, figure), result.targets[contestant.name]
  local missing = contestant.skipped and "skipped" or contestant.failed and "failed" or NONE
  return {
    work.title, result.name, contestant.name, figure and show(figure) or missing, show(strobe),
    times and ("%.2f×"):format(times) or NONE,
    target and ("≥ %g×"):format(target) or NONE,
    times and target and verdict(times >= target) or NONE,
  }
end

--- Empties what repeats the row above, as one reads a table.
local function thin_out(all)
  for i = #all, 3, -1 do
    for _, column in ipairs{1, 2, 5} do
      if all[i][column] ~= all[i - 1][column] then break end
      all[i][column] = ""
    end
  end
  return all
end

local function rows(works)
  local all = {HEAD}
  for _, work in ipairs(works) do
    for _, result in ipairs(work.faults and {} or work.results) do
      local strobe = work.contestants[1].figures[result.name]
      if not result.targets then all[#all + 1] = own_row(work, result, strobe) end
      for i = 2, result.targets and #work.contestants or 0 do
        local peer = work.contestants[i]
        if not result.peers or result.peers[peer.name] then
          all[#all + 1] = peer_row(work, result, strobe, peer)
        end
      end
    end
  end
  return thin_out(all)
end

local function widths(all)
  local width = {}
  for _, row in ipairs(all) do
    for i, cell in ipairs(row) do width[i] = math.max(width[i] or 3, utf8.len(cell)) end
  end
  return width
end

local function line(row, width, right)
  local cells = {}
  for i, cell in ipairs(row) do
    local gap = (" "):rep(width[i] - utf8.len(cell))
    cells[i] = right[i] and gap .. cell or cell .. gap
  end
  return "| " .. table.concat(cells, " | ") .. " |"
end

local function rule(width, right)
  local cells = {}
  for i, n in ipairs(width) do
    cells[i] = right[i] and ("-"):rep(n - 1) .. ":" or ("-"):rep(n)
  end
  return "| " .. table.concat(cells, " | ") .. " |"
end

--- Rows as Markdown; `right` are the columns of numbers.
local function render(all, right)
  local width = widths(all)
  local lines = {line(all[1], width, right), rule(width, right)}
  for i = 2, #all do lines[#lines + 1] = line(all[i], width, right) end
  return table.concat(lines, "\n")
end

local function fault_cell(contestant, fault)
  local figures = contestant.figures
  local p99, most = figures[fault .. "_p99_ms"], figures[fault .. "_max_ms"]
  local rate, memory = figures[fault .. "_per_s"], figures[fault .. "_mib"]
  if not (p99 and most and rate and memory) then
    return contestant.skipped and "skipped" or "failed"
  end
  return ("%s / %s ms, %s/s, %s MiB"):format(number(p99.best), number(most.best), number(rate.best),
    number(memory.best))
end

local function fault_table(work)
  local all, right = {{work.title .. ": p99 / most"}}, {}
  for i, contestant in ipairs(work.contestants) do
    all[1][i + 1], right[i + 1] = contestant.name, true
  end
  for _, fault in ipairs(work.faults) do
    local row = {(fault:gsub("_", " "))}
    for i, contestant in ipairs(work.contestants) do row[i + 1] = fault_cell(contestant, fault) end
    all[#all + 1] = row
  end
  return render(all, right)
end

local RIGHT = {[4] = true, [5] = true, [6] = true, [7] = true}

--- The Markdown tables of all works.
---@param works table[]
---@return string
function Report.table(works)
  local tables, all = {}, rows(works)
  if #all > 1 then tables[1] = render(all, RIGHT) end
  for _, work in ipairs(works) do
    if work.faults then tables[#tables + 1] = fault_table(work) end
  end
  return table.concat(tables, "\n\n")
end

local function json_string(text)
  return '"' .. text:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
end

local function json_result(work, name, contestant, figure)
  local runs = {}
  for i, run in ipairs(figure.runs) do runs[i] = ("%.6g"):format(run) end
  return ('  {"work":%s,"measure":%s,"contestant":%s,"unit":%s,"best":%.6g,"runs":[%s]}'):format(
    json_string(work.name), json_string(name), json_string(contestant.name),
    json_string(figure.unit), figure.best, table.concat(runs, ","))
end

local function json_results(works)
  local results = {}
  for _, work in ipairs(works) do
    for _, contestant in ipairs(work.contestants) do
      for name, figure in pairs(contestant.figures) do
        results[#results + 1] = json_result(work, name, contestant, figure)
      end
    end
  end
  table.sort(results)
  return results
end

--- All figures as one JSON object.
---@param works table[]
---@param machine {[1]: string, [2]: string}[] names and values
---@param quick boolean
---@return string
function Report.json(works, machine, quick)
  local facts = {}
  for i, fact in ipairs(machine) do
    facts[i] = "  " .. json_string(fact[1]) .. ": " .. json_string(fact[2])
  end
  return ('{"quick": %s,\n"machine": {\n%s},\n"results": [\n%s]}\n'):format(quick,
    table.concat(facts, ",\n"), table.concat(json_results(works), ",\n"))
end

return Report
