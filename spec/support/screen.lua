--- A small model of a terminal: what a screen shows once it was given bytes. It knows what our programs send, and
-- refuses all else.

local assert = require "luassert"

---@class spec.Screen
---@field row integer of the cursor, from 1
---@field column integer
---@field top integer the first row that scrolls
---@field bottom integer the last
local Screen = {}
Screen.__index = Screen

--- Makes one that is blank.
---@param rows integer
---@param columns integer
---@return spec.Screen
function Screen.new(rows, columns)
  local screen = setmetatable({ rows = rows, columns = columns, row = 1, column = 1, wraps = true, cells = {} }, Screen)
  screen.top, screen.bottom = 1, rows
  for row = 1, rows do
    screen.cells[row] = {}
  end
  return screen
end

local function down(screen)
  if screen.row == screen.bottom then
    table.insert(screen.cells, screen.bottom + 1, {})
    table.remove(screen.cells, screen.top)
  elseif screen.row < screen.rows then
    screen.row = screen.row + 1
  end
end

-- The cursor may wait behind the last column: only the next character wraps.
local function put(screen, character)
  if screen.column > screen.columns then
    screen.column = screen.wraps and 1 or screen.columns
    if screen.wraps then
      down(screen)
    end
  end
  screen.cells[screen.row][screen.column] = character
  screen.column = screen.column + 1
end

local function erase_right(screen)
  for column = math.min(screen.column, screen.columns), screen.columns do
    screen.cells[screen.row][column] = nil
  end
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
}

local controls = {
  ["\n"] = down,
  ["\r"] = function(screen)
    screen.column = 1
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

--- Another size: rows go at the bottom, and at the top what the cursor would leave; lines are not reflowed.
---@param rows integer
---@param columns integer
function Screen:resize(rows, columns)
  while #self.cells > rows do
    table.remove(self.cells, self.row < #self.cells and #self.cells or 1)
    self.row = math.min(self.row, #self.cells)
  end
  for row = #self.cells + 1, rows do
    self.cells[row] = {}
  end
  self.rows, self.columns, self.top, self.bottom = rows, columns, 1, rows
end

--- What it shows: lines without blanks at their ends, and none that are blank at the end.
---@return string
function Screen:text()
  local lines = {}
  for row, cells in ipairs(self.cells) do
    local line = {}
    for column = 1, self.columns do
      line[column] = cells[column] or " "
    end
    lines[row] = table.concat(line):gsub(" +$", "")
  end
  return (table.concat(lines, "\n"):gsub("\n+$", ""))
end

return Screen
