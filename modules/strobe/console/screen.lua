--- The front of a console on a terminal: the line editor, and what is shown above and instead of it.
--
-- While an input is at work in the foreground there is no prompt: what the input prints is passed on as it is, and what
-- is typed waits. Everything else that is printed comes above the prompt (strobe.console.above). Nothing here waits for
-- the terminal; when it takes nothing, drawing waits.

local Above = require "strobe.console.above"
local Alarm = require "strobe.alarm"
local core_future = require "strobe.core.future"
local editor = require "strobe.editor"
local Terminal = require "strobe.console.terminal"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"

local CTRL_C, CTRL_Z = "\3", "\26"
local BELL = "\a"

-- Bytes that are typed ahead; what is beyond waits in the terminal.
local MOST_AHEAD = 64 * 1024
-- Seconds in which the terminal may take what is left at the end.
local LAST_WORDS = 1
-- Bytes of lines that wait for the terminal.
local MOST_WAITING = 1024 * 1024
-- Bytes an edit is drawn after at least.
local SLICE = 1024

---@class strobe.console.ScreenOptions
---@field prompt string
---@field more string prompt of further lines
---@field is_complete fun(text: string): boolean
---@field highlight? fun(text: string): table[]
---@field color boolean
---@field on_submit fun(text: string) an input; the screen is held until `ready`
---@field on_eof fun()
---@field on_interrupt fun(empty: boolean) the input was given up; it may have been empty
---@field on_suspend fun() while an input is at work
---@field on_complete fun(event: table) which asks for `answer`
---@field on_edit fun(event: table) what is typed has changed
---@field on_lost fun(line: string) a line that was too much to be shown
---@field on_resize fun(columns: integer)
---@field on_hangup fun() the terminal is gone

---@class strobe.console.Screen a `<close>` value
---@field private terminal strobe.console.Terminal
---@field private editor table
---@field private background strobe.console.Above
---@field private held boolean an input is at work: no prompt
---@field private keys string typed ahead
---@field private mid_line boolean the input at work has printed a line that has no end yet
---@field private lent boolean another program has the terminal
local Screen = {}
Screen.__index = Screen
Screen.__name = "console screen"

-- --- Drawing -------------------------------------------------------------------------------------

-- Whether the editor may be drawn; if not, it is when the terminal has taken what waits.
local function may_draw(screen)
  return not screen.lent and not screen.held and screen.terminal:is_drained()
end

local function draw(screen)
  if may_draw(screen) then
    screen.stale = false
    screen.terminal:write(screen.editor:draw())
  else
    screen.stale = true
  end
end

local function set_timer(screen)
  screen.typing:set(screen.editor:wants_timer())
end

