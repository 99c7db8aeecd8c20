--- What was edited, to be taken back and done again. Typing, and erasing by characters, is taken back word by word.

local MOST_EDITS, MOST_BYTES = 1000, 4 * 1024 * 1024

---@class strobe.editor.Edit
---@field at integer where it happened
---@field removed string
---@field inserted string
---@field before integer where the cursor was
---@field after integer where it is then
---@field kind? "typing"|"erasing" what may become one with the next

---@class strobe.editor.Undo
---@field private done strobe.editor.Edit[]
---@field private undone strobe.editor.Edit[]
---@field private bytes integer what the texts of `done` take
local Undo = {}
Undo.__index = Undo

--- Makes one in which nothing was edited.
---@return strobe.editor.Undo
function Undo.new()
  return setmetatable({ done = {}, undone = {}, bytes = 0 }, Undo)
end

local function size(edit)
  return #edit.removed + #edit.inserted
end

-- Drops the oldest, several at once: seldom.
local function shrink(undo)
  if #undo.done < 2 * MOST_EDITS and undo.bytes <= MOST_BYTES then
    return
  end
  local drop = 0
  while #undo.done - drop > 1 and (#undo.done - drop > MOST_EDITS or undo.bytes > MOST_BYTES // 2) do
    drop = drop + 1
    undo.bytes = undo.bytes - size(undo.done[drop])
  end
  undo.done = table.move(undo.done, drop + 1, #undo.done, 1, {})
end

--- Notes an edit.
---@param edit strobe.editor.Edit
function Undo:add(edit)
  self.undone = {}
  self.done[#self.done + 1] = edit
  self.bytes = self.bytes + size(edit)
  shrink(self)
end

-- A word is over once something that is no blank follows a blank.
local function begins_word(before, following)
  return before:sub(-1):find "%s" and following:find "^%S"
end

local function merge_typing(undo, piece, at)
  local last = undo.done[#undo.done]
  if last and last.kind == "typing" and last.after == at and not begins_word(last.inserted, piece) then
    last.inserted, last.after = last.inserted .. piece, at + #piece
    undo.bytes = undo.bytes + #piece
    return true
  end
end

--- Notes that text was typed: each word is an edit, however the text came.
---@param at integer
---@param text string
function Undo:add_typing(at, text)
  local function add(piece)
    if piece ~= "" and not merge_typing(self, piece, at) then
      self:add { at = at, removed = "", inserted = piece, before = at, after = at + #piece, kind = "typing" }
    end
    at = at + #piece
  end
  local blanks = text:match "^%s*"
  self.undone = {}
  add(blanks)
  for piece in text:sub(#blanks + 1):gmatch "%S+%s*" do
    add(piece)
  end
end

--- Notes that the character before the cursor was erased.
---@param at integer where it was
---@param removed string
function Undo:add_erasing(at, removed)
  local last = self.done[#self.done]
  if last and last.kind == "erasing" and last.at == at + #removed and not begins_word(removed, last.removed) then
    self.undone = {}
    last.at, last.removed, last.after = at, removed .. last.removed, at
    self.bytes = self.bytes + #removed
    return
  end
  self:add { at = at, removed = removed, inserted = "", before = at + #removed, after = at, kind = "erasing" }
end

--- Ends the word that is being typed: what follows is an edit of its own.
function Undo:close()
  local last = self.done[#self.done]
  if last then
    last.kind = nil
  end
end

--- Takes the newest edit out, to be taken back.
---@return strobe.editor.Edit?
function Undo:back()
  local edit = table.remove(self.done)
  if edit then
    edit.kind = nil
    self.bytes = self.bytes - size(edit)
    self.undone[#self.undone + 1] = edit
  end
  return edit
end

--- Takes the one out that was taken back last, to be done again.
---@return strobe.editor.Edit?
function Undo:forward()
  local edit = table.remove(self.undone)
  if edit then
    self.bytes = self.bytes + size(edit)
    self.done[#self.done + 1] = edit
  end
  return edit
end

return Undo
