--- What the screen is to show of an editor: pinned lines, the rows of the input that fit, a hint below them.

local Layout = require "strobe.editor.layout"
local cell = require "strobe.editor.cell"

local MOST_HIGHLIGHTED = 8 * 1024 -- bytes of a text; a longer one stays plain, so that each key is quick
local OFF, DIM = "\27[m", "\27[2m"
local STYLES = {
  keyword = "\27[35m", string = "\27[32m", number = "\27[36m", comment = "\27[2m", global = "\27[34m",
  error = "\27[31;4m",
}

---@class strobe.editor.Style bytes of a text and how they look
---@field first integer
---@field last integer
---@field style "keyword"|"string"|"number"|"comment"|"global"|"error"

---@class strobe.editor.Frame
---@field columns integer of the screen
---@field height integer
---@field pins string[]
---@field hint? string
---@field private layout? strobe.editor.Layout
---@field private top integer the first row of the input that is shown
---@field private highlight? fun(text: string): strobe.editor.Style[]
---@field private styled? string the text that `styles` is for
---@field private styles strobe.editor.Style[]
---@field private kept table<string, {[1]: string, [2]: integer}> rows of the last frame, by prompt and text
local Frame = {}
Frame.__index = Frame

--- Makes one.
---@param columns integer
---@param height integer
---@param highlight? fun(text: string): strobe.editor.Style[] in order, not overlapping
---@param color boolean whether there are to be any colours
---@return strobe.editor.Frame
function Frame.new(columns, height, highlight, color)
  return setmetatable({
    columns = columns, height = height, pins = {}, top = 1, highlight = color and highlight or nil, styles = {},
    color = color, kept = {},
  }, Frame)
end

--- Another size of the screen.
---@param columns integer
---@param height integer
function Frame:resize(columns, height)
  self.columns, self.height, self.layout, self.kept = columns, height, nil, {}
end

--- Shows the input from its first row again.
function Frame:scroll_home()
  self.top = 1
end

local function update_styles(frame, text)
  if frame.highlight and frame.styled ~= text then
    frame.styled = text
    frame.styles = #text <= MOST_HIGHLIGHTED and frame.highlight(text) or {}
  end
end

local function update_layout(frame, text, prompt, more)
  if frame.layout then
    frame.layout:set_prompts(prompt, more)
  else
    frame.layout = Layout.new(frame.columns, prompt, more)
  end
  frame.layout:set_text(text)
end

-- Adds what shows bytes of the text, in a row from a column on; where it ended.
local function show(frame, first, last, column, shown)
  local text, at = frame.layout.text, first
  while at <= last do
    local from = at
    at, column = cell.skip(text, at, column, frame.columns, last)
    shown[#shown + 1] = text:sub(from, at - 1)
    if at <= last then
      local next, taken, looks = cell.at(text, at, column, frame.columns)
      shown[#shown + 1], at, column = looks, next, column + taken
    end
  end
  return at, column
end

-- The style at a place, or how far there is none.
local function style_at(frame, at, last)
  local range = frame.styles[frame.next_style]
  while range and range.last < at do
    frame.next_style = frame.next_style + 1
    range = frame.styles[frame.next_style]
  end
  if not range or range.first > at then
    return nil, range and math.min(range.first - 1, last) or last
  end
  return STYLES[range.style], math.min(range.last, last)
end

local function render_anew(frame, row, at, last)
  local layout = frame.layout
  local column, shown = layout.indents[row], { layout.leads[row] }
  while at <= last do
    local style, stop = style_at(frame, at, last)
    shown[#shown + 1] = style
    at, column = show(frame, at, stop, column, shown)
    shown[#shown + 1] = style and OFF
  end
  if column == 0 then -- the row behind a full one; a blank makes it a part of the terminal's line
    return " ", 1
  end
  return table.concat(shown), column
end

-- A row as it is shown, and its columns. What has no colours looks as it did in the last frame, wherever it was.
local function render(frame, row, kept)
  local layout = frame.layout
  local first, last = layout:range(row)
  if #frame.styles > 0 then
    return render_anew(frame, row, first, last)
  end
  local key = layout.leads[row] .. "\0" .. layout.text:sub(first, last)
  local looks = frame.kept[key]
  if not looks then
    looks = { render_anew(frame, row, first, last) }
  end
  kept[key] = looks
  return looks[1], looks[2]
end

-- Moves what is shown so that the cursor's row is in it, and no room is left that could show text.
local function scroll(frame, row, room)
  local top = math.max(math.min(frame.top, row), row - room + 1)
  if not frame.layout:has_row(top + room - 1) then
    top = math.max(1, math.min(top, frame.layout.count - room + 1))
  end
  frame.top = top
end

local function add_cut(frame, rows, widths, text, style)
  local shown, width = cell.cut(text, frame.columns)
  rows[#rows + 1], widths[#widths + 1] = style and style .. shown .. OFF or shown, width
end

--- The rows to be drawn.
---@param view {text: string, cursor: integer, prompt: string, more: string, bare?: boolean} bare: the input alone
---@return string[] rows
---@return integer[] widths
---@return integer row of the cursor
---@return integer column
function Frame:rows(view)
  local rows, widths = {}, {}
  local hint = not view.bare and self.hint and self.height > 1 and self.hint
  local pins = view.bare and 0 or math.min(#self.pins, (self.height - 1) // 2)
  update_styles(self, view.text)
  update_layout(self, view.text, view.prompt, view.more)
  local row, column = self.layout:locate(view.cursor)
  local room = self.height - pins - (hint and 1 or 0)
  scroll(self, row, room)
  for i = 1, pins do
    add_cut(self, rows, widths, self.pins[i])
  end
  local kept = {}
  self.next_style = 1
  for i = self.top, self.top + room - 1 do
    if not self.layout:has_row(i) then
      break
    end
    rows[#rows + 1], widths[#widths + 1] = render(self, i, kept)
  end
  self.kept = kept
  if hint then
    add_cut(self, rows, widths, hint, self.color and DIM)
  end
  return rows, widths, pins + row - self.top + 1, column
end

return Frame
