--- A view of a board in the terminal: levels, how often they changed, what parts show, contentions.
--
--   local view <close> = board:view()
--
-- It stands in the last lines of the terminal, below what else is printed, and goes when it is closed. Where there
-- is no terminal, or a dumb one, or time is virtual and nobody could follow, the board is printed once, at the end.
-- NO_COLOR is respected.

local Footer = require "strobe.gpio.footer"
local async = require "strobe.async"
local mistake = require "strobe.mistake"
local terminal = require "strobe.core.terminal"
local time = require "strobe.core.time"
local uv = require "luv"

local view = {}

local COLUMNS, ROWS = 80, 24 -- where there is no terminal, or one that does not know
local ROWS_LEFT = 4 -- of the terminal, for all else; at most half of it
local FASTEST = 60 -- Hz
local STDOUT = 1

-- --- What is shown ---------------------------------------------------------------------------

---@class strobe.gpio.ViewSnapshot what a view shows
---@field name string of the board
---@field now_ns integer
---@field running boolean
---@field pins {name: string, level: string, changes: integer, owner?: string}[]
---@field parts {name: string, kind: string, state: table, failure?: string}[]
---@field contentions integer so far
---@field contended string[] nets on which two outputs differ now

local styles = {
  ["1"] = "32;1", ["0"] = "2", x = "31;1", z = "34", lit = "33;1", bad = "31;1", head = "1", faint = "2",
}

local function painter(color)
  return function(style, text)
    return color and styles[style] and ("\27[%sm%s\27[0m"):format(styles[style], text) or text
  end
end

