--- Traces of boards: what happens on the pins, as a VCD file that GTKWave and its like show.
--
--   local trace <close> = assert(board:trace("blink.vcd", { pins = { "D13", "led1" } }))
--
-- The engine makes the text as the board runs; a task writes it in blocks. Where the disk cannot follow, the board
-- waits, so nothing is lost. The same inputs make the same bytes, whenever these are written.
--
-- VCD declares all variables at its head, so a trace begins as late as it can: when something happens on the board, or
-- its time passes, for the first time after `board:trace`. What is put on the board up to then is in it; what comes
-- later is not, which is said. A board may have several traces: another one, begun later, has that too.
--
-- The board is a scope, each part one inside it. Pins which wires join are names of one net. If such a wire is cut
-- later and their levels differ then, they are x for as long. With `states` a part's scope has its states too: true and
-- false as a wire, numbers as reals, texts as strings (where `strings` allows them).

local async = require "strobe.async"
local errors = require "strobe.async.error"
local fs = require "strobe.async.fs"
local mistake = require("strobe.mistake").raise
local names = require "strobe.gpio.name"
local state = require "strobe.gpio.state"
local vcd = require "strobe.vcd"
local wiring = require "strobe.gpio.wiring"

local trace = {}

-- Bytes that make a block, and for how long fewer may wait, in ns of the loop's time.
local BLOCK, FLUSH_NS = 64 * 1024, 1000 * 1000 * 1000

---@class strobe.gpio.TraceOptions
---@field timescale? string 1, 10 or 100 of s, ms, us, ns ("1 us"): changes within one unit are one
---@field pins? string[] pins, "D13", and parts, "led1", with all their pins (all there are)
---@field reals? boolean|string[] pins whose PWM duty is traced as a number besides their level; true: of all the
--- board's own; false: of none (of the board's own that are outputs as it begins)
---@field states? boolean|string[] parts whose states are traced, "relay1"; true: of all (none)
---@field strings? boolean states that are texts, and a variable for what `trace:mark` says (false: other than viewers
--- may refuse strings)
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
---@field private options strobe.gpio.TraceOptions
---@field private begun? boolean all is declared, and recorded from then on
---@field private states {part: strobe.gpio.Part, names: string[], vars: table<string, integer>}[]
---@field private recorder userdata
---@field private task strobe.Task which writes
local Trace = {}
Trace.__index = Trace
Trace.__name = "gpio.Trace"

-- --- What is traced ---------------------------------------------------------------------------

local known = {
  timescale = "string", pins = "table", reals = "list", states = "list", strings = "boolean", max_size = "count",
  max_changes = "count", all_changes = "boolean", date = "string", comment = "string",
}

local function is_of(kind, value)
  if kind == "list" then
    return type(value) == "boolean" or type(value) == "table"
  elseif kind == "count" then
    return math.type(value) == "integer" and value > 0
  end
  return type(value) == kind
end

local function check_options(options)
  for name, value in pairs(options) do
    if not known[name] then
      mistake("board:trace: there is no option %s", tostring(name))
    elseif not is_of(known[name], value) then
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

-- The parts whose states are traced, by part.
local function stated(board, wanted)
  local list = {}
  if wanted == true then
    wanted = board.parts
  end
  for _, given in ipairs(wanted or {}) do
    local part = type(given) == "table" and given or board.parts[given]
    if not part then
      local text = "board:trace: states: board %s has no part %s; it has %s"
      mistake(text, board.name, tostring(given), names.list(board.parts))
    end
    list[part] = true
  end
  return list
end

local types = { boolean = "wire", number = "real", string = "string" }

