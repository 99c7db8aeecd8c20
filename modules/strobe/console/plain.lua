--- The front of a console without an editor, as for TERM=dumb or when only the keyboard is a terminal: lines as the
--- system gives them, prompts on standard error, and not one escape byte.

local Event = require("strobe.async.event").Event
local standard = require "strobe.async.standard"
local tasks = require "strobe.async.task"

---@class strobe.console.Plain a `<close>` value; for its options see strobe.console.Screen
---@field private text string lines of an input that is not complete
---@field private idle strobe.Event no input is at work
local Plain = {}
Plain.__index = Plain
Plain.__name = "plain console"

local function prompt(plain)
  io.stdout:flush()
  io.stderr:write(plain.text == "" and plain.options.prompt or plain.options.more)
end

local function take_line(plain, line)
  local text = plain.text .. line
  if plain.options.is_complete(text) then
    plain.text = ""
    plain.idle:clear()
    plain.options.on_submit(text)
  else
    plain.text = text .. "\n"
  end
end

local function read(plain)
  while true do
    plain.idle:wait()
    prompt(plain)
    local line = standard.stdin:readline()
    if line == "" then
      io.stderr:write "\n"
      return plain.options.on_eof()
    end
    take_line(plain, (line:gsub("\r?\n$", "")))
  end
end

--- Opens one.
---@param options strobe.console.ScreenOptions
---@return strobe.console.Plain
function Plain.open(options)
  local plain = setmetatable({ options = options, text = "", idle = Event() }, Plain)
  plain.reader = tasks.create_task(function()
    local ok, e = pcall(read, plain)
    if not ok and not plain.closed then
      io.stderr:write("strobe: ", tostring(e), "\n")
      options.on_eof()
    end
  end)
  plain.reader:set_name "console reader"
  return plain
end

--- A prompt.
function Plain:ready()
  self.idle:set()
end

--- Ctrl-C: the input is given up.
function Plain:interrupt()
  if self.idle:is_set() then
    local empty = self.text == ""
    self.text = ""
    io.stderr:write "\n"
    self.options.on_interrupt(empty)
    prompt(self)
  end
end

--- Text of the input at work.
---@param text string
function Plain:print(text)
  io.stdout:write(text)
  io.stdout:flush()
end

--- A line of the console itself.
---@param text string
function Plain:note(text)
  self:print(text .. "\n")
end

--- Text from the background.
---@param text string
function Plain:above(_, text)
  self:print(text)
end

--- There is nothing that could be pinned, completed, or cleared.
function Plain:pin() end
Plain.answer, Plain.hint, Plain.clear, Plain.redraw = Plain.pin, Plain.pin, Plain.pin, Plain.pin

--- Text for the prompt is shown, to be typed.
---@param text string
function Plain:set_input(text)
  self:note(text)
end

--- It is another program's at any time.
---@async
---@param f function
---@return any ...
function Plain:lend(f)
  self.lent = true
  local _ <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      self.lent = false
    end,
  })
  return f()
end

--- Twice is harmless.
---@async
function Plain:close()
  if not self.closed then
    self.closed = true
    tasks.cancel_and_wait { self.reader }
  end
end

Plain.__close = Plain.close

return Plain
