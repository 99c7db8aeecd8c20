--- strobe.vcd: traces of circuits as VCD (IEEE 1364, chapter 18), written and read.
--
--   local writer <close> = assert(vcd.open("blink.vcd", { timescale = "1 us" }))
--   writer:scope "board"
--   local led = writer:var("led", { initial = "0" })
--   writer:change(500000000, led, "1")
--
--   for time, var, value in assert(vcd.changes "blink.vcd") do print(time, var.name, value) end
--
-- Times are nanoseconds. Values of a wire are "0", "1", "x" (unknown) and "z" (nobody drives),
-- of a vector as many of these as it is wide, most significant first; of a real a number, of a
-- string a string, of an event true.

local core = require "strobe.core.vcd"
local file = require "strobe.vcd.file"
local mistake = require "strobe.mistake"

local vcd = {}

-- Bytes that are gathered before they are written.
local BLOCK = 64 * 1024

local MOST_CHANGES = 10000000

local units = { s = 0, ms = -3, us = -6, ns = -9, ps = -12, fs = -15 }

-- --- Writing --------------------------------------------------------------------------------

---@class strobe.vcd.Writer a `<close>` value
---@field failure? string why writing has failed; nothing is written any more
local Writer = {}
Writer.__index = Writer
Writer.__name = "vcd.Writer"

--- How many nanoseconds a timescale is.
---@package
---@param where string the function, for the message of what raises
---@param timescale string 1, 10 or 100 of s, ms, us, ns: "1 us"
---@param level? integer as error's
---@return integer ns
function vcd.unit_ns(where, timescale, level)
  local count, unit = timescale:match "^(10*)%s*(%a+)$"
  count = tonumber(count)
  if not count or count > 100 or not units[unit] or units[unit] < -9 then
    error(("%s: timescale '%s': 1, 10 or 100 of s, ms, us or ns expected"):format(where, timescale), (level or 2) + 1)
  end
  return count * math.tointeger(10 ^ (units[unit] + 9))
end

local writer_options = {
  timescale = "string", strings = "boolean", reals = "boolean", date = "string or boolean", comment = "string",
  max_size = "number", max_changes = "number", all_changes = "boolean", begin = "number",
}

local function check_options(options)
  mistake.options("vcd.open", options)
  for name, value in pairs(options) do
    local expected = writer_options[name]
    if not expected then
      error(("vcd.open: there is no option %s"):format(tostring(name)), 3)
    elseif not expected:find(type(value), 1, true) then
      error(("vcd.open: %s: a %s expected, got %s"):format(name, expected, type(value)), 3)
    end
  end
end

local function check_source(where, source)
  if type(source) ~= "string" and type(source) ~= "function" then
    mistake.raise("%s: a path, a text or a function expected, got %s", where, type(source))
  end
end

--- Opens a trace to be written. What it held before is lost.
---@async
---@param target string|fun(bytes: string): boolean?, string?, string? a path; or what is given
--- the bytes, in blocks, and returns true, or nil, message, code
---@param options? {timescale?: string, strings?: boolean, reals?: boolean, date?: string|boolean,
---  comment?: string, max_size?: integer, max_changes?: integer, all_changes?: boolean, begin?: integer}
--- timescale: "1 us" unless given; strings: write string variables (false: other than viewers may
--- refuse them); reals: write reals (true); date: a text, or true for now (none); comment: a text
--- at the head; max_size (bytes), max_changes: the trace is cut there; all_changes: not only what
--- settled at each time; begin: time in ns at which it begins (0)
---@return strobe.vcd.Writer?
---@return string? message
---@return string? code
function vcd.open(target, options)
  options = options or {}
  check_options(options)
  if type(target) ~= "string" and type(target) ~= "function" then
    error(("vcd.open: a path or a function expected, got %s"):format(type(target)), 2)
  end
  local unit_ns = vcd.unit_ns("vcd.open", options.timescale or "1 us", 2)
  local date = options.date == true and os.date "!%Y-%m-%dT%H:%M:%SZ" or options.date or nil
  local engine, message, code = core.writer {
    unit_ns = unit_ns, date = date, version = "strobe", comment = options.comment,
    max_bytes = options.max_size, max_changes = options.max_changes, all_changes = options.all_changes,
    hide_strings = not options.strings, hide_reals = options.reals == false,
  }
  if not engine then
    return nil, message, code
  end
  local sink
  if type(target) == "string" then
    sink, message, code = file.create(target)
    if not sink then
      return nil, message, code
    end
  else
    sink = { write = function(_, bytes) return target(bytes) end, close = function() return true end }
  end
  return setmetatable({ engine = engine, sink = sink, begin = options.begin or 0, unit_ns = unit_ns }, Writer)
end

--- Opens a scope, as a module in a circuit; what is declared next is inside.
---@param name string
---@return strobe.vcd.Writer self
function Writer:scope(name)
  assert(self.engine:scope(name))
  return self
end

--- Closes the scope that was opened last.
---@return strobe.vcd.Writer self
function Writer:upscope()
  assert(self.engine:upscope())
  return self
end

