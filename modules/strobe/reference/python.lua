--- The table of asyncio's names, to be asked and shown: `strobe help asyncio.gather`, and a page of Markdown.

local names = require "strobe.reference.asyncio"

local python = {}

---@class strobe.reference.Counterpart
---@field name string "asyncio.gather"
---@field here? string the name in the reference; nil when there is none
---@field note? string what differs, or why there is none

local function row_of(row)
  return { name = "asyncio." .. row[1], here = row[2] or nil, note = row[3] }
end

--- All sections: their title and rows.
---@return {title: string, rows: strobe.reference.Counterpart[]}[]
function python.sections()
  local sections = {}
  for i, section in ipairs(names) do
    local rows = {}
    for j, row in ipairs(section) do
      rows[j] = row_of(row)
    end
    sections[i] = { title = section.title, rows = rows }
  end
  return sections
end

-- Events' loops go by many names: asyncio.AbstractEventLoop.time is loop.time here.
local function shortened(name)
  return (name:gsub("^asyncio%.", ""):gsub("^AbstractEventLoop%.", "loop."):gsub("^EventLoop%.", "loop."))
end

--- The row of a name.
---@param name string "asyncio.gather" or "gather"
---@return strobe.reference.Counterpart?
function python.find(name)
  name = "asyncio." .. shortened(name)
  for _, section in ipairs(python.sections()) do
    for _, row in ipairs(section.rows) do
      if row.name == name then
        return row
      end
    end
  end
end

--- The name of asyncio that a name of ours stands for, if both end alike.
---@param here string "async.gather"
---@return string? name "asyncio.gather"
function python.name_of(here)
  local last = here:match "[%w_]+$"
  for _, section in ipairs(python.sections()) do
    for _, row in ipairs(section.rows) do
      if row.here == here and row.name:match "[%w_]+$" == last then
        return row.name
      end
    end
  end
end

-- The rows that have a word in their names.
local function containing(word)
  local found = {}
  for _, section in ipairs(python.sections()) do
    for _, row in ipairs(section.rows) do
      if row.name:sub(9):lower():find(shortened(word):lower(), 1, true) then
        found[#found + 1] = row
      end
    end
  end
  return found
end

local function line_of(row)
  return ("  %-44s %s"):format(row.name, row.here or "-")
end

local function list(rows)
  local lines = {}
  for i, row in ipairs(rows) do
    lines[i] = line_of(row)
  end
  return table.concat(lines, "\n") .. "\n"
end

local function all()
  local parts = { "From asyncio to strobe; 'strobe help asyncio.NAME' says what differs, or why there is none (-).\n" }
  for _, section in ipairs(python.sections()) do
    parts[#parts + 1] = section.title .. "\n\n" .. list(section.rows)
  end
  return table.concat(parts, "\n")
end

-- A row, and behind it what the reference tells of its counterpart.
local function one(row)
  if not row.here then
    return ("%s   has no counterpart\n\n  %s\n"):format(row.name, row.note)
  end
  local text = ("%s   is %s here\n"):format(row.name, row.here)
  text = text .. (row.note and ("\n  %s\n"):format(row.note) or "\n  it means the same\n")
  local terminal = require "strobe.reference.terminal"
  for _, item in ipairs(require("strobe.reference.lookup").find(row.here)) do
    text = text .. "\n" .. terminal.item(item)
  end
  return text
end

--- What stands for a name, or for all of them.
---@param name? string "gather", "Queue.put"
---@return string? text
---@return string? message
function python.text(name)
  if not name then
    return all()
  end
  local row = python.find(name)
  if row then
    return one(row)
  end
  local found = containing(name)
  if #found == 0 then
    return nil, ("asyncio has no '%s', or it is newer than this table"):format(name)
  end
  return ("no name of asyncio is just '%s'; these have it in them:\n%s"):format(name, list(found))
end

-- Plain text in a cell of a table.
local function cell(text)
  return (text:gsub("[<*|]", "\\%0"))
end

local function here_as_link(row, page_of)
  if not row.here then
    return "–"
  end
  local page = page_of(row.here)
  return page and ("[`%s`](%s)"):format(row.here, page) or ("`%s`"):format(row.here)
end

--- The page of Markdown.
---@param page_of fun(name: string): string? the address of a name of ours
---@return string
function python.markdown(page_of)
  local lines = { "[strobe](index.md)\n", "# From asyncio to strobe\n" }
  lines[#lines + 1] = "Names up to Python 3.14. What says nothing means the same; – has no counterpart.\n"
  for _, section in ipairs(python.sections()) do
    lines[#lines + 1] = ("## %s\n\n| asyncio | strobe | |\n|---|---|---|"):format(section.title)
    for _, row in ipairs(section.rows) do
      local text = '| <a id="%s"></a>`%s` | %s | %s |'
      lines[#lines + 1] = text:format(row.name, row.name, here_as_link(row, page_of), cell(row.note or ""))
    end
    lines[#lines + 1] = ""
  end
  return table.concat(lines, "\n")
end

return python
