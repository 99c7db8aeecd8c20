--- Tables for people: columns that line up, within a width.
--
--   grid.text({ { "TASK", align = "right" }, { "NAME", flexible = true } }, { { "1", "main" } }, { width = 80 })
--
-- What is too wide is cut, with … in its place: the flexible columns first, the widest of them first; a line is never
-- longer than the width. Cells are plain text; colours come from the column and are no part of the widths.

local stack = require "strobe.async.stack"
local widths = require "strobe.editor.width"

-- Columns between two columns; of a flexible one at least.
local GAP, LEAST = "  ", 8
local ELLIPSIS = "…"

---@class strobe.grid.Column
---@field [1] string title
---@field align? "right"
---@field flexible? boolean it may be cut
---@field keep_end? boolean cut at its beginning, as paths are
---@field wrap? boolean the last one: what is too wide goes on in the next line
---@field style? fun(cell: string): string? the SGR codes of a cell, "31"

local grid = {}

--- How many columns a text takes; bytes that are no UTF-8 take one each.
---@param text string
---@return integer
function grid.width(text)
  if not utf8.len(text) then
    return #text
  elseif not text:find "[\x80-\xff]" then
    return #text
  end
  local width = 0
  for _, code in utf8.codes(text) do
    width = width + math.max(widths.of(code), 0)
  end
  return width
end