--- Declares a variable. All are declared before the first change.
---@param name string letters, digits and _; others become _, and a comment keeps the original
---@param options? {type?: "wire"|"real"|"string"|"event", width?: integer, initial?: string, same?: integer}
--- width: bits of a wire (1); initial: "0", "1", "x" or "z" ("x"); same: the variable that this
--- is another name of
---@return integer var for `change`
function Writer:var(name, options)
  options = options or {}
  return assert(self.engine:var(name, options.type, options.width, options.initial, options.same))
end

local function fail(writer, message, code)
  writer.failure, writer.code = message, code
  return nil, message, code
end

-- Hands what there is to the sink.
local function flush(writer)
  local good, message, code = writer.sink:write(writer.engine:take())
  if not good then
    return fail(writer, message, code)
  end
  return true
end

local function begin(writer)
  if not writer.begun then
    writer.begun = true
    assert(writer.engine:begin(writer.begin))
  end
end

--- Tells a change. A wire or vector takes its bits, an integer or a boolean; several changes of
--- one variable at one time are one, the last.
---@param time_ns integer not before the change before
---@param var integer
---@param value string|integer|number|boolean
---@return boolean? good nil when the trace cannot be written, as on a full disk
---@return string? message
---@return string? code
function Writer:change(time_ns, var, value)
  if self.failure then
    return nil, self.failure, self.code
  end
  begin(self)
  local size, message, code = self.engine:change(time_ns, var, value)
  if not size then
    return fail(self, message, code)
  elseif size >= BLOCK then
    return flush(self)
  end
  return true
end

--- Records nothing from then on; values are unknown until `resume`.
---@param time_ns integer
function Writer:pause(time_ns)
  begin(self)
  assert(self.engine:pause(time_ns))
end

--- Goes on after `pause`.
---@param time_ns integer
function Writer:resume(time_ns)
  begin(self)
  assert(self.engine:resume(time_ns))
end

--- Writes all that is known up to now, for whoever looks at the file.
---@return boolean? good
---@return string? message
---@return string? code
function Writer:flush()
  if self.failure then
    return nil, self.failure, self.code
  end
  begin(self)
  assert(self.engine:settle())
  return flush(self)
end

--- What was written and what was not: `merged` changes had a later one at the same time on the
--- trace's scale, `dropped` ones came after the limit.
---@return {bytes: integer, changes: integer, merged: integer, dropped: integer, cut: boolean}
function Writer:counters()
  return self.engine:counters()
end

-- One unit behind the last change, so that its value has a width on screen.
local function default_end(writer)
  local time = writer.engine:time()
  return time - time % writer.unit_ns + writer.unit_ns
end

--- Ends the trace. Closing twice is harmless.
---@param time_ns? integer its end; one unit behind the last change unless given
---@return boolean? good nil when not all was written
---@return string? message
---@return string? code
function Writer:close(time_ns)
  if self.closed then
    return true
  end
  self.closed = true
  if not self.failure then
    begin(self)
    local size, message, code = self.engine:finish(time_ns or default_end(self))
    if size then
      flush(self)
    else
      fail(self, message, code)
    end
  end
  local good, message, code = self.sink:close()
  if self.failure then
    return nil, self.failure, self.code
  end
  return good, message, code
end

-- What was not written must not go unsaid: nobody sees the result of this close.
function Writer:__close(reason)
  local good, message = self:close()
  if not good and reason == nil then
    error(message, 0)
  end
end

-- Nobody waits for a collector.
function Writer:__gc()
  if self.sink.block then
    self.sink:block()
  end
  self:__close()
end

-- --- Reading --------------------------------------------------------------------------------

---@class strobe.vcd.Var a variable of a trace
---@field name string without its range
---@field scope string names of the scopes around it, with a . between two; "" at the top
---@field type string as in the file: "wire", "reg", "real", "string", "event", …
---@field class "bits"|"real"|"string"|"event" what values it has
---@field width integer bits
---@field code integer variables of one code are one net
---@field msb? integer
---@field lsb? integer
---@field changes {times: number[], values: any[]} of `vcd.read`; shared by names of one net

---@class strobe.vcd.Trace a trace that was read: its head, and from vcd.read its changes
---@field vars strobe.vcd.Var[] in the file's order
---@field timescale string e.g. "1 us"
---@field unit_ns number how many nanoseconds that is
---@field finish number the last time in ns
---@field date? string
---@field version? string
---@field comment? string

local handlers = {}

for _, word in ipairs { "date", "version", "comment" } do
  handlers[word] = function(trace, _, text)
    trace[word] = trace[word] or text
  end
end

function handlers.timescale(trace, _, count, exponent)
  for unit, e in pairs(units) do
    if e == exponent then
      trace.timescale = ("%d %s"):format(count, unit)
    end
  end
  -- Below a nanosecond times are floats.
  trace.unit_ns = exponent >= -9 and count * math.tointeger(10 ^ (exponent + 9)) or count / 10 ^ -(exponent + 9)
end

