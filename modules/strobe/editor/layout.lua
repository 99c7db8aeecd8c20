--- The rows of a text on a screen: where each begins.
--
-- Rows are found as far down as somebody asks, and an edit forgets only those from the row before it on: so a key in a
-- text of 100 KB costs as much as what the screen shows of it. A row that is full is always followed by another, to
-- which the cursor goes. A prompt begins the first line, another one each further line; prompts wrap as the text does.

local cell = require "strobe.editor.cell"

---@class strobe.editor.Layout
---@field columns integer of the screen
---@field text string
---@field count integer rows found so far
---@field done boolean whether these are all
---@field starts integer[] where the text of each row begins
---@field indents integer[] the columns its part of a prompt takes
---@field leads string[] that part
local Layout = {}
Layout.__index = Layout

--- Makes that of an empty text.
---@param columns integer of the screen, at least 1
---@param prompt string before the first line; it may have SGR sequences
---@param more string before each further line
---@return strobe.editor.Layout
function Layout.new(columns, prompt, more)
  local layout = setmetatable({
    columns = columns, text = "", count = 0, done = true, starts = {}, indents = {}, leads = {},
  }, Layout)
  layout:set_prompts(prompt, more)
  return layout
end

-- The rows of a prompt: what each shows, and its columns. The last one has room left.
local function prompt_rows(prompt, columns)
  local rows, shown, column, at = {}, {}, 0, 1
  local function finish()
    rows[#rows + 1] = { text = table.concat(shown), columns = column }
    shown, column = {}, 0
  end
  while at <= #prompt do
    local sequence = prompt:match("^\27%[[%d;]*m", at)
    if sequence then
      shown[#shown + 1], at = sequence, at + #sequence
    elseif prompt:byte(at) == 10 then
      finish()
      at = at + 1
    else
      local next, taken, looks = cell.at(prompt, at, column, columns)
      if column + taken > columns then
        finish()
      end
      shown[#shown + 1], column, at = looks, column + taken, next
      if column >= columns then
        finish()
      end
    end
  end
  finish()
  return rows
end

local function append(layout, start, indent, lead)
  local count = layout.count + 1
  layout.count = count
  layout.starts[count], layout.indents[count], layout.leads[count] = start, indent, lead
end

-- The rows of a prompt, in the last of which a line begins.
local function begin_line(layout, rows, start)
  for i = 1, #rows do
    append(layout, start, rows[i].columns, rows[i].text)
  end
end

local function restart(layout)
  layout.count, layout.done = 0, false
  begin_line(layout, layout.prompt, 1)
end

--- Sets the prompts.
---@param prompt string
---@param more string
function Layout:set_prompts(prompt, more)
  if self.prompt_text ~= prompt or self.more_text ~= more then
    self.prompt_text, self.more_text = prompt, more
    self.prompt, self.more = prompt_rows(prompt, self.columns), prompt_rows(more, self.columns)
    restart(self)
  end
end

-- Lays out what is behind the start of the last row; adds the row after it, if there is one.
local function extend(layout)
  local text, columns = layout.text, layout.columns
  local at, column = layout.starts[layout.count], layout.indents[layout.count]
  while true do
    at, column = cell.skip(text, at, column, columns, #text)
    local byte = text:byte(at)
    if column >= columns then
      return append(layout, at, 0, "")
    elseif not byte then
      layout.done = true
      return
    elseif byte == 10 then
      return begin_line(layout, layout.more, at + 1)
    end
    local next, taken = cell.at(text, at, column, columns)
    if column + taken > columns then
      return append(layout, at, 0, "")
    end
    at, column = next, column + taken
  end
end

-- How many bytes two texts have in common at their begins.
local function common_length(a, b)
  local low, high = 0, math.min(#a, #b) -- the first `low` are equal, not more than `high` are
  while low < high do
    local middle = (low + high + 1) // 2
    if a:sub(low + 1, middle) == b:sub(low + 1, middle) then
      low = middle
    else
      high = middle - 1
    end
  end
  return low
end

-- The last row that begins at a place or before it; rows beyond it must be known.
local function row_at(layout, at)
  local low, high = 1, layout.count
  while low < high do
    local middle = (low + high + 1) // 2
    if layout.starts[middle] <= at then
      low = middle
    else
      high = middle - 1
    end
  end
  return low
end

-- Forgets the rows that an edit at a place may change: not those before the row before it, as a row's first character
-- may move up. A prompt of several rows stays whole.
local function forget(layout, at)
  local last = row_at(layout, at) - 2
  while last > 0 and layout.starts[last] == layout.starts[last + 1] do
    last = last - 1
  end
  if last < 1 then
    return restart(layout)
  end
  layout.count, layout.done = last, false
end

--- Sets the text; what it has in common with the one before, at its begin, is not laid out again.
---@param text string
function Layout:set_text(text)
  if text ~= self.text then
    local same = common_length(self.text, text)
    self.text = text
    forget(self, same + 1)
  end
end

--- Finds rows as far as one.
---@param row integer
---@return boolean whether there is one
function Layout:has_row(row)
  while self.count < row and not self.done do
    extend(self)
  end
  return row <= self.count
end

--- Where a place of the text is.
---@param at integer 1 to #text + 1
---@return integer row
---@return integer column from 0
function Layout:locate(at)
  while not self.done and self.starts[self.count] <= at do
    extend(self)
  end
  local row = row_at(self, at)
  local from, column = self.starts[row], self.indents[row]
  while from < at do
    local next, taken = cell.at(self.text, from, column, self.columns)
    if next > at then
      break
    end
    from, column = next, column + taken
  end
  return row, column
end

--- The part of the text in a row, without the newline that ends it.
---@param row integer one that is known
---@return integer first
---@return integer last
function Layout:range(row)
  local first = self.starts[row]
  if not self:has_row(row + 1) then
    return first, #self.text
  end
  local last = self.starts[row + 1] - 1
  if last >= first and self.text:byte(last) == 10 then
    last = last - 1
  end
  return first, last
end

return Layout
