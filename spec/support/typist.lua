--- Somebody who types into a line editor and looks at its screen. After each draw the screen has to show the input as a
-- terminal would show it that was given all of it at once.

local Screen = require "spec.support.screen"
local assert = require "luassert"
local editor = require "strobe.editor"

local UNKNOWN, CIRCLE = "\u{FFFD}", "\u{25CC}"

---@class spec.Typist
---@field editor strobe.editor.Editor
---@field screen spec.Screen
---@field events strobe.editor.Event[] all that came, but edits
---@field edits integer how many of those
local Typist = {}
Typist.__index = Typist

--- Sits down.
---@param options? table those of the editor; width (80), height (24), prompt ("> "), more (".. ")
---@return spec.Typist
function Typist.new(options)
  local all = { width = 80, height = 24, prompt = "> ", more = ".. " }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  local screen = Screen.new(all.height, all.width)
  screen.reflows = true
  return setmetatable({
    options = all, editor = editor.new(all), screen = screen, events = {}, edits = 0, plain = true,
  }, Typist)
end

-- --- What has to be seen ------------------------------------------------------------------------

-- What is shown of a character, and its columns.
local function look(character, codepoint, column, columns)
  if character == "\t" then
    local blanks = math.min(4 - column % 4, columns - column)
    return (" "):rep(blanks), blanks
  elseif codepoint and (codepoint < 32 or codepoint == 127) then
    return columns > 1 and "^" .. string.char(codepoint ~ 64) or UNKNOWN, math.min(2, columns)
  elseif not codepoint or codepoint >= 0x80 and codepoint < 0xA0 or codepoint >= 0x202A and codepoint <= 0x202E then
    return UNKNOWN, 1
  end
  local width = Screen.width(character)
  return width <= columns and character or UNKNOWN, math.min(width, columns)
end

-- A page on which rows are filled.
local function new_page(columns)
  local page = { rows = { "" }, column = 0 }
  function page.break_row()
    page.rows[#page.rows + 1], page.column = "", 0
  end
  function page.fits(width)
    return page.column + width <= columns
  end
  function page.add(shown, width)
    if width == 0 and page.column == 0 then -- a mark for the last character of the row above
      page.rows[#page.rows - 1] = page.rows[#page.rows - 1] .. shown
      return
    elseif not page.fits(width) then
      page.break_row()
    end
    page.rows[#page.rows], page.column = page.rows[#page.rows] .. shown, page.column + width
    if page.column == columns then
      page.break_row()
    end
  end
  function page.write(text)
    for _, codepoint in utf8.codes(text) do
      page.add(utf8.char(codepoint), Screen.width(utf8.char(codepoint)))
    end
  end
  return page
end

local function next_character(text, at)
  if utf8.len(text, at, at) then
    local codepoint = utf8.codepoint(text, at)
    return utf8.char(codepoint), codepoint
  end
  return text:sub(at, at)
end

-- What a mark has before it: a character, one that is too wide for the screen, or nothing it can stand on.
local function base_of(base, shown, width, codepoint)
  if not codepoint or codepoint < 32 or codepoint >= 127 and codepoint < 160 then
    return nil
  elseif width == 0 then
    return base
  end
  return shown == UNKNOWN and "too wide" or "character"
end

-- Text as rows, and where the cursor is that has so many bytes before it.
local function lay_out(text, prompt, more, columns, cursor)
  local page, base, begin, place, at = new_page(columns), nil, nil, nil, 1
  page.write(prompt)
  while at <= #text do
    local character, codepoint = next_character(text, at)
    local shown, width = "", 0
    if character ~= "\n" then
      shown, width = look(character, codepoint, page.column, columns)
      if width == 0 and base == "too wide" then
        shown = ""
      elseif width == 0 and not base then
        shown, width = CIRCLE .. shown, 1
      end
    end
    if width > 0 or not base or character == "\n" then -- before a mark, the cursor is on what that belongs to
      begin = page.fits(width) and { #page.rows, page.column } or { #page.rows + 1, 0 }
    end
    place = at - 1 == cursor and begin or place
    if character == "\n" then
      page.break_row()
      page.write(more)
    else
      page.add(shown, width)
    end
    base = base_of(base, shown, width, codepoint)
    at = at + #character
  end
  return page.rows, place or { #page.rows, page.column }
end

-- Compares the screen with what has to be seen; what is above it is not looked at.
local function check(typist)
  local ed, screen = typist.editor, typist.screen
  local text, cursor = ed:text()
  local rows, place = lay_out(text, typist.options.prompt, typist.options.more, screen.columns, cursor)
  local first = screen.row - place[1] + 1
  local expected, shown = {}, {}
  for row = math.max(first, 1), screen.rows do
    expected[#expected + 1] = (rows[row - first + 1] or ""):gsub(" +$", "")
    shown[#shown + 1] = screen:line(row)
  end
  local fits = #rows > screen.rows or first >= 1 and first + #rows - 1 <= screen.rows
  if not fits or table.concat(expected, "\n") ~= table.concat(shown, "\n") or place[2] + 1 ~= screen.column then
    expected[#expected + 1] = ("the cursor in row %d, column %d"):format(screen.row, place[2] + 1)
    shown[#shown + 1] = ("the cursor in row %d, column %d"):format(screen.row, screen.column)
    assert.same(expected, shown, ("%q, %d bytes before the cursor, on %d columns, %d rows"):format(text, cursor,
      screen.columns, screen.rows))
    error("rows of the input are not shown")
  end
end

-- --- Typing -------------------------------------------------------------------------------------

local function note(typist, events)
  for _, event in ipairs(events) do
    if event.kind == "edit" then
      typist.edits = typist.edits + 1
    else
      typist.events[#typist.events + 1] = event
    end
  end
end

--- Draws what is new, and looks at it.
---@return spec.Typist self
function Typist:draw()
  self.screen:feed(self.editor:draw())
  if self.plain and not self.editor.search then
    check(self)
  end
  return self
end

--- Types bytes, at once.
---@param bytes string
---@return spec.Typist self
function Typist:type(bytes)
  note(self, self.editor:feed(bytes))
  return self:draw()
end

--- Does nothing, for as long as the editor waits.
---@return spec.Typist self
function Typist:wait()
  assert.is_not_nil(self.editor:wants_timer())
  note(self, self.editor:timer())
  return self:draw()
end

--- Answers what Tab asked for.
---@param answer table
---@param token? integer of the newest request, if none is given
---@return spec.Typist self
function Typist:answer(answer, token)
  for i = #self.events, 1, -1 do
    token = token or self.events[i].token
  end
  note(self, self.editor:answer(token, answer))
  return self:draw()
end

--- Changes the size of the window.
---@param columns integer
---@param rows integer
---@return spec.Typist self
function Typist:resize(columns, rows)
  self.screen:resize(rows, columns)
  self.editor:resize(columns, rows)
  return self:draw()
end

--- Prints above the input.
---@param text string
---@return spec.Typist self
function Typist:above(text)
  self.screen:feed(self.editor:above(text))
  return self
end

--- The input, with | for the cursor.
---@return string
function Typist:input()
  local text, cursor = self.editor:text()
  return text:sub(1, cursor) .. "|" .. text:sub(cursor + 1)
end

--- The texts of events of a kind.
---@param kind string
---@return string[]
function Typist:texts(kind)
  local list = {}
  for _, event in ipairs(self.events) do
    if event.kind == kind then
      list[#list + 1] = event.text
    end
  end
  return list
end

return Typist