function handlers.scope(_, scopes, name)
  scopes[#scopes + 1] = name
end

function handlers.upscope(_, scopes)
  scopes[#scopes] = nil
end

function handlers.var(trace, scopes, var)
  var.scope = table.concat(scopes, ".")
  trace.vars[#trace.vars + 1] = var
end

-- A reader with its source: `name` for messages, `next` for the blocks.
local function open_source(source)
  if type(source) == "function" then
    return { name = "vcd", next = source, close = function() end }
  elseif source:find("\n", 1, true) or source:find "^%s*%$" then
    local text = source
    return { name = "vcd", close = function() end, next = function()
      local block = text
      text = nil
      return block
    end }
  end
  return file.open(source)
end

local function place(source, why, line, column)
  return ("%s:%d:%d: %s"):format(source.name, line, column, why)
end

-- The next event; nil, message, code when it cannot be read, nothing at the end.
local function next_event(reader, source)
  local word, a, b, c = reader:next()
  while not word do
    local block, message, code = source.next()
    if not block then
      if message then
        return nil, message, code
      end
      word, a, b, c = reader:finish()
      break
    end
    reader:feed(block)
    word, a, b, c = reader:next()
  end
  if word == "failure" then
    return nil, place(source, a, b, c), "EBADMSG"
  end
  return word, a, b, c
end

-- Reads up to the end of the definitions.
local function read_header(reader, source)
  local trace = { vars = {}, timescale = "1 ns", unit_ns = 1, finish = 0 }
  local scopes = {}
  while true do
    local word, a, b = next_event(reader, source)
    if not word then
      return nil, a, b
    elseif word == "definitions" then
      return trace
    end
    handlers[word](trace, scopes, a, b)
  end
end

local function start(source)
  local opened, message, code = open_source(source)
  if not opened then
    return nil, message, code
  end
  local reader = assert(core.reader())
  local trace
  trace, message, code = read_header(reader, opened)
  if not trace then
    opened.close()
    return nil, message, code
  end
  return trace, reader, opened
end

-- Times in nanoseconds; nil for one beyond 292 years.
local function to_ns(trace, time)
  local unit_ns = trace.unit_ns
  if math.type(unit_ns) == "integer" and time > math.maxinteger // unit_ns then
    return nil
  end
  return time * unit_ns
end

local function too_late(source)
  return source.name .. ": a time beyond 292 years", "EOVERFLOW"
end

--- Changes one by one, of a file of any size.
---@async
---@param source string|fun(): string? a path, a text, or an iterator of blocks
---@return (fun(): number?, strobe.vcd.Var?, any)? iterator time in ns, variable (the first of
--- its net) and value; raises when what follows cannot be read. nil when the head cannot
---@return strobe.vcd.Trace|string trace what the head tells, or a message
---@return string? code
function vcd.changes(source)
  check_source("vcd.changes", source)
  local trace, reader, opened = start(source)
  if not trace then
    return nil, reader, opened
  end
  local by_code = {}
  for _, var in ipairs(trace.vars) do
    by_code[var.code] = by_code[var.code] or var
  end
  local guard = setmetatable({}, { __close = opened.close, __gc = opened.close })
  return function()
    while true do
      local word, time, code, value = next_event(reader, opened)
      if word == "change" then
        return to_ns(trace, time) or error((too_late(opened)), 0), by_code[code], value
      elseif word == "time" then
        trace.finish = to_ns(trace, time) or error((too_late(opened)), 0)
      elseif not word then
        opened.close()
        return time and error(time, 0)
      end
    end
  end, trace, nil, guard
end

local function new_changes(trace)
  local by_code = {}
  for _, var in ipairs(trace.vars) do
    by_code[var.code] = by_code[var.code] or { times = {}, values = {}, count = 0 }
    var.changes = by_code[var.code]
  end
  return by_code
end

local function add_change(changes, time, value)
  local count = changes.count + 1
  changes.count, changes.times[count], changes.values[count] = count, time, value
end

local function read_body(trace, reader, source, most)
  local by_code, total = new_changes(trace), 0
  while true do
    local word, time, code, value = next_event(reader, source)
    if word == "change" or word == "time" then
      local ns = to_ns(trace, time)
      if not ns then
        return nil, too_late(source)
      end
      trace.finish = ns
      if word == "change" then
        total = total + 1
        if total > most then
          return nil, ("%s: more than %d changes; vcd.changes reads any number"):format(source.name, most), "E2BIG"
        end
        add_change(by_code[code], ns, value)
      end
    elseif not word then
      if time then
        return nil, time, code
      end
      return trace
    end
  end
end

--- A whole trace.
---@async
---@param source string|fun(): string? a path, a text, or an iterator of blocks
---@param options? {max_changes?: integer} 10,000,000 unless given; a change has 32 bytes
---@return strobe.vcd.Trace?
---@return string? message with file, line and column
---@return string? code "EBADMSG" for a broken file
function vcd.read(source, options)
  check_source("vcd.read", source)
  mistake.options("vcd.read", options)
  local trace, reader, opened = start(source)
  if not trace then
    return nil, reader, opened
  end
  local result, message, code = read_body(trace, reader, opened, options and options.max_changes or MOST_CHANGES)
  opened.close()
  return result, message, code
end

return vcd
