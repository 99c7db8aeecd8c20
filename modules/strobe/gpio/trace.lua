--- Traces of boards: what happens on the pins, as a VCD file that GTKWave and its like show.
--
--   local trace <close> = assert(board:trace("blink.vcd", { pins = { "D13", "led1" } }))
--
-- The engine makes the text as the board runs; a task writes it in blocks. Where the disk cannot follow, the board
-- waits, so nothing is lost. The same inputs make the same bytes, whenever these are written.
--
-- The board is a scope, each part one inside it. Pins which wires join are names of one net. If such a wire is cut
-- later and their levels differ then, they are x for as long.

local async = require "strobe.async"
local errors = require "strobe.async.error"
local fs = require "strobe.async.fs"
local mistake = require "strobe.gpio.mistake"
local names = require "strobe.gpio.name"
local vcd = require "strobe.vcd"
local wiring = require "strobe.gpio.wiring"

local trace = {}

-- Bytes that make a block, and for how long fewer may wait, in ns of the loop's time.
local BLOCK, FLUSH_NS = 64 * 1024, 1000 * 1000 * 1000

---@class strobe.gpio.TraceOptions
---@field timescale? string 1, 10 or 100 of s, ms, us, ns ("1 us"): changes within one unit are one
---@field pins? string[] pins, "D13", and parts, "led1", with all their pins (all there are)
---@field reals? boolean|string[] pins whose PWM duty is traced as a number besides their level; true: of all the
--- board's own; false: of none (of the board's own that are outputs now)
---@field strings? boolean a variable for what `trace:mark` says (false: other than viewers may refuse strings)
---@field max_size? integer bytes; the trace is cut there
---@field max_changes? integer
---@field all_changes? boolean not only what settled at each time
---@field date? string a text at the head (none, so that equal runs make equal files)
---@field comment? string

---@class strobe.gpio.Trace a `<close>` value
---@field path? string
---@field failure? string why it could not be written
---@field code? string
---@field ended? boolean all is in its file
---@field private recorder userdata
---@field private task strobe.Task which writes
local Trace = {}
Trace.__index = Trace
Trace.__name = "gpio.Trace"

-- --- What is traced ---------------------------------------------------------------------------

local known = {
  timescale = "string", pins = "table", reals = true, strings = "boolean", max_size = "number", max_changes = "number",
  all_changes = "boolean", date = "string", comment = "string",
}

local function check_options(options)
  for name, value in pairs(options) do
    if not known[name] then
      mistake("board:trace: there is no option %s", tostring(name))
    elseif known[name] ~= true and type(value) ~= known[name] then
      mistake("board:trace: %s: a %s expected, got %s", name, known[name], type(value))
    end
  end
end

