--- A small model of a terminal: what a screen shows once it was given bytes. It knows what our programs send, and
-- refuses all else. Characters are one column wide, two (East Asian and emoji), or none (combining), and a wide one
-- has to fit before the last column.

local assert = require "luassert"

---@class spec.Screen
---@field row integer of the cursor, from 1
---@field column integer one behind the last, when the next character wraps
---@field top integer the first row that scrolls
---@field bottom integer the last
---@field gone string[] the rows that have left at the top
---@field pasting boolean whether bracketed paste is on
---@field reflows boolean lines that wrapped are wrapped anew by a resize, as most terminals do (false)
local Screen = {}
Screen.__index = Screen

--- Makes one that is blank.
---@param rows integer
---@param columns integer
---@return spec.Screen
function Screen.new(rows, columns)
  local screen = setmetatable({
    rows = rows, columns = columns, row = 1, column = 1, wraps = true, cells = {}, gone = {}, kept = {},
    pasting = false, reflows = false, followed = 0,
  }, Screen)
  screen.top, screen.bottom = 1, rows
  for row = 1, rows do
    screen.cells[row] = {}
  end
  return screen
end

-- --- Characters ---------------------------------------------------------------------------------

local WIDE = {
  { 0x1100, 0x115F }, { 0x2E80, 0x303E }, { 0x3041, 0x4DBF }, { 0x4E00, 0xA4CF }, { 0xAC00, 0xD7A3 },
  { 0xF900, 0xFAFF }, { 0xFE30, 0xFE6F }, { 0xFF01, 0xFF60 }, { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1F320 },
  { 0x1F3FB, 0x1F3FF }, { 0x1F400, 0x1F43E }, { 0x1F440, 0x1F440 }, { 0x1F442, 0x1F4FC }, { 0x1F600, 0x1F64F },
  { 0x1F680, 0x1F6C5 }, { 0x20000, 0x2FFFD },
}
local NONE = {
  { 0x0300, 0x036F }, { 0x0591, 0x05BD }, { 0x064B, 0x065F }, { 0x1160, 0x11FF }, { 0x1AB0, 0x1ABE },
  { 0x200B, 0x200F }, { 0x20D0, 0x20F0 }, { 0xFE00, 0xFE0F }, { 0xFE20, 0xFE2F }, { 0xE0100, 0xE01EF },
}

local function within(ranges, codepoint)
  for _, range in ipairs(ranges) do
    if codepoint >= range[1] and codepoint <= range[2] then
      return true
    end
  end
  return false
end

--- How many columns a character takes; what is no text is none of a terminal's business.
---@param character string
---@return integer
function Screen.width(character)
  local codepoint = utf8.codepoint(character)
  assert(codepoint >= 32 and (codepoint < 127 or codepoint >= 160), ("the control character %d"):format(codepoint))
  return within(NONE, codepoint) and 0 or within(WIDE, codepoint) and 2 or 1
end

local function text_of(screen, cells)
  local line = {}
  for column = 1, screen.columns do
    line[column] = cells[column] or " "
  end
  return (table.concat(line):gsub(" +$", ""))
end