-- At most so many columns; a name has few characters of more than one.
local function cut(text, width)
  if utf8.len(text) and utf8.len(text) <= width then
    return text
  elseif width < 1 then
    return ""
  end
  -- What is no UTF-8 is for no terminal.
  text = utf8.len(text) and text or text:gsub("[\128-\255]", "?")
  return text:sub(1, (utf8.offset(text, width) or #text + 1) - 1) .. "…"
end

local function pad(text, width)
  return text .. (" "):rep(width - (utf8.len(text) or #text))
end

-- Nothing of a name or a state may steer the terminal.
local function printable(text)
  return (tostring(text):gsub("%c", "?"))
end

local function value_text(value)
  return math.type(value) == "float" and ("%.4g"):format(value) or printable(value)
end

-- What a part's state says, in few words.
local function state_text(part)
  if part.failure then
    return "✗", "stopped: " .. printable(part.failure), "bad"
  elseif type(part.state.lit) == "boolean" then
    return part.state.lit and "●" or "○", part.state.lit and "lit" or "dark", part.state.lit and "lit" or "faint"
  end
  local words, names = {}, {}
  for name in pairs(part.state) do
    names[#names + 1] = tostring(name)
  end
  table.sort(names)
  for i, name in ipairs(names) do
    words[i] = printable(name) .. " " .. value_text(part.state[name])
  end
  return "·", table.concat(words, ", ")
end

local function name_width(list, most)
  local width = 0
  for _, entry in ipairs(list) do
    width = math.max(width, utf8.len(entry.name) or #entry.name)
  end
  return math.min(width, most)
end

local function head(snapshot, width, paint)
  local form = snapshot.running and "%s  %.3f s" or "%s  %.6f s  paused"
  local left = form:format(printable(snapshot.name), snapshot.now_ns / 1e9)
  local line = paint("head", cut(left, width))
  if snapshot.contentions > 0 then
    local count = ("  %d contention%s"):format(snapshot.contentions, snapshot.contentions == 1 and "" or "s")
    local on = #snapshot.contended > 0 and ", now on " .. printable(table.concat(snapshot.contended, ", ")) or ""
    local room = width - (utf8.len(left) or #left)
    line = line .. paint("bad", cut(count .. on, room))
  end
  return line
end

local function pin_line(pin, names, width, paint)
  local count = ("%10d %-7s"):format(pin.changes, pin.changes == 1 and "change" or "changes")
  local rest = ("%s  %s"):format(count, printable(pin.owner or ""))
  return ("%s  %s  %s"):format(pad(cut(printable(pin.name), names), names), paint(pin.level, pin.level:upper()),
    (cut(rest, width - names - 5):gsub("%s+$", "")))
end

local function part_line(part, names, width, paint)
  local mark, text, style = state_text(part)
  return ("%s  %s  %s"):format(pad(cut(printable(part.name), names), names), paint(style, mark),
    cut(text, width - names - 5))
end

--- The lines of a snapshot, without newlines.
---@param snapshot strobe.gpio.ViewSnapshot
---@param options? {color?: boolean, width?: integer, height?: integer} columns (80) and lines (all) there are
---@return string[]
function view.lines(snapshot, options)
  options = options or {}
  local width, paint = options.width or COLUMNS, painter(options.color)
  local lines = { head(snapshot, width, paint) }
  local names = math.max(name_width(snapshot.pins, width // 3), name_width(snapshot.parts, width // 3))
  for _, pin in ipairs(snapshot.pins) do
    lines[#lines + 1] = pin_line(pin, names, width, paint)
  end
  for _, part in ipairs(snapshot.parts) do
    lines[#lines + 1] = part_line(part, names, width, paint)
  end
  local most = options.height or #lines
  if #lines <= most then
    return lines
  elseif most < 2 then
    return { lines[1] }
  end
  local first = table.move(lines, 1, most - 1, 1, {})
  first[most] = cut(("… %d more"):format(#lines - most + 1), width)
  return first
end

-- --- Watching ---------------------------------------------------------------------------------

---@class strobe.gpio.ViewOptions
---@field stream? {write: fun(self: any, text: string)} where to (io.stdout)
---@field rate? number how often it is drawn at most, Hz of the loop's time (10)
---@field pins? string[] which are shown (the board's own)
---@field color? boolean (as the terminal and NO_COLOR say)
---@field size? fun(): integer?, integer? columns and rows of the terminal, nil for none (those of stdout)

---@class strobe.gpio.View a `<close>` value
local View = {}
View.__index = View
View.__name = "gpio.View"

-- Each pin has a subscription of its own, of one event: that tells how many there were.
local function count_pins(self)
  for _, entry in ipairs(self.pins) do
    local _, _, _, line_seqs = entry.subscription:read()
    entry.changes = line_seqs[#line_seqs] or entry.changes
  end
end

--- What the board looks like now.
---@return strobe.gpio.ViewSnapshot
function View:snapshot()
  local board, pins, parts, contended = self.board, {}, {}, {}
  count_pins(self)
  for i, entry in ipairs(self.pins) do
    local line = entry.pin.core
    pins[i] = { name = entry.pin.name, level = line:level(), changes = entry.changes, owner = line:info().consumer }
  end
  for i, part in ipairs(board.parts) do
    parts[i] = { name = part.name, kind = part.kind, state = part.state, failure = part.failure }
  end
  local list = board.core:contentions()
  for _, contention in ipairs(list) do
    contended[#contended + 1] = not contention.ended and contention.net or nil
  end
  return {
    name = board.name, now_ns = board:now_ns(), running = board.core:running(), pins = pins, parts = parts,
    contentions = #list > 0 and list[#list].seq or 0, contended = contended,
  }
end

-- The columns and rows of the terminal that stdout is; nil when it is none, or dumb.
local function size_of_stdout()
  if (os.getenv "TERM" or "dumb") ~= "dumb" then
    return terminal.size(STDOUT)
  end
end

-- Columns and rows; nil where nothing can be drawn.
local function size_of(self)
  local columns, rows = self.size()
  if columns then
    return columns > 0 and columns or COLUMNS, rows > 0 and rows or ROWS
  end
end

-- Writes, until the terminal has gone.
local function write(self, text)
  if text == "" or self.gone then
    return
  end
  self.stream:write(text)
  if self.stream == io.stdout then
    self.gone = not io.stdout:flush()
  end
end

local function draw(self)
  local columns, rows = size_of(self)
  local height = columns and math.max(rows // 2, rows - ROWS_LEFT) or 0
  if height > 0 then
    local lines = view.lines(self:snapshot(), { color = self.color, width = columns - 1, height = height })
    write(self, self.footer:draw(lines, columns, rows))
  end
end

local function run(self)
  while not self.board.closed do
    draw(self)
    self:listen()
    async.sleep(1 / self.rate)
  end
end

-- Stops the process, as the key ^Z would without us, with a terminal as it was before.
local function suspend(self)
  write(self, self.footer:erase())
  self.signals.sigtstp:stop()
  uv.kill(uv.os_getpid(), "sigtstp")
end

local reactions = { sigwinch = draw, sigcont = draw, sigtstp = suspend }

--- For views: reacts to what happens to the terminal. Twice is harmless.
---@package
function View:listen()
  for name, signal in pairs(self.signals) do
    if not signal:is_active() then
      signal:start(name, function()
        reactions[name](self)
      end)
      signal:unref()
    end
  end
end

local known = { stream = true, rate = "number", pins = "table", color = "boolean", size = "function" }

local function check_options(options)
  for name, value in pairs(mistake.options("board:view", options)) do
    if not known[name] then
      mistake.raise("board:view: there is no option %s", tostring(name))
    elseif known[name] ~= true and type(value) ~= known[name] then
      mistake.raise("board:view: %s: a %s expected, got %s", name, known[name], type(value))
    end
  end
  if options.rate and not (options.rate > 0 and options.rate <= FASTEST) then
    error(("board:view: rate: up to %d Hz expected, got %s"):format(FASTEST, options.rate), 4)
  end
end

local function chosen(board, wanted)
  local pins, entries = board.pins, {}
  if wanted then
    pins = {}
    for i, name in ipairs(wanted) do
      pins[i] = board:find_pin("board:view: pins", name, 5)
    end
  end
  for i, pin in ipairs(pins) do
    entries[i] = { pin = pin, subscription = assert(board.core:subscribe({ pin.core }, "change", 1)), changes = 0 }
  end
  return entries
end

-- The view at the bottom of the terminal; another one is printed when it closes.
local holder

local function take_terminal(self)
  holder, self.size = self, size_of_stdout
  for name in pairs(reactions) do
    self.signals[name] = uv.new_signal()
  end
end

local function nowhere()
  return nil
end

--- board:view
---@param board strobe.gpio.Board
---@param options? strobe.gpio.ViewOptions
---@return strobe.gpio.View
function view.open(board, options)
  options = options or {}
  check_options(options)
  local self = setmetatable({
    board = board, stream = options.stream or io.stdout, rate = options.rate or 10, footer = Footer.new(),
    pins = chosen(board, options.pins), size = options.size or nowhere, signals = {},
  }, View)
  if not options.stream and not options.size and not holder and time.mode() ~= "virtual" then
    take_terminal(self)
  end
  self.color = options.color
  if self.color == nil then
    local stdout = options.stream == nil and size_of_stdout() ~= nil
    self.color = (os.getenv "NO_COLOR" or "") == "" and (stdout or self.size() ~= nil)
  end
  self.task = async.create_task(run, self)
  self.task:set_name("view of board " .. board.name)
  local function close()
    self:close()
  end
  self.task:add_done_callback(close) -- a script that ends, or is cancelled, leaves the terminal as it was
  board:at_close(close)
  return self
end

--- Takes the view away; what was there last is printed. Closing twice is harmless.
function View:close()
  if self.closed then
    return
  end
  self.closed = true
  local columns = size_of(self)
  local lines = view.lines(self:snapshot(), { color = self.color, width = columns and columns - 1 })
  local begin = columns and self.footer:erase() .. self.footer:begin_line() or ""
  write(self, begin .. table.concat(lines, "\n") .. "\n")
  for _, signal in pairs(self.signals) do
    signal:close()
  end
  holder = holder ~= self and holder or nil
  for _, entry in ipairs(self.pins) do
    entry.subscription:close()
  end
  self.task:cancel()
end

View.__close = View.close

return view