-- Lines for when the terminal takes something again; what is too much is counted.
local function keep_waiting(screen, lines)
  local waiting = screen.waiting or { bytes = 0 }
  screen.waiting = waiting
  for _, line in ipairs(lines) do
    if waiting.bytes + #line > MOST_WAITING then
      screen.terminal.dropped = screen.terminal.dropped + 1
    else
      waiting.bytes = waiting.bytes + #line
      waiting[#waiting + 1] = line
    end
  end
end

-- Lines above the prompt; between the lines of an input that prints.
local function show_lines(screen, lines)
  local text = table.concat(lines, "\n")
  if screen.held then
    screen.terminal:write((screen.mid_line and "\n" or "") .. text .. "\n")
    screen.mid_line = false
  elseif screen.terminal:is_drained() then
    screen.terminal:write(screen.editor:above(text .. "\n"))
  else
    keep_waiting(screen, lines)
  end
end

local function show_background(screen)
  if screen.lent then
    return
  end
  local now = time.real()
  local lines = screen.background:lines(now)
  if #lines > 0 then
    show_lines(screen, lines)
  end
  screen.pace:set(screen.background:due(time.real()))
end

local function tell_dropped(screen)
  local dropped = screen.terminal.dropped
  if dropped > 0 then
    screen.terminal.dropped = 0
    show_lines(screen, { ("… %d lines were dropped: the terminal took no more"):format(dropped) })
  end
end

local function on_drain(screen)
  local waiting = screen.waiting
  screen.waiting = nil
  if waiting then
    show_lines(screen, waiting)
  end
  tell_dropped(screen)
  if screen.stale then
    draw(screen)
  end
end

-- --- Keys ----------------------------------------------------------------------------------------

local events = {}

function events.submit(screen, event)
  screen:hold()
  screen.options.on_submit(event.text)
end

function events.eof(screen)
  screen.options.on_eof()
end

function events.interrupt(screen, event)
  screen.options.on_interrupt((event.text or "") == "")
end

function events.suspend(screen)
  screen.terminal:write(BELL)
end

function events.complete(screen, event)
  screen.options.on_complete(event)
end

function events.edit(screen, event)
  screen.options.on_edit(event)
end

function events.bell(screen, event)
  screen.terminal:write(BELL)
  if event.text then
    screen.editor:hint(event.text)
  end
end

local function handle(screen, list)
  for _, event in ipairs(list) do
    events[event.kind](screen, event)
    if screen.closed then
      return
    end
  end
  draw(screen)
  set_timer(screen)
end

-- The next keys that the editor gets at once: up to an Enter, behind which an input may be at work.
local function next_keys(screen)
  local keys = screen.keys:sub(1, SLICE)
  keys = keys:match "^[^\r\n]*[\r\n]" or keys
  screen.keys = screen.keys:sub(#keys + 1)
  return keys
end

local function edit(screen)
  while screen.keys ~= "" and not screen.held and not screen.lent and not screen.closed do
    handle(screen, screen.editor:feed(next_keys(screen)))
  end
  screen.terminal:read(not screen.lent and not screen.closed and #screen.keys < MOST_AHEAD)
end

-- A key that somebody waits for, see Screen:key.
local function give_key(screen, bytes)
  local waiter = screen.key_waiter
  if waiter then
    screen.key_waiter = nil
    waiter:set_result(bytes)
  end
  return waiter ~= nil
end

local function on_input(screen, bytes)
  if give_key(screen, bytes) then
    return
  elseif screen.held and bytes:find(CTRL_Z, 1, true) then
    bytes = bytes:gsub(CTRL_Z, "")
    screen.options.on_suspend()
  end
  screen.keys = screen.keys .. bytes
  edit(screen)
end

-- --- Opening -------------------------------------------------------------------------------------

local function resize(screen)
  local columns, rows = screen.terminal:size()
  screen.editor:resize(columns, rows)
  screen.options.on_resize(columns)
  draw(screen)
end

local function new_terminal(screen)
  local options = screen.options
  return Terminal.open(0, {
    on_input = function(bytes)
      on_input(screen, bytes)
    end,
    on_end = options.on_hangup,
    on_drain = function()
      on_drain(screen)
    end,
    on_resize = function()
      resize(screen)
    end,
    on_continue = function()
      screen.stale = true
      screen.editor:forget()
      resize(screen)
    end,
  })
end

local function new_editor(screen)
  local columns, rows = screen.terminal:size()
  local options = screen.options
  return editor.new {
    width = columns, height = rows, prompt = options.prompt, more = options.more,
    is_complete = options.is_complete, highlight = options.highlight, color = options.color,
  }
end

--- Opens one on the terminal that standard input is.
---@param options strobe.console.ScreenOptions
---@return strobe.console.Screen?
---@return string? message
---@return string? code
function Screen.open(options)
  local screen = setmetatable({
    options = options, background = Above.new(options.on_lost), held = true, keys = "", mid_line = false, lent = false,
  }, Screen)
  local terminal, message, code = new_terminal(screen)
  if not terminal then
    return nil, message, code
  end
  screen.terminal = terminal
  local taken
  taken, message, code = terminal:take()
  if not taken then
    terminal:close()
    return nil, message, code
  end
  screen.editor = new_editor(screen)
  options.on_resize((terminal:size()))
  screen.typing = Alarm.new(function()
    handle(screen, screen.editor:timer() or {})
  end):unref()
  screen.pace = Alarm.new(function()
    show_background(screen)
  end):unref()
  return screen
end

-- --- The prompt ----------------------------------------------------------------------------------

--- There is no prompt until `ready`: what was typed stays, with the cursor below it.
function Screen:hold()
  self.held, self.mid_line, self.hinted = true, false, nil
  self.terminal:write(self.editor:above "")
end

--- A prompt: what was typed ahead goes on there.
function Screen:ready()
  if self.mid_line then
    self.terminal:write "\n"
    self.mid_line = false
  end
  self.held = false
  draw(self)
  edit(self)
end

--- Ctrl-C: the input is given up.
function Screen:interrupt()
  if not give_key(self, CTRL_C) and not self.held then
    self.keys = ""
    handle(self, self.editor:feed(CTRL_C))
  end
end

--- What was completed.
---@param token any of the event
---@param list table
function Screen:answer(token, list)
  handle(self, self.editor:answer(token, list))
end

--- A line below what is typed, such as the signature of a function.
---@param text? string
function Screen:hint(text)
  if text ~= self.hinted then
    self.hinted = text
    self.editor:hint(text)
    draw(self)
  end
end

--- The inputs of before, the oldest first.
---@param entries string[]
function Screen:set_history(entries)
  for _, entry in ipairs(entries) do
    self.editor.history:add(entry)
  end
end

--- Lines that stand above the prompt.
---@param lines string[]
function Screen:pin(lines)
  self.editor:pin(lines)
  draw(self)
end

--- Text for the prompt, as if it had been typed.
---@param text string
function Screen:set_input(text)
  self.editor:set_text(text)
  draw(self)
end

--- Somebody else has printed a line, of which the editor knows nothing: all is drawn anew below it.
function Screen:redraw()
  if not self.held and not self.lent then
    self.editor:forget()
    draw(self)
  end
end

--- Clears the screen.
function Screen:clear()
  self.editor:clear()
  if self.held then
    self.terminal:write(self.editor:above "")
  else
    draw(self)
  end
end

-- --- Printing ------------------------------------------------------------------------------------

--- Text of the input at work, as it is; without one, above the prompt.
---@param text string
function Screen:print(text)
  if text == "" then
    return
  elseif self.lent then
    self.background:take("print", text, time.real())
  elseif self.held then
    self.mid_line = text:sub(-1) ~= "\n"
    self.terminal:write(text)
  else
    show_lines(self, { (text:gsub("\n$", "")) })
  end
end

--- Lines of the console itself: shown at once, whatever else is printed.
---@param text string
function Screen:note(text)
  if self.lent then
    self.background:take("note", text .. "\n", time.real())
  else
    show_lines(self, { text })
  end
end

--- Text from the background.
---@param source any whose
---@param text string
function Screen:above(source, text)
  self.background:take(source, text, time.real())
  if not self.lent and not self.pace:is_set() then
    self.pace:set(self.background:due(time.real()))
  end
end

-- --- Lending -------------------------------------------------------------------------------------

--- The next key.
---@async
---@param timeout? number seconds
---@return string? keys nil when none was pressed in time
function Screen:key(timeout)
  local future = core_future.new()
  self.key_waiter = future
  if not timeout then
    return future:await()
  end
  local _ <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      if self.key_waiter == future then
        self.key_waiter = nil
      end
    end,
  })
  local in_time, keys = timeouts.move_on_after(timeout, future.await, future)
  return in_time and keys or nil
end

--- Gives the terminal to another program, as long as f runs.
---@async
---@param f function
---@return any ...
function Screen:lend(f)
  self.lent = true
  self.terminal:write(self.held and self.editor:leave() or self.editor:hide())
  self.terminal:read(false)
  self.terminal:give_back()
  local _ <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      self.lent = false
      self.terminal:take()
      resize(self)
      edit(self)
      show_background(self)
    end,
  })
  return f()
end

--- Gives the terminal back, the cursor on a line of its own. What it has not taken yet has a second. Twice is harmless.
---@async
function Screen:close()
  if self.closed then
    return
  end
  self.terminal:write((self.mid_line and "\n" or "") .. self.editor:leave())
  self.terminal:read(false)
  self.closed = true
  self.terminal:drain(LAST_WORDS)
  self.typing:close()
  self.pace:close()
  self.terminal:close()
end

Screen.__close = Screen.close

return Screen
