--- How a text looks: what stands for each character, and how many columns that takes.
--
-- Terminals add up the widths of code points, so this does too: wide ones take 2 columns, combining ones none. What
-- could steer the terminal is not shown as it is: controls are `^X`; the second set of them, what reverses the
-- direction of writing, and bytes that are no UTF-8 are U+FFFD. A tab goes to the next multiple of 4. A combining mark
-- without anything to combine with gets a circle.

local grapheme = require "strobe.editor.grapheme"
local width = require "strobe.editor.width"

local TAB = 4
local UNKNOWN, CIRCLE = "\u{FFFD}", "\u{25CC}"
local FIRST_COMBINING = 0xCC -- the lead byte of U+0300
local MOST_MARKS = 31
local CHUNK = 512 -- columns to look at at once
local MOST_KNOWN = 8192 -- characters whose columns are kept

local cell = {}

local known, count = {}, 0 -- columns by character

-- Where the marks end that combine with what ended here.
local function skip_marks(text, at)
  for _ = 1, MOST_MARKS do
    if (text:byte(at) or 0) < FIRST_COMBINING then
      break
    end
    local codepoint, next = grapheme.codepoint(text, at)
    if not codepoint or width.of(codepoint) ~= 0 then
      break
    end
    at = next
  end
  return at
end

local function control(byte, column, columns)
  if byte == 9 then
    local blanks = math.min(TAB - column % TAB, columns - column)
    return blanks, (" "):rep(blanks)
  end
  return 2, "^" .. string.char(byte ~ 64)
end

local function printable(text, at)
  local codepoint, next = grapheme.codepoint(text, at)
  local taken = codepoint and width.of(codepoint) or -1
  if taken < 0 then
    return next, 1, UNKNOWN
  end
  next = skip_marks(text, next)
  if taken == 0 then
    return next, 1, CIRCLE .. text:sub(at, next - 1)
  end
  return next, taken, text:sub(at, next - 1)
end

-- How many bytes from a place on are plain: one column each, and no marks follow.
local function plain_length(text, first, last)
  local part = text:sub(first, last)
  local length = (part:find "[^\32-\126]" or #part + 1) - 1
  return (text:byte(first + length) or 0) >= FIRST_COMBINING and math.max(length - 1, 0) or length
end

-- The columns of a character; -1 for what is none, must not be shown, or is more: bytes that are no text may follow.
local function learn(character)
  if count == MOST_KNOWN then
    known, count = {}, 0
  end
  local columns = utf8.len(character, 1, 1) and width.of(utf8.codepoint(character)) or -1
  if columns > 0 and utf8.len(character) ~= 1 then
    columns = -1
  end
  known[character], count = columns, count + 1
  return columns
end

-- Skips characters that have no marks and are shown as they are. That is all this is for: it is ten times as quick as
-- looking at each with `at`.
local function skip_characters(text, at, column, columns, last)
  local before, taken = at, 0 -- the last one that was skipped
  for first, character in text:gmatch("()([\32-\126\194-\244][\128-\191]*)", at) do
    local following = known[character] or learn(character)
    if first ~= at then
      break
    elseif following == 0 then
      return before, column - taken
    elseif following < 0 or first > last or column + following > columns then
      break
    end
    before, taken = at, following
    at, column = at + #character, column + following
  end
  return at, column
end

--- Skips what is shown as it is, as far as it fits in a row; `at` tells about what is there then.
---@param text string
---@param at integer
---@param column integer where it is to stand, from 0
---@param columns integer of the screen
---@param last integer where to stop
---@return integer next
---@return integer column
function cell.skip(text, at, column, columns, last)
  local plain = plain_length(text, at, math.min(at + columns - column - 1, last))
  at, column = at + plain, column + plain
  if columns == 1 or (text:byte(at) or 0) < 128 then
    return at, column
  end
  return skip_characters(text, at, column, columns, last)
end

--- What stands for the character at a place, its marks included; in a narrower screen than it is, something narrow.
---@param text string
---@param at integer
---@param column integer where it is to stand, from 0
---@param columns integer of the screen
---@return integer next the place behind it
---@return integer taken columns
---@return string shown
function cell.at(text, at, column, columns)
  local byte = text:byte(at)
  local next, taken, shown
  if byte < 32 or byte == 127 then
    next = at + 1
    taken, shown = control(byte, column, columns)
  else
    next, taken, shown = printable(text, at)
  end
  if taken > columns then
    return next, 1, UNKNOWN
  end
  return next, taken, shown
end

--- The columns of a text without newlines, from a column on, where nothing wraps.
---@param text string
---@param column? integer 0
---@return integer
function cell.width(text, column)
  local from, at = column or 0, 1
  column = from
  while at <= #text do
    at, column = cell.skip(text, at, column, column + CHUNK, #text)
    if at <= #text then
      local next, taken = cell.at(text, at, column, math.maxinteger)
      column, at = column + taken, next
    end
  end
  return column - from
end

--- A text as it looks in one row; what does not fit is cut off with `…`. It may have SGR sequences, which take no room.
---@param text string newlines show as ^J
---@param columns integer
---@return string shown
---@return integer taken columns
function cell.cut(text, columns)
  local shown, column, at = {}, 0, 1
  local fitting, fitted = 0, 0 -- how many of the shown leave a column for the mark, and what they take
  while at <= #text do
    local sequence = text:match("^\27%[[%d;]*m", at)
    local next, taken, looks = at + #(sequence or ""), 0, sequence
    if not sequence then
      next, taken, looks = cell.at(text, at, column, columns)
    end
    if column + taken > columns then
      local reset = text:find("\27", 1, true) and "\27[m" or ""
      return table.concat(shown, "", 1, fitting) .. "…" .. reset, fitted + 1
    end
    shown[#shown + 1], column, at = looks, column + taken, next
    if column < columns then
      fitting, fitted = #shown, column
    end
  end
  return table.concat(shown), column
end

return cell