-- Declares what its part's state has now, by name; what has no value has no type.
local function declare_states(self, part)
  local its = { part = part, names = {}, vars = {} }
  for name, value in pairs(part.state) do
    if type(name) == "string" and types[type(value)] then
      its.names[#its.names + 1] = name
    end
  end
  table.sort(its.names)
  for _, name in ipairs(its.names) do
    its.vars[name] = assert(self.recorder:var(name, types[type(part.state[name])]))
  end
  self.states[#self.states + 1] = its
end

local function declare(self)
  local board, recorder, options = self.board, self.recorder, self.options
  local own, of_part = chosen(board, options.pins)
  local find, index, has_duty = wiring.groups(board), {}, duties(board, options.reals)
  local has_state = stated(board, options.states)
  recorder:scope(board.name)
  declare_group(recorder, own, find, index, has_duty)
  for _, part in ipairs(board.parts) do
    if #of_part[part] > 0 or has_state[part] then
      recorder:scope(part.name)
      declare_group(recorder, of_part[part], find, index, has_duty)
      if has_state[part] then
        declare_states(self, part)
      end
      recorder:upscope()
    end
  end
  self.marks = options.strings and assert(recorder:var("marks", "string")) or nil
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

-- Nothing of it is left on its board.
local function leave(self)
  for _, its in ipairs(self.states) do
    if its.watch then
      its.watch:close()
    end
  end
  for i, other in ipairs(self.board.traces) do
    if other == self then
      table.remove(self.board.traces, i)
      break
    end
  end
  self.ended = true
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
  leave(self)
  if cancelled then
    error(e, 0)
  end
end

-- --- Beginning --------------------------------------------------------------------------------

local function record_states(self, its)
  local recorder, missed = self.recorder, {}
  for _, name in ipairs(its.names) do
    recorder:set(its.vars[name], its.part.state[name])
  end
  its.watch = state.watch(its.part, function(name, value)
    if its.vars[name] then
      recorder:set(its.vars[name], value)
    elseif not missed[name] then
      missed[name] = true
      local text = "state %s of part %s had no value when the trace began, and is not in it"
      self.board:warn(text:format(name, its.part.name))
    end
  end)
end

--- For boards: declares what there is and begins, unless it has.
function Trace:begin()
  if self.begun or self.board.closed then
    return
  end
  self.begun = true
  local ok, good, message, code = pcall(function()
    declare(self)
    return self.recorder:begin(self.options.all_changes == true)
  end)
  if not ok then -- more variables than there may be, or no memory for them
    fail(self, tostring(good), "E2BIG")
  elseif not good then
    fail(self, message, code)
  else
    for _, its in ipairs(self.states) do
      record_states(self, its)
    end
  end
end

local function begin_all(board)
  for _, its in ipairs(board.traces) do
    its:begin()
  end
end

local function make_recorder(board, options, unit_ns)
  return board.core:recorder {
    unit_ns = unit_ns, date = options.date, comment = options.comment, max_bytes = options.max_size,
    max_changes = options.max_changes, hide_strings = not options.strings, all_changes = options.all_changes,
  }
end

-- Has it begin in time, and its bytes be written, for a file that is open.
local function start(self, unit_ns)
  local board = self.board
  local recorder, message, code = make_recorder(board, self.options, unit_ns)
  if not recorder then
    return nil, message, code
  end
  self.recorder = recorder
  self.task = async.create_task(run, self)
  self.task:set_name("trace of board " .. board.name)
  board.traces[#board.traces + 1] = self
  board.core:prologue(function()
    begin_all(board)
  end)
  return self
end

-- Gives the file back unless all went well.
local function guard(self)
  return setmetatable({}, {
    __close = function()
      if not self.task and type(self.file) == "table" then
        self.file:abandon()
      end
    end,
  })
end

-- A copy of the options, as they are to be.
local function checked(board, options)
  local own = {}
  if options ~= nil and type(options) ~= "table" then
    mistake("board:trace: options: a table expected, got %s", type(options))
  end
  for name, value in pairs(options or {}) do
    own[name] = value
  end
  check_options(own)
  chosen(board, own.pins)
  duties(board, own.reals)
  stated(board, own.states)
  return own
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
  if board.closed then
    return nil, ("board %s was closed"):format(board.name), "ECANCELED"
  elseif type(target) ~= "string" and type(target) ~= "function" then
    mistake("board:trace: a path or a function expected, got %s", type(target))
  end
  options = checked(board, options)
  local unit_ns = vcd.unit_ns("board:trace", options.timescale or "1 us", 2)
  local self = setmetatable({
    board = board, options = options, states = {}, written = 0, bytes = "", file = target,
  }, Trace)
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
  return start(self, unit_ns)
end

-- --- For who has a trace ----------------------------------------------------------------------

--- Writes a text into the trace, at the board's time; for traces with `strings`. It begins then, if it has not.
---@param text string
---@return boolean? good
---@return string? message
---@return string? code
function Trace:mark(text)
  if not self.options.strings then
    mistake("trace:mark: the trace has no strings: board:trace(path, { strings = true })")
  end
  if type(text) ~= "string" then
    mistake("trace:mark: a string expected, got %s", type(text))
  end
  self:begin()
  if self.failure then
    return nil, self.failure, self.code
  end
  return self.recorder:set(self.marks, text)
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
  if not self.board.closed and not self.ended then
    self.board.core:delay(0) -- what was written just now has its effect
    self:begin()
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

return trace