local function down(screen)
  if screen.row == screen.bottom then
    local cells = table.remove(screen.cells, screen.top)
    table.insert(screen.cells, screen.bottom, {})
    if screen.top == 1 then
      screen.gone[#screen.gone + 1], screen.kept[#screen.kept + 1] = text_of(screen, cells), cells
    end
  elseif screen.row < screen.rows then
    screen.row = screen.row + 1
  end
end

-- A wide character goes whole when a half of it is written over.
local function clear(cells, column)
  if cells[column] == "" then
    cells[column - 1] = nil
  elseif cells[column + 1] == "" then
    cells[column + 1] = nil
  end
  cells[column] = nil
end

local function combine(screen, character)
  local cells, column = screen.cells[screen.row], screen.column - 1
  column = cells[column] == "" and column - 1 or column
  if cells[column] then
    cells[column] = cells[column] .. character
  end
end

-- The cursor may wait behind the last column: only the next character wraps.
local function put(screen, character)
  local width = Screen.width(character)
  if width == 0 then
    return combine(screen, character)
  elseif screen.column > screen.columns then
    screen.column = screen.wraps and 1 or screen.columns
    if screen.wraps then
      screen.cells[screen.row].wrapped = true
      down(screen)
    end
  end
  assert(screen.column + width - 1 <= screen.columns, "a wide character is cut by the right edge")
  local cells = screen.cells[screen.row]
  for i = 0, width - 1 do
    clear(cells, screen.column + i)
  end
  cells[screen.column], cells[screen.column + 1] = character, width == 2 and "" or cells[screen.column + 1]
  screen.column = screen.column + width
end

-- --- Sequences ----------------------------------------------------------------------------------

local function erase_right(screen)
  local cells = screen.cells[screen.row]
  for column = math.min(screen.column, screen.columns), screen.columns do
    clear(cells, column)
  end
  cells.wrapped = nil
end

local escapes = {
  ["7"] = function(screen)
    screen.saved = { screen.row, screen.column }
  end,
  ["8"] = function(screen)
    screen.row, screen.column = table.unpack(screen.saved)
  end,
  D = down,
}

local sequences = {
  A = function(screen, count)
    screen.row = math.max(1, screen.row - (count or 1))
    screen.column = math.min(screen.column, screen.columns)
  end,
  C = function(screen, count)
    screen.column = math.min(screen.column + (count or 1), screen.columns)
  end,
  H = function(screen, row, column)
    screen.row, screen.column = math.min(row or 1, screen.rows), math.min(column or 1, screen.columns)
  end,
  J = function(screen)
    erase_right(screen)
    for row = screen.row + 1, screen.rows do
      screen.cells[row] = {}
    end
  end,
  K = erase_right,
  m = function() end, -- colours
  r = function(screen, top, bottom)
    screen.top, screen.bottom, screen.row, screen.column = top or 1, bottom or screen.rows, 1, 1
  end,
}

local modes = {
  ["?7h"] = function(screen) screen.wraps = true end,
  ["?7l"] = function(screen) screen.wraps = false end,
  ["?2004h"] = function(screen) screen.pasting = true end,
  ["?2004l"] = function(screen) screen.pasting = false end,
}

local controls = {
  ["\n"] = down,
  ["\r"] = function(screen)
    screen.column = 1
  end,
  ["\t"] = function(screen)
    screen.column = math.min((screen.column - 1) // 8 * 8 + 9, screen.columns)
  end,
}

-- Carries out a sequence at a place; where the next begins.
local function escape(screen, bytes, at)
  local parameters, letter, next = bytes:match("^\27%[([%d;?]*)(%a)()", at)
  if not parameters then
    letter, next = bytes:match("^\27(.)()", at)
    assert(escapes[letter], ("no escape ESC %s"):format(letter))(screen)
  elseif modes[parameters .. letter] then
    modes[parameters .. letter](screen)
  else
    local numbers = {}
    for digits in parameters:gmatch "%d+" do
      numbers[#numbers + 1] = tonumber(digits)
    end
    assert(sequences[letter], ("no sequence ESC [ %s %s"):format(parameters, letter))(screen, table.unpack(numbers))
  end
  return next
end

--- Gives it bytes, whole sequences.
---@param bytes string
function Screen:feed(bytes)
  local at = 1
  while at <= #bytes do
    local character = bytes:match("^[%z\1-\127\194-\244][\128-\191]*", at)
    assert(character, "bytes that are no UTF-8")
    if character == "\27" then
      at = escape(self, bytes, at)
    else
      local control = controls[character]
      if control then
        control(self)
      else
        put(self, character)
      end
      at = at + #character
    end
  end
end

--- Gives it what is new in the output of a program: the sequences and characters that are whole.
---@param output string all of it
function Screen:follow(output)
  local news = output:sub(self.followed + 1)
  local whole = news:gsub("\27%[[%d;?]*$", ""):gsub("\27$", "")
  local _, broken = utf8.len(whole)
  whole = whole:sub(1, (broken or #whole + 1) - 1)
  self:feed(whole)
  self.followed = self.followed + #whole
end

-- --- Size ---------------------------------------------------------------------------------------

-- Another number of rows: they go at the bottom, and at the top what the cursor would leave.
local function change_rows(screen, rows)
  while #screen.cells > rows do
    table.remove(screen.cells, screen.row < #screen.cells and #screen.cells or 1)
    screen.row = math.min(screen.row, #screen.cells)
  end
  for row = #screen.cells + 1, rows do
    screen.cells[row] = {}
  end
end

-- All there is, as lines without wrapping; in that of the cursor, the character it is on is `at`.
local function unwrap(screen)
  local all, lines, line = table.move(screen.kept, 1, #screen.kept, 1, {}), {}, {}
  table.move(screen.cells, 1, #screen.cells, #all + 1, all)
  for i, cells in ipairs(all) do
    if i == #screen.kept + screen.row then
      line.at, lines.cursor = #line + screen.column, #lines + 1
    end
    local last = cells.wrapped and screen.columns or 0
    for column = screen.columns, 1, -1 do
      last = cells[column] and math.max(last, column) or last
    end
    for column = 1, last do
      line[#line + 1] = cells[column] or " "
    end
    if not cells.wrapped then
      lines[#lines + 1], line = line, {}
    end
  end
  return lines
end

-- The rows of a line; the one with the cursor has its column.
local function wrap(line, columns)
  local rows, row = {}, {}
  for i = 1, math.max(#line, line.at or 0) do
    local wide = line[i + 1] == ""
    if #row > 0 and #row + (wide and 2 or 1) > columns and line[i] ~= "" then
      row.wrapped = true
      rows[#rows + 1], row = row, {}
    end
    row.cursor = line.at == i and #row + 1 or row.cursor
    row[#row + 1] = line[i] or i <= #line and " " or nil
  end
  rows[#rows + 1] = row
  return rows
end

local function reflow(screen, rows, columns)
  local lines, all = unwrap(screen), {}
  while #lines > lines.cursor and #lines[#lines] == 0 do
    table.remove(lines)
  end
  for _, line in ipairs(lines) do
    table.move(wrap(line, columns), 1, #line + 1, #all + 1, all)
  end
  local above = #all - rows
  for i, row in ipairs(all) do
    if row.cursor then -- is to be seen
      above = math.max(math.min(above, i - 1), 0)
      screen.row, screen.column = i - above, row.cursor
    end
  end
  screen.kept, screen.gone, screen.columns = table.move(all, 1, above, 1, {}), {}, columns
  screen.cells = table.move(all, above + 1, math.min(above + rows, #all), 1, {})
  for i, row in ipairs(screen.kept) do
    screen.gone[i] = text_of(screen, row)
  end
end

--- Another size: rows go at the bottom, and at the top what the cursor would leave.
---@param rows integer
---@param columns integer
function Screen:resize(rows, columns)
  if self.reflows and columns ~= self.columns then
    reflow(self, rows, columns)
  end
  change_rows(self, rows)
  self.rows, self.columns, self.top, self.bottom = rows, columns, 1, rows
end

--- What a row shows, without blanks at its end.
---@param row integer
---@return string
function Screen:line(row)
  return text_of(self, self.cells[row])
end

--- What it shows: lines without blanks at their ends, and none that are blank at the end.
---@return string
function Screen:text()
  local lines = {}
  for row, cells in ipairs(self.cells) do
    lines[row] = text_of(self, cells)
  end
  return (table.concat(lines, "\n"):gsub("\n+$", ""))
end

return Screen