-- Adds pins to a group, each once.
local function add(group, pin, name, seen)
  if not seen[pin] then
    seen[pin] = true
    group[#group + 1] = { pin = pin, name = name }
  end
end

local function add_part(board, group, part, seen)
  for _, name in ipairs(part.pins) do
    add(group, board.pins[part.name .. "." .. name], name, seen)
  end
end

-- Groups of pins, one for the board itself and one for each part, in the order in which these were added.
local function chosen(board, wanted)
  local own, of_part, seen = {}, {}, {}
  for _, part in ipairs(board.parts) do
    of_part[part] = {}
  end
  if not wanted then
    for _, pin in ipairs(board.pins) do
      add(own, pin, pin.name, seen)
    end
    for _, part in ipairs(board.parts) do
      add_part(board, of_part[part], part, seen)
    end
    return own, of_part
  end
  for _, name in ipairs(wanted) do
    local part = board.parts[name]
    if part then
      add_part(board, of_part[part], part, seen)
    else
      local pin = board:find_pin("board:trace: pins", name)
      local group = pin.part and of_part[pin.part] or own
      add(group, pin, pin.part and pin.name:sub(#pin.part.name + 2) or pin.name, seen)
    end
  end
  return own, of_part
end

-- The pins with a duty, by pin.
local function duties(board, reals)
  local list = {}
  if type(reals) == "table" then
    for _, name in ipairs(reals) do
      list[board:find_pin("board:trace: reals", name)] = true
    end
  elseif reals ~= false then
    for _, pin in ipairs(board.pins) do
      list[pin] = reals == true or pin.core:info().direction == "output"
    end
  end
  return list
end

local function declare_group(recorder, group, find, index, has_duty)
  for _, entry in ipairs(group) do
    local net = find(entry.pin)
    local number = assert(recorder:pin(entry.pin.core, entry.name, index[net]))
    index[net] = index[net] or number
    if has_duty[entry.pin] then
      assert(recorder:duty(entry.name .. "_duty"))
    end
  end
end

local function declare(board, recorder, options)
  local own, of_part = chosen(board, options.pins)
  local find, index, has_duty = wiring.groups(board), {}, duties(board, options.reals)
  recorder:scope(board.name)
  declare_group(recorder, own, find, index, has_duty)
  for _, part in ipairs(board.parts) do
    if #of_part[part] > 0 then
      recorder:scope(part.name)
      declare_group(recorder, of_part[part], find, index, has_duty)
      recorder:upscope()
    end
  end
  return options.strings and assert(recorder:text "marks") or nil
end

-- --- Writing ----------------------------------------------------------------------------------

local function fail(self, message, code)
  if not self.failure then
    self.failure, self.code = message, code
    self.board:warn("its trace ends: " .. message)
  end
  self.recorder:finish()
end

-- Writes what is at hand; after a wait that was cut the same bytes go to the same place.
local function write(self)
  local file, bytes = self.file, self.bytes
  if bytes == "" then
    return true
  elseif type(file) == "function" then
    self.bytes = ""
    return file(bytes)
  end
  file:seek("set", self.written) -- what is no file, as /dev/null, has no places
  local good, message, code = file:write(bytes)
  if not good then
    return nil, message, code
  end
  self.written, self.bytes = self.written + #bytes, ""
  return true
end

-- Writes all that the recorder has, and whether there will be more.
local function take(self)
  local good, message, code = write(self)
  if not good then
    return fail(self, message, code)
  end
  local bytes, more = self.recorder:take()
  if not bytes then
    return fail(self, more, "ENOMEM")
  end
  self.bytes = bytes
  good, message, code = write(self)
  if not good then
    return fail(self, message, code)
  end
  return more
end

local function pump(self)
  repeat
    self.recorder:wait(0)
    self.recorder:wait(BLOCK, FLUSH_NS)
  until not take(self)
end

local function close_file(self)
  if type(self.file) == "function" then
    return
  end
  local good, message, code = self.file:close()
  if not good then
    fail(self, message, code)
  end
end

-- The writing task. Cancelled, it still writes what there is.
local function run(self)
  local ok, e = pcall(pump, self)
  local cancelled = not ok and errors.is(e, errors.CancelledError)
  if cancelled then
    self.recorder:finish()
    take(self)
  elseif not ok then -- an error of who is given the bytes
    fail(self, tostring(e), "EIO")
  end
  close_file(self)
  self.board.tracing, self.ended = nil, true
  if cancelled then
    error(e, 0)
  end
end

local function make_recorder(board, options, unit_ns)
  return board.core:recorder {
    unit_ns = unit_ns, date = options.date, comment = options.comment, max_bytes = options.max_size,
    max_changes = options.max_changes, hide_strings = not options.strings, all_changes = options.all_changes,
  }
end

-- Declares and begins, for a file that is open.
local function begin(self, options, unit_ns)
  local recorder, message, code = make_recorder(self.board, options, unit_ns)
  if not recorder then
    return nil, message, code
  end
  self.recorder = recorder
  self.marks = declare(self.board, recorder, options)
  local good
  good, message, code = recorder:begin(options.all_changes == true)
  if not good then
    return nil, message, code
  end
  self.task = async.create_task(run, self)
  self.task:set_name("trace of board " .. self.board.name)
  return self
end

-- Gives the board and the file back unless all went well.
local function guard(self)
  return setmetatable({}, {
    __close = function()
      if not self.task then
        self.board.tracing = nil
        if type(self.file) == "table" then
          self.file:abandon()
        end
      end
    end,
  })
end

--- board:trace
---@async
---@param board strobe.gpio.Board
---@param target string|fun(bytes: string): boolean?, string?, string?
---@param options? strobe.gpio.TraceOptions
---@return strobe.gpio.Trace?
---@return string? message
---@return string? code
function trace.open(board, target, options)
  options = options or {}
  check_options(options)
  if type(target) ~= "string" and type(target) ~= "function" then
    mistake("board:trace: a path or a function expected, got %s", type(target))
  end
  local unit_ns = vcd.unit_ns("board:trace", options.timescale or "1 us", 2)
  chosen(board, options.pins)
  duties(board, options.reals)
  if board.tracing then
    return nil, ("board %s: it is traced already: close that trace first"):format(board.name), "EBUSY"
  end
  local self = setmetatable({ board = board, written = 0, bytes = "", file = target }, Trace)
  board.tracing = self
  local undo <close> = guard(self) -- luacheck: ignore
  if type(target) == "string" then
    local message, code
    self.path = target
    self.file, message, code = fs.open(target, "w")
    if not self.file then
      return nil, message, code
    elseif board.closed then
      return nil, ("board %s was closed"):format(board.name), "ECANCELED"
    end
  end
  return begin(self, options, unit_ns)
end

-- --- For who has a trace ----------------------------------------------------------------------

--- Writes a text into the trace, at the board's time; for traces with `strings`.
---@param text string
---@return boolean? good
---@return string? message
---@return string? code
function Trace:mark(text)
  if not self.marks then
    mistake("trace:mark: the trace has no strings: board:trace(path, { strings = true })")
  end
  return self.recorder:say(self.marks, text)
end

--- What was written and what was not: `merged` changes had a later one within the same unit of time, `dropped` ones
--- came after the limit at which the trace was `cut`.
---@return {bytes: integer, changes: integer, merged: integer, dropped: integer, cut: boolean}
function Trace:counters()
  return self.recorder:counters()
end

--- Ends the trace; waits until all is in its file. The board goes on. Closing twice is harmless.
---@async
---@return boolean? good nil when not all was written
---@return string? message
---@return string? code "ENOSPC", …
function Trace:close()
  if not self.board.closed and self.board.tracing == self then
    self.board.core:delay(0) -- what was written just now has its effect
  end
  local good, message, code = self.recorder:finish()
  async.wait({ self.task })
  if self.failure then
    return nil, self.failure, self.code
  end
  return good, message, code
end

function Trace:__close(e)
  local good, message = self:close()
  if not good and e == nil then
    error(message, 0)
  end
end

function Trace:__tostring()
  return ("<trace of board %s%s>"):format(self.board.name, self.path and " in " .. self.path or "")
end

-- --- Playing ----------------------------------------------------------------------------------

-- The variables of the trace that are to drive pins: "SCOPE.NAME" or NAME → pin.
local function find_pins(content, map, source)
  local by_code, found = {}, {}
  for _, var in ipairs(content.vars) do
    local full = var.scope ~= "" and var.scope .. "." .. var.name or var.name
    local key = map[full] and full or map[var.name] and var.name
    if key and (var.class ~= "bits" or var.width ~= 1) then
      return nil, ("%s: %s is no single bit"):format(source, key), "EINVAL"
    elseif key and not found[key] then
      found[key], by_code[var.code] = true, map[key]
    end
  end
  for key in pairs(map) do
    if not found[key] then
      local list = {}
      for i, var in ipairs(content.vars) do
        list[i] = var.name
      end
      return nil, ("%s: no variable %s; it has %s"):format(source, key, names.list(list)), "ENOENT"
    end
  end
  return by_code
end

local function release(lines)
  for _, line in pairs(lines) do
    line:release()
  end
end

-- Requests the pins; nil, message, code when one is in use.
local function request(board, by_code)
  local lines = setmetatable({}, { __close = release })
  for code, pin in pairs(by_code) do
    local line, message, why = board:line(pin, { direction = "output", output_value = "z", consumer = "play" })
    if not line then
      release(lines)
      return nil, message, why
    end
    lines[code] = line
  end
  return lines
end

local function wait_until(board, time)
  local left = time - board:now_ns()
  if left > 0 then
    return board.core:delay(left)
  end
  return true
end

-- Drives the lines as the changes say, each at its time, up to the trace's end.
local function drive(board, lines, changes)
  local start = board:now_ns()
  for time, var, value in table.unpack(changes) do
    local line = lines[var.code]
    if line then
      local good, message, code = wait_until(board, start + math.floor(time))
      if not good then
        return nil, message, code
      end
      line:set_value(value == "x" and "z" or value)
    end
  end
  return wait_until(board, start + math.floor(changes[2].finish))
end

--- board:play
---@async
---@param board strobe.gpio.Board
---@param source string|fun(): string?
---@param map table<string, string>
---@return boolean? good
---@return string? message
---@return string? code
function trace.play(board, source, map)
  if type(map) ~= "table" or next(map) == nil then
    mistake("board:play: what drives which pin expected: { clk = \"D2\" }")
  end
  for _, pin in pairs(map) do
    board:find_pin("board:play", pin)
  end
  local changes = table.pack(vcd.changes(source))
  if not changes[1] then
    return nil, changes[2], changes[3]
  end
  local opened <close> = changes[4] -- luacheck: ignore
  local name = type(source) == "string" and not source:find "\n" and source or "vcd"
  local by_code, message, code = find_pins(changes[2], map, name)
  if not by_code then
    return nil, message, code
  end
  local lines <close>, why, word = request(board, by_code)
  if not lines then
    return nil, why, word
  end
  return drive(board, lines, changes)
end

return trace
