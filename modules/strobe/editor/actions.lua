--- What keys do. Each action gets the editor, and returns what the next one may have to know: that it was a kill, a
-- yank, a move up or down, or a completion.

local cell = require "strobe.editor.cell"
local grapheme = require "strobe.editor.grapheme"
local letter = require "strobe.editor.letter"

---@type table<string, fun(ed: strobe.editor.Editor): string?>
local actions = {}

-- --- Moving -------------------------------------------------------------------------------------

function actions.line_start(ed)
  ed.buffer.cursor = ed.buffer:line_start()
end

function actions.line_end(ed)
  ed.buffer.cursor = ed.buffer:line_end()
end

function actions.left(ed)
  local buffer = ed.buffer
  if buffer.cursor > 1 then
    buffer.cursor = grapheme.previous(buffer.text, buffer.cursor)
  end
end

function actions.right(ed)
  local buffer = ed.buffer
  if buffer.cursor <= #buffer.text then
    buffer.cursor = grapheme.next(buffer.text, buffer.cursor)
  end
end

function actions.word_left(ed)
  ed.buffer.cursor = ed.buffer:word_start()
end

function actions.word_right(ed)
  ed.buffer.cursor = ed.buffer:word_end()
end

-- The place in a line that is nearest to a column, but not behind it.
local function place_at(text, first, last, goal)
  local at, column = cell.skip(text, first, 0, goal, last)
  while at <= last do
    local next = grapheme.next(text, at)
    column = column + cell.width(text:sub(at, next - 1), column)
    if column > goal then
      break
    end
    at, column = cell.skip(text, next, column, goal, last)
  end
  return grapheme.start(text, at)
end

-- Moves to the line that has a place in it; the column is that in which the first of such moves began.
local function move_vertically(ed, at)
  local buffer = ed.buffer
  if ed.previous ~= "vertical" then
    ed.goal = cell.width(buffer.text:sub(buffer:line_start(), buffer.cursor - 1))
  end
  buffer.cursor = place_at(buffer.text, buffer:line_start(at), buffer:line_end(at) - 1, ed.goal)
  return "vertical"
end

-- --- History ------------------------------------------------------------------------------------

local function recall(ed, text)
  if not text then
    return ed:bell()
  end
  ed.buffer:replace(1, #ed.buffer.text, text)
end

function actions.up(ed)
  local buffer = ed.buffer
  local first = buffer:line_start()
  if first > 1 then
    return move_vertically(ed, first - 1)
  end
  recall(ed, ed.history:older(buffer.text, buffer.text:sub(1, buffer.cursor - 1)))
end

function actions.down(ed)
  local buffer = ed.buffer
  local last = buffer:line_end()
  if last <= #buffer.text then
    return move_vertically(ed, last + 1)
  end
  recall(ed, ed.history:newer(buffer.text))
end

function actions.oldest(ed)
  recall(ed, ed.history:oldest(ed.buffer.text))
end

function actions.newest(ed)
  recall(ed, ed.history:newest(ed.buffer.text))
end

function actions.search_back(ed)
  ed:begin_search(-1)
end

function actions.search_forward(ed)
  ed:begin_search(1)
end

-- --- Erasing ------------------------------------------------------------------------------------

function actions.erase(ed)
  if not ed.buffer:erase() then
    ed:bell()
  end
end

function actions.delete(ed)
  if not ed.buffer:delete() then
    ed:bell()
  end
end

function actions.delete_or_end(ed)
  if ed.buffer.text == "" then
    return ed:eof()
  end
  actions.delete(ed)
end

-- Cuts text away, on a side of the cursor.
local function kill(ed, first, last, side)
  if last < first then
    return ed:bell()
  end
  ed.kills:add(ed.buffer.text:sub(first, last), ed.previous == "kill" and side)
  ed.buffer:replace(first, last, "")
  return "kill"
end

function actions.kill_blank_word(ed)
  return kill(ed, ed.buffer:blank_word_start(), ed.buffer.cursor - 1, "before")
end

function actions.kill_word_left(ed)
  return kill(ed, ed.buffer:word_start(), ed.buffer.cursor - 1, "before")
end

function actions.kill_word_right(ed)
  return kill(ed, ed.buffer.cursor, ed.buffer:word_end() - 1, "behind")
end

-- At the end of a line its newline, so that several go one after the other; the same at the start.
function actions.kill_to_end(ed)
  local buffer = ed.buffer
  local last = buffer:line_end() - 1
  last = last < buffer.cursor and math.min(buffer.cursor, #buffer.text) or last
  return kill(ed, buffer.cursor, last, "behind")
end

function actions.kill_to_start(ed)
  local buffer = ed.buffer
  local first = buffer:line_start()
  first = first == buffer.cursor and math.max(first - 1, 1) or first
  return kill(ed, first, buffer.cursor - 1, "before")
end

function actions.yank(ed)
  local text = ed.kills:yank()
  ed.yanked = ed.buffer.cursor
  if text and ed:insert(text) then
    return "yank"
  end
  ed:bell()
end

function actions.rotate(ed)
  if ed.previous ~= "yank" then
    return ed:bell()
  end
  ed.buffer:replace(ed.yanked, ed.buffer.cursor - 1, ed.kills:rotate())
  return "yank"
end

-- --- Changing -----------------------------------------------------------------------------------

-- The character before the cursor and the one at it, or at the end of a line the last two.
function actions.swap(ed)
  local buffer = ed.buffer
  local text, first, last = buffer.text, buffer:line_start(), buffer:line_end()
  local at = buffer.cursor
  if at == last and at > first then
    at = grapheme.previous(text, at)
  end
  if at == first or at == last then
    return ed:bell()
  end
  local before, behind = grapheme.previous(text, at), grapheme.next(text, at)
  buffer:replace(before, behind - 1, text:sub(at, behind - 1) .. text:sub(before, at - 1))
end

-- Changes the letters from the cursor to the end of a word.
local function change_word(ed, change)
  local buffer = ed.buffer
  local last = buffer:word_end() - 1
  if last < buffer.cursor then
    return ed:bell()
  end
  buffer:replace(buffer.cursor, last, change(buffer.text:sub(buffer.cursor, last)))
end

function actions.upper(ed)
  change_word(ed, letter.upper)
end

function actions.lower(ed)
  change_word(ed, letter.lower)
end

function actions.capital(ed)
  change_word(ed, letter.capital)
end

function actions.undo(ed)
  if not ed.buffer:undo() then
    ed:bell()
  end
end

function actions.redo(ed)
  if not ed.buffer:redo() then
    ed:bell()
  end
end

function actions.new_line(ed)
  ed:type("\n")
end

-- --- The rest -----------------------------------------------------------------------------------

function actions.enter(ed)
  local text = ed.buffer.text
  if ed.is_complete(text) then
    return ed:submit()
  end
  ed:type("\n")
end

function actions.complete(ed)
  local buffer = ed.buffer
  if not buffer.text:sub(buffer:line_start(), buffer.cursor - 1):find "%S" then
    return ed:type("\t")
  end
  return ed:begin_completion(1)
end

function actions.complete_back(ed)
  return ed:begin_completion(-1)
end

function actions.clear(ed)
  ed:clear()
end

function actions.interrupt(ed)
  ed:give_up()
end

function actions.suspend(ed)
  ed:say { kind = "suspend" }
end

return actions
