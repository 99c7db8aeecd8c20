--- The text that is edited, and the cursor in it. Places are bytes, from 1; the cursor is before the byte it names.

local Undo = require "strobe.editor.undo"
local grapheme = require "strobe.editor.grapheme"

local MOST = 1024 * 1024 -- bytes, as much as a line of the attach protocol

---@class strobe.editor.Buffer
---@field text string
---@field cursor integer 1 to #text + 1
---@field private undone strobe.editor.Undo
local Buffer = {}
Buffer.__index = Buffer

--- The most bytes a text may have.
Buffer.MOST = MOST

--- Makes an empty one.
---@return strobe.editor.Buffer
function Buffer.new()
  return setmetatable({ text = "", cursor = 1, undone = Undo.new() }, Buffer)
end

--- Forgets all, undo too.
function Buffer:clear()
  self.text, self.cursor, self.undone = "", 1, Undo.new()
end

local function change(buffer, first, last, text)
  local whole = buffer.text
  if first > #whole then
    buffer.text = whole .. text
  else
    buffer.text = whole:sub(1, first - 1) .. text .. whole:sub(last + 1)
  end
end

-- Puts the cursor somewhere; behind a character, if bytes around it have become one.
local function put_cursor(buffer, at)
  local byte = buffer.text:byte(at)
  if byte and byte >= 0x80 and byte < 0xC0 then
    at = grapheme.boundary(buffer.text, at)
  end
  buffer.cursor = at
end

local function has_room(buffer, removed, inserted)
  return #buffer.text - removed + inserted <= MOST
end

--- Puts text in the place of some; the cursor is behind it then.
---@param first integer
---@param last integer first - 1 for nothing
---@param text string
---@param cursor? integer where the cursor is to be
---@return boolean whether there was room
function Buffer:replace(first, last, text, cursor)
  local removed = self.text:sub(first, last)
  if not has_room(self, #removed, #text) then
    return false
  elseif removed ~= text then
    change(self, first, last, text)
    cursor = cursor or first + #text
    self.undone:add { at = first, removed = removed, inserted = text, before = self.cursor, after = cursor }
  end
  put_cursor(self, cursor or first + #text)
  return true
end

--- Types text at the cursor.
---@param text string
---@return boolean whether there was room
function Buffer:type(text)
  local at = self.cursor
  if not has_room(self, 0, #text) then
    return false
  end
  change(self, at, at - 1, text)
  self.undone:add_typing(at, text)
  put_cursor(self, at + #text)
  return true
end

--- Erases the character before the cursor.
---@return boolean whether there is one
function Buffer:erase()
  if self.cursor == 1 then
    return false
  end
  local first = grapheme.previous(self.text, self.cursor)
  local removed = self.text:sub(first, self.cursor - 1)
  change(self, first, self.cursor - 1, "")
  self.undone:add_erasing(first, removed)
  put_cursor(self, first)
  return true
end

--- Erases the character at the cursor.
---@return boolean whether there is one
function Buffer:delete()
  return self.cursor <= #self.text and self:replace(self.cursor, grapheme.next(self.text, self.cursor) - 1, "")
end

--- Takes the last edit back.
---@return boolean whether there is one
function Buffer:undo()
  local edit = self.undone:back()
  if edit then
    change(self, edit.at, edit.at + #edit.inserted - 1, edit.removed)
    put_cursor(self, edit.before)
  end
  return edit ~= nil
end

--- Does the edit again that was taken back.
---@return boolean whether there is one
function Buffer:redo()
  local edit = self.undone:forward()
  if edit then
    change(self, edit.at, edit.at + #edit.removed - 1, edit.inserted)
    put_cursor(self, edit.after)
  end
  return edit ~= nil
end

--- Tells that what is typed now is no part of the word before.
function Buffer:close_word()
  self.undone:close()
end

--- Where the line begins that a place is in.
---@param at? integer the cursor
---@return integer
function Buffer:line_start(at)
  at = at or self.cursor
  -- From behind, in steps that double: a text of many lines is not looked at from its begin.
  local size = 64
  while true do
    local from = math.max(at - size, 1)
    local before = self.text:sub(from, at - 1):match "^.*\n()"
    if before then
      return from + before - 1
    elseif from == 1 then
      return 1
    end
    size = size * 2
  end
end

--- Where the line ends that a place is in: its newline, or one behind the text.
---@param at? integer the cursor
---@return integer
function Buffer:line_end(at)
  return self.text:find("\n", at or self.cursor, true) or #self.text + 1
end

--- The end of the word at the cursor or behind it. Words are letters, digits, `_`, and all that is not ASCII.
---@return integer
function Buffer:word_end()
  return (self.text:match("^[^%w_\128-\255]*[%w_\128-\255]*()", self.cursor))
end

-- What a pattern finds backwards from the cursor.
local function back_over(buffer, pattern)
  local before = buffer.text:sub(1, buffer.cursor - 1):reverse()
  return buffer.cursor + 1 - before:match(pattern)
end

--- The begin of the word at the cursor or before it.
---@return integer
function Buffer:word_start()
  return back_over(self, "^[^%w_\128-\255]*[%w_\128-\255]*()")
end

--- The same for words between blanks.
---@return integer
function Buffer:blank_word_start()
  return back_over(self, "^%s*%S*()")
end

return Buffer
