--- Lines that stand at the bottom of a terminal, while what else is printed scrolls above them.
--
-- Makes the bytes; who has the terminal writes them. The lines are below the cursor at any time, so "erase from the
-- cursor on" takes them away, wherever a terminal has moved them as it was resized. Sources: ECMA-48, and DEC's VT220
-- manual for DECSC, DECRC, DECSTBM and DECAWM.

---@class strobe.gpio.Footer
---@field private lines? string[] what stands there; nil when there is nothing
---@field private columns integer
---@field private rows integer
local Footer = {}
Footer.__index = Footer

local SAVE, RESTORE = "\0277", "\0278" -- the cursor
local WHOLE_SCREEN = "\27[r" -- scrolls; the cursor is at the top then
local ERASE_BELOW, ERASE_TO_THE_RIGHT = "\27[J", "\27[K"
local DOWN = "\27D" -- scrolls at the bottom; the column stays
local CUT, WRAP = "\27[?7l", "\27[?7h" -- what is longer than a line

--- Makes one that is not there yet.
---@return strobe.gpio.Footer
function Footer.new()
  return setmetatable({}, Footer)
end

-- Takes the last lines from what scrolls.
local function reserve(self, height)
  return ("%s\27[%dA%s\27[1;%dr%s"):format(DOWN:rep(height), height, SAVE, self.rows - height, RESTORE)
end

--- Draws the lines that are not there already.
---@param lines string[] fewer than the terminal has rows; colours are all they may have of controls. What does not
--- fit before the last column is cut
---@param columns integer of the terminal
---@param rows integer
---@return string bytes none when nothing is new
function Footer:draw(lines, columns, rows)
  local bytes = {}
  if not self.lines or self.columns ~= columns or self.rows ~= rows or #self.lines ~= #lines then
    bytes[1] = self:erase()
    self.lines, self.columns, self.rows = {}, columns, rows
    bytes[2] = reserve(self, #lines)
  end
  bytes[#bytes + 1] = SAVE .. CUT
  local before = #bytes
  for i, line in ipairs(lines) do
    if self.lines[i] ~= line then
      bytes[#bytes + 1] = ("\27[%d;1H%s%s"):format(rows - #lines + i, line, ERASE_TO_THE_RIGHT)
    end
  end
  local same = #bytes == before
  self.lines = table.move(lines, 1, #lines, 1, {})
  bytes[#bytes + 1] = WRAP .. RESTORE
  return same and "" or table.concat(bytes)
end

--- Takes the lines away. Twice is harmless.
---@return string bytes
function Footer:erase()
  local there = self.lines
  self.lines = nil
  return there and SAVE .. WHOLE_SCREEN .. RESTORE .. ERASE_BELOW or ""
end

--- To print after it was erased: what follows begins a line, wherever the cursor is, as after an echoed ^C.
---@return string bytes
function Footer:begin_line()
  return (" "):rep(self.columns or 0) .. "\r" .. ERASE_BELOW
end

return Footer
