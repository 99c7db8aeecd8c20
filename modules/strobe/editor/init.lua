--- A line editor: the bytes a terminal sends go in, what was entered and the bytes to draw come out. It waits for
-- nothing, reads no clock, and has no terminal.
--
--   local ed = editor.new { width = 80, height = 24, prompt = "> ", more = ".. " }
--   write(ed:draw())
--   for _, event in ipairs(ed:feed(bytes)) do
--     if event.kind == "submit" then run(event.text) end
--   end
--   write(ed:draw())
--
-- Bytes may be cut anywhere. After each `feed`, `wants_timer` tells for how long to wait before `timer` is called, if
-- nothing comes: a lone ESC has to be told from the begin of a key, and a paste may never end.
--
-- An input that was submitted stays on the screen with the cursor below it, and is the newest of `ed.history`. Until
-- the next `draw`, nothing of the editor's is on the screen: what the input prints has it.

local Buffer = require "strobe.editor.buffer"
local Completion = require "strobe.editor.completion"
local Drawing = require "strobe.editor.drawing"
local Frame = require "strobe.editor.frame"
local History = require "strobe.editor.history"
local Keys = require "strobe.editor.keys"
local Kill = require "strobe.editor.kill"
local mistake = require "strobe.mistake"
local Search = require "strobe.editor.search"
local actions = require "strobe.editor.actions"
local bindings = require "strobe.editor.bindings"

local editor = {}

local PASTE_ON, PASTE_OFF = "\27[?2004h", "\27[?2004l"

---@class strobe.editor.Event
---@field kind "submit"|"eof"|"interrupt"|"suspend"|"complete"|"edit"|"bell"
---@field text? string the input, as it is now or was given up; bell: why, if that is worth telling
---@field cursor? integer complete and edit: bytes before the cursor
---@field token? integer complete: to be given to `answer`

---@class strobe.editor.Options
---@field width integer columns of the screen
---@field height integer rows of the screen
---@field prompt string before the first line; SGR sequences are allowed
---@field more string before each further line
---@field complete? boolean|fun(text: string, cursor: integer): strobe.editor.Candidates? what Tab completes: candidates
---for the text with so many bytes before the cursor; true, or nil for a result: it asks by an event; false: nothing
---@field is_complete? fun(text: string): boolean whether Enter submits (always)
---@field highlight? fun(text: string): strobe.editor.Style[] ranges in order, for texts up to 8 KiB
---@field color? boolean false for no colours but those of the prompts
---@field history_size? integer entries (10,000)

---@class strobe.editor.Editor
---@field history strobe.editor.History
---@field package buffer strobe.editor.Buffer
---@field package kills strobe.editor.Kill
---@field package previous? string what the action before was
---@field package goal? integer the column of moves up and down
---@field package yanked? integer where the yanked text begins
local Editor = {}
Editor.__index = Editor

local function checked_size(name, value)
  local n = math.tointeger(value)
  if not n then
    error(("%s: an integer is needed, not %s"):format(name, tostring(value)), 3)
  end
  return math.max(1, n)
end

--- Makes an editor with an empty input, which is not on the screen yet.
---@param options strobe.editor.Options
---@return strobe.editor.Editor
function editor.new(options)
  mistake.expect("editor.new", "options", "table", options)
  local width, height = checked_size("width", options.width), checked_size("height", options.height)
  local color = options.color ~= false
  return setmetatable({
    buffer = Buffer.new(), keys = Keys.new(), kills = Kill.new(), history = History.new(options.history_size),
    completion = Completion.new(), frame = Frame.new(width, height, options.highlight, color),
    drawing = Drawing.new(width), prompt = options.prompt or "> ", more = options.more or options.prompt or "> ",
    complete = options.complete ~= false and (options.complete or true),
    is_complete = options.is_complete or function() return true end,
    pending = {}, events = {}, told_text = "", told_cursor = 1, pasting = false, stale = true,
  }, Editor)