local function characters(text)
  local list = {}
  local pattern = utf8.len(text) and utf8.charpattern or "."
  for character in text:gmatch(pattern) do
    list[#list + 1] = character
  end
  return list
end

--- A text of at most so many columns; what is missing at its end (or beginning) is told by "…".
---@param text string
---@param most integer
---@param keep_end? boolean
---@return string
function grid.cut(text, most, keep_end)
  if grid.width(text) <= most then
    return text
  elseif most <= 1 then
    return most == 1 and ELLIPSIS or ""
  end
  local list, left = characters(text), most - 1
  local from, to, step = 1, #list, 1
  if keep_end then
    from, to, step = #list, 1, -1
  end
  local kept = {}
  for i = from, to, step do
    left = left - grid.width(list[i])
    if left < 0 then
      break
    end
    table.insert(kept, keep_end and 1 or #kept + 1, list[i])
  end
  return keep_end and ELLIPSIS .. table.concat(kept) or table.concat(kept) .. ELLIPSIS
end

-- The words of a text that fit in a line, at least one, and the rest.
local function split(text, most)
  local last, first
  for blank, word in text:gmatch "()%s+()" do
    if last and grid.width(text:sub(1, blank - 1)) > most then
      break
    end
    last, first = blank - 1, word
  end
  if not last then
    return text, ""
  end
  return text:sub(1, last), text:sub(first)
end

--- Lines of at most so many columns, broken between words; a word that is longer stays whole. A line that is indented
--- goes on two columns behind that.
---@param text string
---@param most integer columns
---@return string[]
function grid.wrap(text, most)
  local lines = {}
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    local indent, rest = line:match "^(%s*)(.*)$"
    local hanging = indent == "" and "" or indent .. "  "
    repeat
      local part
      part, rest = rest, ""
      if grid.width(indent .. part) > most then
        part, rest = split(part, most - #indent)
      end
      lines[#lines + 1], indent = indent .. part, hanging
    until rest == ""
  end
  return lines
end

local function widths_of(columns, rows)
  local most = {}
  for i, column in ipairs(columns) do
    most[i] = grid.width(column[1])
  end
  for _, row in ipairs(rows) do
    for i = 1, #columns do
      most[i] = math.max(most[i], grid.width(row[i]))
    end
  end
  return most
end

local function total(taken)
  local sum = (#taken - 1) * #GAP
  for _, width in ipairs(taken) do
    sum = sum + width
  end
  return sum
end

-- The widest column that may still be cut.
local function widest(columns, taken)
  local found
  for i, column in ipairs(columns) do
    if column.flexible and taken[i] > LEAST and (not found or taken[i] > taken[found]) then
      found = i
    end
  end
  return found
end

local function shrink(columns, taken, most)
  local excess = total(taken) - most
  while excess > 0 do
    local i = widest(columns, taken)
    if not i then
      return
    end
    taken[i], excess = taken[i] - 1, excess - 1
  end
end

local function padded(text, width, align)
  local blanks = (" "):rep(width - grid.width(text))
  return align == "right" and blanks .. text or text .. blanks
end

local function styled(text, style)
  return style and style ~= "" and ("\27[%sm%s\27[0m"):format(style, text) or text
end
grid.styled = styled

local function line_of(columns, row, taken, most, style_of)
  local parts, left = {}, most
  for i, column in ipairs(columns) do
    if left <= 0 then
      break
    end
    local width = math.min(taken[i], left)
    local text = grid.cut(row[i], width, column.keep_end)
    if i < #columns or column.align == "right" then
      text = padded(text, width, column.align)
    end
    parts[#parts + 1] = styled(text, style_of and style_of(column, row[i]))
    left = left - width - #GAP
  end
  return (table.concat(parts, GAP):gsub(" +$", ""))
end

local function title_row(columns)
  local row = {}
  for i, column in ipairs(columns) do
    row[i] = column[1]
  end
  return row
end

local function printable_rows(columns, rows)
  local made = {}
  for i, row in ipairs(rows) do
    made[i] = {}
    for j = 1, #columns do
      local cell = row[j]
      made[i][j] = stack.printable(cell == nil and "-" or tostring(cell))
    end
  end
  return made
end

-- Rows whose last cell is wrapped have as many below them as that takes.
local function wrapped_rows(columns, rows, taken)
  local last = #columns
  if not columns[last].wrap then
    return rows
  end
  local made, blank = {}, {}
  for i = 1, last do
    blank[i] = ""
  end
  for _, row in ipairs(rows) do
    for i, line in ipairs(grid.wrap(row[last], taken[last])) do
      local part = table.move(i == 1 and row or blank, 1, last, 1, {})
      part[last] = line
      made[#made + 1] = part
    end
  end
  return made
end

--- The table as text, its titles first.
---@param columns strobe.grid.Column[]
---@param rows any[][] cells; nil is "-"
---@param options? {width?: integer, color?: boolean} columns of the screen (80)
---@return string without a newline at its end
function grid.text(columns, rows, options)
  local most, color = options and options.width or 80, options and options.color
  rows = printable_rows(columns, rows)
  local taken = widths_of(columns, rows)
  shrink(columns, taken, most)
  rows = wrapped_rows(columns, rows, taken)
  local lines = { line_of(columns, title_row(columns), taken, most, color and function()
    return "1"
  end) }
  for i, row in ipairs(rows) do
    lines[i + 1] = line_of(columns, row, taken, most, color and function(column, cell)
      return column.style and column.style(cell)
    end)
  end
  return table.concat(lines, "\n")
end

--- Lines "name  value", the values aligned; a value may have several lines, and goes on in the next one where it is too
--- wide.
---@param pairs_of {[1]: string, [2]: string?}[] those without a value are left out
---@param options? {width?: integer, color?: boolean}
---@return string
function grid.list(pairs_of, options)
  local most, color, widest_name = options and options.width or 80, options and options.color, 0
  for _, pair in ipairs(pairs_of) do
    widest_name = pair[2] and math.max(widest_name, grid.width(pair[1])) or widest_name
  end
  local lines, room = {}, math.max(most - widest_name - #GAP, 1)
  for _, pair in ipairs(pairs_of) do
    local name = pair[1]
    for line in (pair[2] or ""):gmatch "[^\n]+" do
      for _, part in ipairs(grid.wrap(stack.printable(line), room)) do
        lines[#lines + 1] = styled(padded(name, widest_name), color and "1") .. GAP .. grid.cut(part, room)
        name = ""
      end
    end
  end
  return table.concat(lines, "\n")
end

return grid
