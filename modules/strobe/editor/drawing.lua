--- What stands on the screen, and the bytes that change it: only rows that differ are written anew.
--
-- It uses CR, LF, cursor up and right, erase below and to the right, and SGR, which every terminal has (ECMA-48).
-- Behind a full row the cursor waits at the edge: a blank and CR bring it to the next one, so that the terminal knows
-- both as one line. The rows begin in the row in which the cursor was when nothing stood there.

local cell = require "strobe.editor.cell"

---@class strobe.editor.Drawing
---@field private columns integer of the screen
---@field private rows string[] what stands there
---@field private widths integer[] the columns each takes
---@field private row integer of the cursor, 1 is the first of ours
---@field private column integer from 0
local Drawing = {}
Drawing.__index = Drawing

local FIRST_COMBINING = 0xCC -- the lead byte of U+0300
local ERASE_BELOW, ERASE_RIGHT = "\27[J", "\27[K"

--- Makes one with nothing on the screen.
---@param columns integer
---@return strobe.editor.Drawing
function Drawing.new(columns)
  return setmetatable({ columns = columns, rows = {}, widths = {}, row = 1, column = 0 }, Drawing)
end

--- Whether something stands on the screen.
---@return boolean
function Drawing:is_shown()
  return #self.rows > 0
end

-- Moves to the first column of a row: one that is there, or the one behind the last.
local function go_to(drawing, row, bytes)
  if row > drawing.row then
    bytes[#bytes + 1] = "\r" .. ("\n"):rep(row - drawing.row)
  elseif row < drawing.row then
    bytes[#bytes + 1] = ("\r\27[%dA"):format(drawing.row - row)
  elseif drawing.column > 0 then
    bytes[#bytes + 1] = "\r"
  end
  drawing.row, drawing.column = row, 0
end

local function move_right(drawing, column, bytes)
  if column > drawing.column then
    bytes[#bytes + 1] = ("\27[%dC"):format(column - drawing.column)
    drawing.column = column
  end
end

-- The cursor does not stay behind the edge, nor need it go home when it is where it should be.
local function place_cursor(drawing, row, column, bytes)
  if drawing.row ~= row or drawing.column > column or drawing.column >= drawing.columns then
    go_to(drawing, row, bytes)
  end
  move_right(drawing, column, bytes)
end

-- How many bytes of a row may stay, and the columns they take. Unless all of the old row stays, only what is plain is
-- looked at, where bytes are columns. The last character stays only if what follows cannot be a mark for it.
local function same_begin(old, new, old_width)
  if new:sub(1, #old) == old and (new:byte(#old + 1) or 0) < FIRST_COMBINING then
    return #old, old_width
  end
  local plain = math.min(old:find "[^\32-\126]" or #old + 1, new:find "[^\32-\126]" or #new + 1) - 1
  local same = 0
  while same < plain and old:byte(same + 1) == new:byte(same + 1) do
    same = same + 1
  end
  same = same == plain and math.max(same - 1, 0) or same
  return same, same
end

local function write_row(drawing, i, text, width, bytes)
  local same, column = 0, 0
  if drawing.column >= drawing.columns and i == drawing.row + 1 then
    bytes[#bytes + 1] = " \r" -- which writes over what may be there
    drawing.row, drawing.column = i, 0
  else
    if drawing.rows[i] then
      same, column = same_begin(drawing.rows[i], text, drawing.widths[i])
    end
    place_cursor(drawing, i, column, bytes)
  end
  bytes[#bytes + 1] = text:sub(same + 1)
  if width < (drawing.widths[i] or 0) then
    bytes[#bytes + 1] = ERASE_RIGHT
  elseif width >= drawing.columns and (drawing.widths[i] or 0) < width and drawing.rows[i + 1] then
    drawing.rows[i + 1] = false -- to be written, so that the terminal takes both for one line
  end
  drawing.rows[i], drawing.widths[i], drawing.column = text, width, width
end

--- Has rows stand there.
---@param rows string[] at least one; colours are the only sequences in them, and are off at the end of each
---@param widths integer[] the columns each takes
---@param row integer where the cursor is to be
---@param column integer from 0
---@return string bytes none if they stand there
function Drawing:draw(rows, widths, row, column)
  local bytes, count = {}, #self.rows
  for i = 1, #rows do
    if rows[i] ~= self.rows[i] then
      write_row(self, i, rows[i], widths[i], bytes)
    end
  end
  if count > #rows then
    go_to(self, #rows + 1, bytes)
    bytes[#bytes + 1] = ERASE_BELOW
    for i = count, #rows + 1, -1 do
      self.rows[i], self.widths[i] = nil, nil
    end
  end
  place_cursor(self, row, column, bytes)
  return table.concat(bytes)
end

--- Takes all away; the cursor is then where the first row was.
---@return string bytes none if nothing is there
function Drawing:erase()
  if not self:is_shown() then
    return ""
  end
  local bytes = {}
  go_to(self, 1, bytes)
  self.rows, self.widths = {}, {}
  return table.concat(bytes) .. ERASE_BELOW
end

--- Leaves what stands there to the screen; the cursor is then in the first column behind it. An empty row at the end,
--- which was only there for the cursor, is not left.
---@param mark string is written at the cursor before
---@return string bytes
function Drawing:leave(mark)
  local bytes, last = { mark }, #self.rows
  local blank = mark == "" and last > 1 and self.rows[last] == " " and self.widths[last - 1] >= self.columns
  go_to(self, blank and last or last + 1, bytes)
  self.rows, self.widths, self.row = {}, {}, 1
  return table.concat(bytes)
end

-- The columns of each character of a row.
local function widths_in(text)
  local at = 1
  return function()
    at = text:match("^\27%[[%d;]*m()", at) or at
    if at <= #text then
      local next, taken = cell.at(text, at, 0, math.maxinteger)
      at = next
      return taken
    end
  end
end

-- The row in which the cursor is after a terminal of another width has wrapped its lines anew.
local function row_after(drawing, columns)
  local row, column = 1, 0
  local function place(taken)
    if column > 0 and column + taken > columns then
      row, column = row + 1, 0
    end
    column = column + taken
  end
  for i = 1, drawing.row - 1 do
    for taken in widths_in(drawing.rows[i]) do
      place(taken)
    end
    if drawing.widths[i] < drawing.columns then
      row, column = row + 1, 0
    end
  end
  local passed = 0
  for taken in widths_in(drawing.rows[drawing.row]) do
    place(taken)
    if passed >= drawing.column then
      return row
    end
    passed = passed + taken
  end
  place(1)
  return row
end

--- Takes all away from a screen of another width, which has wrapped the rows anew.
---@param columns integer the new width
---@return string bytes
function Drawing:resize(columns)
  local row = self:is_shown() and row_after(self, columns) or 1
  local bytes = self:is_shown() and (row > 1 and ("\r\27[%dA"):format(row - 1) or "\r") .. ERASE_BELOW or ""
  self.columns, self.rows, self.widths, self.row, self.column = columns, {}, {}, 1, 0
  return bytes
end

return Drawing