end

-- --- For actions --------------------------------------------------------------------------------

--- Adds an event.
---@package
---@param event strobe.editor.Event
function Editor:say(event)
  self.events[#self.events + 1] = event
end

--- Tells that a key could do nothing.
---@package
---@param why? string
function Editor:bell(why)
  self:say { kind = "bell", text = why }
end

local function check_room(ed, done, size)
  if not done then
    ed:bell(("an input may have %d KiB, this would have %d KiB"):format(Buffer.MOST // 1024,
      (#ed.buffer.text + size) // 1024))
  end
  return done
end

--- Types text.
---@package
---@param text string
function Editor:type(text)
  check_room(self, self.buffer:type(text), #text)
end

--- Inserts text, which is taken back as one.
---@package
---@param text string
---@return boolean whether there was room
function Editor:insert(text)
  local at = self.buffer.cursor
  return check_room(self, self.buffer:replace(at, at - 1, text), #text)
end

---@package
---@param step 1|-1
function Editor:begin_search(step)
  self.search = Search.new(self.history, self.buffer.text, self.buffer.cursor, step)
end

-- What is to be seen: what is edited, or what a search has found.
local function view(ed)
  local shown = ed.search or ed.buffer
  return {
    text = shown.text, cursor = shown.cursor, prompt = ed.search and ed.search:prompt() or ed.prompt, more = ed.more,
  }
end

local function put(ed, bytes)
  if bytes ~= "" then
    ed.pending[#ed.pending + 1] = bytes
  end
end

local function begin_paste_mode(ed)
  if not ed.pasting then
    ed.pasting = true
    put(ed, PASTE_ON)
  end
end

local function end_paste_mode(ed)
  if ed.pasting then
    ed.pasting = false
    put(ed, PASTE_OFF)
  end
end

--- Leaves the input on the screen, as much of its end as fits, and begins a new one.
---@package
---@param mark string is written behind it
function Editor:finish(mark)
  self.search = nil
  self.buffer.cursor = #self.buffer.text + 1
  local last = view(self)
  last.bare = true
  begin_paste_mode(self)
  put(self, self.drawing:draw(self.frame:rows(last)))
  put(self, self.drawing:leave(mark))
  self.buffer:clear()
  self.history:leave()
  self.frame:scroll_home()
  self.frame.hint, self.told_text, self.told_cursor = nil, "", 1
end

---@package
function Editor:submit()
  local text = self.buffer.text
  self:finish("")
  self.history:add(text)
  self:say { kind = "submit", text = text }
end

---@package
function Editor:give_up()
  local text = self.buffer.text
  self:finish("^C")
  self:say { kind = "interrupt", text = text }
end

---@package
function Editor:eof()
  self:finish("")
  end_paste_mode(self)
  self:say { kind = "eof" }
end

-- Shows the list of candidates, and lets the next Tab choose.
local function take_answer(ed, answer)
  local outcome = ed.completion:answer(ed.buffer, answer)
  if outcome == "none" then
    ed:bell()
  elseif outcome == "list" then
    put(ed, ed.drawing:erase() .. ed.completion:lines(ed.frame.columns):gsub("\n", "\r\n") .. "\r\n")
  end
end

---@package
---@param step 1|-1
function Editor:begin_completion(step)
  local completion, buffer = self.completion, self.buffer
  if not self.complete then
    return self:bell()
  elseif self.previous == "complete" and completion:has_list() then
    completion:choose(buffer, step)
    return "complete"
  end
  local token = completion:ask(buffer)
  local answer = self.complete ~= true and self.complete(buffer.text, buffer.cursor - 1)
  if answer then
    take_answer(self, answer)
  else
    self:say { kind = "complete", text = buffer.text, cursor = buffer.cursor - 1, token = token }
  end
  return "complete"
end

-- --- Keys ---------------------------------------------------------------------------------------

-- Ends a search, which is kept for the next one.
local function end_search(ed)
  local search = ed.search
  ed.search = nil
  ed.last_query = search:query() ~= "" and search:query() or ed.last_query
  return search
end

-- Ends a search; what it found is edited.
local function take_found(ed)
  local search = end_search(ed)
  local index = search:index()
  if index then
    ed.history:visit(index, ed.buffer.text)
  end
  ed.buffer:replace(1, #ed.buffer.text, search.text, search.cursor)
end

local TAKING = { escape = true, left = true, right = true, up = true, down = true } -- and do no more

-- What a key does in a search: false when it is one for the editor, which gets what was found.
local function search_key(ed, key)
  local search, name, done = ed.search, key.name, true
  local text = key.text or not key.too_long and key.paste
  if text then
    done = search:extend(text)
  elseif name == "ctrl-r" or name == "ctrl-s" then
    done = search:again(name == "ctrl-r" and -1 or 1, ed.last_query)
  elseif name == "backspace" or name == "ctrl-h" then
    done = search:back()
  elseif name == "ctrl-g" then
    end_search(ed)
  elseif name == "ctrl-c" or key.too_long then
    return false
  else
    take_found(ed)
    return TAKING[name] or false
  end
  if not done then
    ed:bell()
  end
  return true
end

local function edit_key(ed, key)
  if key.too_long then
    return ed:bell(("a paste may have %d KiB: load it from a file"):format(Buffer.MOST // 1024))
  elseif key.paste then
    return ed:insert(key.paste) and nil
  elseif key.text then
    return ed:type(key.text)
  end
  local action = bindings[key.name]
  if action ~= "erase" then
    ed.buffer:close_word()
  end
  return action and actions[action](ed)
end

local function take_keys(ed, keys)
  for i = 1, #keys do
    local key = keys[i]
    if ed.search and search_key(ed, key) then
      ed.previous = nil
    else
      ed.previous = edit_key(ed, key)
    end
  end
  local buffer = ed.buffer
  if buffer.text ~= ed.told_text or buffer.cursor ~= ed.told_cursor then
    ed.told_text, ed.told_cursor = buffer.text, buffer.cursor
    ed:say { kind = "edit", text = buffer.text, cursor = buffer.cursor - 1 }
  end
  local events = ed.events
  ed.events = {}
  return events
end

--- Takes bytes from the terminal.
---@param bytes string cut anywhere
---@return strobe.editor.Event[] what came of them, in order; an edit at most once, the last
function Editor:feed(bytes)
  mistake.expect("editor:feed", "bytes", "string", bytes)
  return take_keys(self, self.keys:feed(bytes))
end

--- For how long to wait before `timer` is called, if no bytes come.
---@return number? seconds nil: there is nothing to wait for
function Editor:wants_timer()
  return self.keys:wants_timer()
end

--- Tells that nothing came for so long.
---@return strobe.editor.Event[] as of `feed`
function Editor:timer()
  return take_keys(self, self.keys:expire())
end

--- Answers a request for candidates; nothing happens if the input has changed since.
---@param token integer of the event
---@param answer strobe.editor.Candidates|(string|{text: string})[] a list alone replaces the name before the cursor
---@return strobe.editor.Event[] as of `feed`
function Editor:answer(token, answer)
  if self.completion:expects(token, self.buffer) and not self.search then
    take_answer(self, answer.list and answer or { list = answer })
  end
  return take_keys(self, {})
end

-- --- What is edited -----------------------------------------------------------------------------

--- What is being edited.
---@return string
---@return integer cursor bytes before it
function Editor:text()
  return self.buffer.text, self.buffer.cursor - 1
end

--- Puts another text in its place, the cursor at the end. It can be undone.
---@param text string
---@return boolean whether there was room (1 MiB)
function Editor:set_text(text)
  mistake.expect("editor:set_text", "text", "string", text)
  self.search = nil
  return self.buffer:replace(1, #self.buffer.text, text)
end

--- Sets the prompts.
---@param prompt string
---@param more? string that of further lines, if it changes
function Editor:set_prompt(prompt, more)
  self.prompt, self.more, self.stale = prompt, more or self.more, true
end

--- Gives the input up, as Ctrl-C does: it stays on the screen with `^C` behind it. For when that is a signal, as which
--- it may while a paste or a key is still to end.
---@return strobe.editor.Event[] as of `feed`
function Editor:interrupt()
  self.keys = Keys.new()
  return take_keys(self, { { name = "ctrl-c" } })
end

-- --- The screen ---------------------------------------------------------------------------------

local function flush(ed)
  local bytes = table.concat(ed.pending)
  ed.pending = {}
  return bytes
end

--- The bytes that bring the screen up to date: those of all that happened since the last draw.
---@return string
function Editor:draw()
  local now, drawn = view(self), self.drawn
  if self.stale or now.text ~= drawn.text or now.cursor ~= drawn.cursor or now.prompt ~= drawn.prompt
    or not self.drawing:is_shown() then
    begin_paste_mode(self)
    put(self, self.drawing:draw(self.frame:rows(now)))
    self.drawn, self.stale = now, false
  end
  return flush(self)
end

--- Prints text above the input, which is drawn again if it is on the screen. An unfinished line is finished.
---@param text string what it has of controls goes to the terminal
---@return string bytes
function Editor:above(text)
  mistake.expect("editor:above", "text", "string", text)
  local shown = self.drawing:is_shown()
  put(self, self.drawing:erase())
  if text ~= "" then
    put(self, (text:gsub("\r?\n", "\r\n")))
    put(self, text:sub(-1) ~= "\n" and "\r\n" or "")
  end
  return shown and self:draw() or flush(self)
end

--- Takes the input from the screen, until the next `draw`; for who needs the terminal meanwhile.
---@return string bytes
function Editor:hide()
  put(self, self.drawing:erase())
  end_paste_mode(self)
  return flush(self)
end

--- Leaves the input on the screen, with the cursor on a line of its own below it, and lets go of the terminal; for when
--- something else takes over, and for the end. The next `draw` draws it anew.
---@return string bytes
function Editor:leave()
  if self.drawing:is_shown() then
    local all = view(self)
    all.cursor, all.bare = #all.text + 1, true
    put(self, self.drawing:draw(self.frame:rows(all)))
    put(self, self.drawing:leave(""))
  end
  end_paste_mode(self)
  return flush(self)
end

--- Tells that somebody else has written to the screen, and the cursor is at the begin of a line that is free: the next
--- `draw` draws all there.
function Editor:forget()
  self.drawing, self.pasting, self.pending = Drawing.new(self.frame.columns), false, {}
end

--- Clears the screen, with the next `draw`, which begins at its top.
function Editor:clear()
  self.drawing = Drawing.new(self.frame.columns)
  put(self, ("\r\27[%dA\27[J"):format(self.frame.height))
end

--- Tells that the screen has another size; the next `draw` draws all anew.
---@param width integer columns
---@param height integer rows
function Editor:resize(width, height)
  width, height = checked_size("width", width), checked_size("height", height)
  put(self, self.drawing:resize(width))
  self.frame:resize(width, height)
  self.stale = true
end

--- Has lines stand above the prompt until they are changed. Each is cut to the width; they take half of the screen at
--- most.
---@param lines string[] SGR sequences are allowed; none takes them away
function Editor:pin(lines)
  self.frame.pins, self.stale = lines, true
end

--- Shows a line below the input, dimmed, until another is set or the input ends.
---@param text? string|{text: string} also a signature
function Editor:hint(text)
  text = type(text) == "table" and text.text or text
  if text ~= nil and type(text) ~= "string" then
    error(("text: a string is needed, not a %s"):format(type(text)), 2)
  end
  self.frame.hint, self.stale = text ~= "" and text or nil, true
end

return editor
