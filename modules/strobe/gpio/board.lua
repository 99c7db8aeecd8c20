--- A board: pins, parts and wires that share one simulated time.

local Line = require "strobe.gpio.line"
local Watch = require "strobe.gpio.watch"
local arduino = require "strobe.gpio.arduino"
local contentions = require "strobe.gpio.contention"
local core_error = require "strobe.core.error"
local core = require "strobe.core.gpio"
local duration = require "strobe.gpio.duration"
local mistake = require("strobe.mistake").raise
local names = require "strobe.gpio.name"
local netlist = require "strobe.gpio.netlist"
local part = require "strobe.gpio.part"
local pulse = require "strobe.gpio.pulse"
local wiring = require "strobe.gpio.wiring"

local MOST_PINS = 32 * 1024

---@class strobe.gpio.Board a `<close>` value
---@field name string
---@field core userdata the engine's board, see strobe.core.gpio
---@field parts table<string, strobe.gpio.Part> by name; in order in its list part
---@field wires strobe.gpio.Wire[] in the order in which they were made
---@field private pins table<string, strobe.gpio.Pin> by name; in order in its list part
local Board = {}
Board.__index = Board
Board.__name = "gpio.Board"

---@class strobe.gpio.Pin where a wire can end
---@field name string "D13", "led1.anode"
---@field core userdata the engine's line
---@field part? strobe.gpio.Part
---@field rail? "GND"|"VCC" the rail that it is an end of

-- --- Opening, closing ----------------------------------------------------------------------

local known = { name = "string", pins = true, floating = true, seed = true, paused = "boolean" }
local floating = { low = true, high = true, hold = true, random = true, error = true }

local function check_values(given)
  if given.seed ~= nil and math.type(given.seed) ~= "integer" then
    mistake("gpio.board: seed: a whole number expected, got %s", tostring(given.seed))
  elseif given.floating ~= nil and not floating[given.floating] then
    local text = "gpio.board: floating: one of %s expected, got %s"
    mistake(text, names.keys(floating), tostring(given.floating))
  end
end

local function check_options(given)
  if type(given) ~= "table" then
    mistake("gpio.board: a table of options expected, got %s", type(given))
  end
  for name, value in pairs(given) do
    if not known[name] then
      mistake("gpio.board: there is no option %s", tostring(name))
    elseif known[name] ~= true and type(value) ~= known[name] then
      mistake("gpio.board: %s: a %s expected, got %s", name, known[name], type(value))
    end
  end
end

-- The names of pins: a list, or as many as there are.
local function pin_names(pins)
  if type(pins) == "table" then
    return pins
  elseif math.type(pins) ~= "integer" or pins < 0 or pins > MOST_PINS then
    mistake("gpio.board: pins: names, or a number up to %d, expected, got %s", MOST_PINS, tostring(pins))
  end
  local list = {}
  for i = 1, pins do
    list[i] = tostring(i - 1)
  end
  return list
end

local function add_pin(board, name)
  names.check("gpio.board: pins", name)
  if board.pins[name] or name == "GND" or name == "VCC" then
    mistake("gpio.board: pins: %s is there %s", name, board.pins[name] and "twice" or "anyway")
  end
  local pin = { name = name, core = assert(board.core:component(board.name, name)) }
  assert(pin.core:label(name))
  board.pins[name] = pin
  board.pins[#board.pins + 1] = pin
  board:untraced("pin " .. name)
end

--- For modules of the board: warns of what a trace of all there is does not have.
---@package
---@param what string
function Board:untraced(what)
  for _, trace in ipairs(self.traces) do
    if trace.begun and not trace.options.pins then
      local text = "%s was added after the trace began, and is not in it: add it before time passes, or trace again"
      self:warn(text:format(what))
      return
    end
  end
end

--- For diagrams: more pins.
---@package
---@param list string[]
function Board:add_pins(list)
  for _, name in ipairs(list) do
    add_pin(self, name)
  end
end

--- gpio.board
---@package
---@param given strobe.gpio.BoardOptions
---@return strobe.gpio.Board
function Board.open(given)
  check_options(given)
  check_values(given)
  local name = given.name or "board"
  names.check("gpio.board: name", name)
  local board = setmetatable({
    name = name, chance = (given.seed or 0) ~ 0x5DEECE66D9E3779B, pins = {}, parts = {}, wires = {}, lines = {},
    numbered = {},
    floated = {}, watchers = {}, closers = {}, contention_handlers = {}, traces = {},
    core = core.board { name = name, read = given.floating, seed = given.seed },
  }, Board)
  board:add_pins(pin_names(given.pins or {}))
  if given.paused then
    board.core:pause()
  end
  return board
end

-- What stands for the engine's board once that is closed: waits end, and all else is a mistake.
local function closed_core(name)
  local message = ("board %s was closed"):format(name)
  local function ended()
    return nil, message, "ECANCELED"
  end
  local waits = { delay = ended, step = ended, step_deltas = ended, step_until = ended, wait_contention = ended }
  return setmetatable(waits, { __index = function()
    mistake("%s", message)
  end })
end

--- Ends all waits, parts and handlers. Closing twice is harmless.
function Board:close()
  if self.closing then
    return
  end
  self.closing = true
  for _, trace in ipairs(self.traces) do
    trace:begin()
  end
  for _, its in ipairs(self.parts) do
    its:stop()
  end
  for _, close in ipairs(self.closers) do
    close()
  end
  for watch in pairs(self.watchers) do
    watch:close()
  end
  self.closed = true
  self.core:close()
  self.core = closed_core(self.name)
end

Board.__close = Board.close

--- For modules of the board: has f called when it closes.
---@package
---@param f fun()
function Board:at_close(f)
  self.closers[#self.closers + 1] = f
end

--- For modules of the board: warns, through the loop's exception handler.
---@package
---@param message string
function Board:warn(message)
  core_error.report { warning = true, message = ("board %s: %s"):format(self.name, message) }
end

--- For lines: warns of the first read of each pin that floats.
---@package
---@param pin string
---@param level "z"|"x"
function Board:floating(pin, level)
  if not self.floated[pin] then
    self.floated[pin] = true
    local why = level == "z" and "nobody drives it: give it a bias, or a wire" or "two outputs differ"
    self:warn(("pin %s was read while its level is %s: %s"):format(pin, level, why))
  end
end

-- A generator of its own (xorshift64*, Marsaglia 2003), so that no other use of chance changes a run.
local function next_random(board)
  local x = board.chance
  x = x ~ (x >> 12)
  x = x ~ (x << 25)
  x = x ~ (x >> 27)
  board.chance = x
  return (x * 0x2545F4914F6CDD1D) >> 11
end

--- Chance, as math.random: a number from 0 to below 1, or an integer from least to most. The board's seed decides.
---@param least? integer
---@param most? integer
---@return number
function Board:random(least, most)
  if least and (type(least) ~= "number" or type(most) ~= "number") then
    mistake("board:random: two whole numbers, or none, expected, got %s and %s", tostring(least), tostring(most))
  end
  local fraction = next_random(self) / (1 << 53)
  return least and least + math.floor(fraction * (most - least + 1)) or fraction
end

-- --- Lines -----------------------------------------------------------------------------------

local function check_table(what, given)
  if given ~= nil and type(given) ~= "table" then
    mistake("%s: a table expected, got %s", what, type(given))
  end
end

-- "blink.lua:12", for who does not say its name.
local function caller(level)
  local info = debug.getinfo(level + 1, "Sl")
  if not info or info.currentline < 0 then
    return "somebody"
  end
  return ("%s:%d"):format(info.short_src:match "[^/]*$", info.currentline):sub(-names.LONGEST)
end

--- Requests a pin: `local line <close> = assert(board:line("D13", { direction = "output" }))`.
---@param pin string|integer
---@param settings? strobe.gpio.LineSettings
---@return strobe.gpio.Line? line a `<close>` value; nil when the pin is in use
---@return string? message names its owner
---@return string? code "EBUSY"
function Board:line(pin, settings)
  local given = {}
  check_table("board:line: settings", settings)
  for name, value in pairs(settings or {}) do
    given[name] = value
  end
  given.consumer = given.consumer or caller(2)
  return Line.request(self, self:find_pin("board:line", pin), given)
end

--- For modules of the board: a pin by its name, "D13", "led1.anode" or "GND". Raises when there is none.
---@package
---@param what string the function, for the message
---@param name any
---@return strobe.gpio.Pin
function Board:find_pin(what, name)
  if self.closed then
    mistake("%s: board %s was closed", what, self.name)
  end
  local found = self.pins[math.type(name) == "integer" and tostring(name) or name] or wiring.rail(self, name)
  if found then
    return found
  end
  mistake("%s: %s", what, names.no_pin(self, name))
end

---@class strobe.gpio.LineInfo what there is to know of a pin
---@field name string
---@field net string what the pin is joined to
---@field direction "input"|"output"
---@field bias "disabled"|"pull-up"|"pull-down"
---@field drive "push-pull"|"open-drain"|"open-source"
---@field active_low boolean
---@field edge "none"|"rising"|"falling"|"both"
---@field debounce_period number seconds
---@field consumer? string who owns it
---@field used boolean
---@field floating_reads integer

--- What there is to know about a pin.
---@param pin string|integer
---@return strobe.gpio.LineInfo
function Board:line_info(pin)
  local found = self:find_pin("board:line_info", pin)
  local info = found.core:info()
  info.name, info.id, info.output = found.name, nil, nil
  info.used = info.consumer ~= nil
  info.edge = self.lines[found.name] and self.lines[found.name]:get_edge() or "none"
  info.debounce_period = duration.seconds(info.debounce_period)
  return info
end

--- For lines: tells who watches them.
---@package
---@param line strobe.gpio.Line
---@param event "requested"|"released"|"reconfigured"
function Board:tell(line, event)
  if not next(self.watchers) then
    return
  end
  local name = line.name
  local happened = { event = event, line = name, timestamp_ns = self.core:time(), info = self:line_info(name) }
  for watch in pairs(self.watchers) do
    watch:add(happened)
  end
end

--- Watches who requests, reconfigures and releases pins: `for event in board:watch_lines() do print(event.event,
--- event.line, event.info.consumer) end`.
---@param pins? string[] those to watch; all without
---@return strobe.gpio.Watch watch a `<close>` value; called, it is an iterator
function Board:watch_lines(pins)
  check_table("board:watch_lines: pins", pins)
  return Watch.open(self, pins)
end

--- Events of several lines in one order: `for event in board:edges { a, b } do print(event.line) end`.
---@async
---@param lines strobe.gpio.Line[]
---@param edge? "rising"|"falling"|"both" ("both")
---@return fun(): strobe.gpio.Event?
function Board:edges(lines, edge)
  return Line.edges_of(self, lines, edge)
end

-- --- Contention ------------------------------------------------------------------------------

--- The newest contentions, oldest first: outputs that disagree about a net. 256 are kept.
---@return strobe.gpio.Contention[]
function Board:contentions()
  return contentions.list(self)
end

--- Calls f(contention) when one begins, and again when it has ended. f may not wait.
---@param f fun(contention: strobe.gpio.Contention)
---@return {close: fun()} handle
function Board:on_contention(f)
  return contentions.on(self, f)
end

-- --- Time -------------------------------------------------------------------------------------

--- Simulated seconds since the board was made.
---@return number
function Board:now()
  return duration.seconds(self.core:time())
end

--- Simulated nanoseconds since the board was made.
---@return integer
function Board:now_ns()
  return self.core:time()
end

--- Waits for so many simulated seconds.
---@async
---@param seconds number
---@return boolean? ok nil when the board failed or was closed
---@return string? message
---@return string? code "ECANCELED", "EOSCILLATION", …
function Board:sleep(seconds)
  return self.core:delay(duration.ns("board:sleep", seconds))
end

--- Has time stand still; what is written still settles.
function Board:pause()
  self.core:pause()
end

--- Has time go on from where it stands.
function Board:resume()
  self.core:resume()
end

--- Lets a board go on that stopped with a failure, as an oscillation; what failed is tried again, so remove its cause
--- first: cut a wire.
function Board:clear()
  self.core:clear()
  contentions.restart(self)
end

local function in_seconds(ns, message, code)
  if not ns then
    return nil, message, code
  end
  return duration.seconds(ns)
end

local function check_paused(board, what)
  if not board.closed and board.core:running() then
    mistake("%s: pause board %s first: it runs by the clock", what, board.name)
  end
end

--- Lets so many seconds pass on a board that is paused, as fast as it goes.
---@async
---@param seconds number
---@return number? now seconds
---@return string? message
---@return string? code
function Board:step(seconds)
  local ns = duration.ns("board:step", seconds)
  check_paused(self, "board:step")
  return in_seconds(self.core:step(ns))
end

--- Lets so many rounds of changes pass on a board that is paused.
---@async
---@param count? integer (1)
---@param timeout? number simulated seconds after which it stops anyway
---@return number? now seconds
---@return string? message
---@return string? code
function Board:step_events(count, timeout)
  local ns = timeout and duration.ns("board:step_events: timeout", timeout)
  check_paused(self, "board:step_events")
  return in_seconds(self.core:step_deltas(count or 1, ns))
end

local levels = { [0] = "0", [1] = "1", ["0"] = "0", ["1"] = "1", z = "z", x = "x" }

--- Lets time pass on a board that is paused until a pin has a level.
---@async
---@param pin string|integer|strobe.gpio.Line
---@param level integer|"0"|"1"|"z"|"x" physical
---@param timeout? number simulated seconds
---@return number? now seconds; nil when the level did not come in time
---@return string? message
---@return string? code "ETIMEDOUT"
function Board:run_until(pin, level, timeout)
  local ns = timeout and duration.ns("board:run_until: timeout", timeout)
  local found = self:find_pin("board:run_until", type(pin) == "table" and pin.name or pin)
  check_paused(self, "board:run_until")
  if not levels[level] then
    mistake("board:run_until: level: 0, 1, z or x expected, got %s", tostring(level))
  end
  -- A PWM makes edges only while somebody looks.
  local watched <close> = assert(self.core:subscribe({ found.core }, "change", 1)) -- luacheck: ignore
  local now, message, code = self.core:step_until(found.core, level, ns)
  if now and not self.closed and found.core:level() ~= levels[level] then
    local text = "board %s: %s did not become %s within %g s"
    return nil, text:format(self.name, found.name, level, timeout or math.huge), "ETIMEDOUT"
  end
  return in_seconds(now, message, code)
end

--- Counters: lines, deltas (rounds of changes), changes of nets, floating_reads, events that are due.
---@return {lines: integer, deltas: integer, changes: integer, floating_reads: integer, events: integer}
function Board:stats()
  return self.core:stats()
end

-- --- Parts and wires -------------------------------------------------------------------------

--- Puts a part on the board: `board:add("led", { name = "led1", color = "green" })`.
---@param kind string|strobe.gpio.Kind one of strobe.gpio.parts by its name, or one made by gpio.part.kind
---@param attributes? table `name` (kind and number), and those of the kind
---@return strobe.gpio.Part
function Board:add(kind, attributes)
  check_table("board:add: attributes", attributes)
  return part.add(self, kind, attributes or {})
end

--- Joins two ends; each is "D13", "led1.anode", "GND", "VCC", a line, or a part's pin.
---@param a string|integer|strobe.gpio.Line|strobe.gpio.Pin
---@param b string|integer|strobe.gpio.Line|strobe.gpio.Pin
---@return strobe.gpio.Wire wire with cut() and restore()
function Board:wire(a, b)
  return wiring.wire(self, a, b)
end

--- What pins are joined, and their levels.
---@return strobe.gpio.Net[]
function Board:nets()
  return netlist.nets(self)
end

--- Looks for mistakes in the wiring: "unconnected input", "floating net", "outputs joined", "short", "opposite
--- biases", "wire loop". Call it when lines have been requested: a free pin may still become an output.
---@return {kind: string, net: string, pins: string[], message: string}[] findings
function Board:check()
  return netlist.check(self)
end

--- Puts the parts and connections of a Wokwi diagram on the board. Nothing is put there unless all of it is known.
---@param source string|table the text of a diagram.json, or that decoded
---@param kinds? table<string, strobe.gpio.Kind> by the diagram's type, for parts that are yours
---@return table<string, strobe.gpio.Part>? parts by their ids
---@return string? message names the part, pin, or place in the text
---@return string? code "EBADMSG"
function Board:load_diagram(source, kinds)
  return require("strobe.gpio.diagram").load(self, source, kinds)
end

--- What analogRead sees of a pin: 0 to 1, as a part says that is joined to it (`part.analog[pin]`), else its level.
---@param pin string|integer
---@return number
function Board:analog(pin)
  return netlist.analog(self, self:find_pin("board:analog", pin))
end

-- --- Programs ----------------------------------------------------------------------------------

--- Arduino's calls for this board's pins: `local a = board:arduino()`, `a.pinMode(13, a.OUTPUT)`.
---@return strobe.gpio.Arduino
function Board:arduino()
  return arduino.open(self)
end

--- Runs setup once and loop for ever, in a task that ends with the board. An error in it is reported.
---@param sketch {setup?: fun(), loop?: fun(), name?: string}
---@return strobe.Task
function Board:sketch(sketch)
  return arduino.sketch(self, sketch)
end

--- Drives a pulse train, as NodeMCU's gpio.serout: `start_level`, then the other level after each delay but the last.
--- A pin that is given by name is released afterwards; a line stays as it was last.
---@async
---@param pin string|integer|strobe.gpio.Line
---@param start_level integer
---@param delays number[] simulated seconds
---@param cycles? integer how often, each time from start_level (1)
---@return boolean? ok
---@return string? message
---@return string? code "EBUSY", "ECANCELED"
function Board:serout(pin, start_level, delays, cycles)
  return pulse.serout(self, pin, start_level, delays, cycles)
end

-- --- Traces, views, remote clients ---------------------------------------------------------------

--- Records what happens on the pins as VCD: `local trace <close> = assert(board:trace("blink.vcd"))`. Ends with its
--- block, or with the board. What is put on the board before anything happens or time passes is in it too. There may be
--- several at a time. See strobe.gpio.trace.
---@async
---@param target string|fun(bytes: string): boolean?, string?, string? a path; or what is given the bytes, in blocks
---@param options? strobe.gpio.TraceOptions
---@return strobe.gpio.Trace? trace a `<close>` value; nil when there cannot be one
---@return string? message
---@return string? code "ENOENT", "EACCES", …
function Board:trace(target, options)
  return require("strobe.gpio.trace").open(self, target, options)
end

--- Drives pins as a trace says, from now on, at its times: `board:play("stimulus.vcd", { ["board.clk"] = "D2" })`.
--- Waits until all is played. x lets go as z does.
---@async
---@param source string|fun(): string? a path, a text, or an iterator of blocks
---@param map table<string, string> variables of the trace, with or without their scopes, and the pins they drive
---@return boolean? good
---@return string? message
---@return string? code "EBUSY" when a pin is in use, "EBADMSG", "ENOENT", …
function Board:play(source, map)
  return require("strobe.gpio.play").play(self, source, map)
end

--- Serves a page that shows the board, and a WebSocket for tests and pages to read, drive and watch pins and to
--- press buttons: `local remote <close> = assert(board:serve())`, then `remote.url`. See strobe.gpio.remote.
---@async
---@param host? string 127.0.0.1 unless told otherwise: whoever reaches it may do all that its clients may
---@param port? integer 0, the default, takes a free one
---@param options? strobe.gpio.RemoteOptions
---@return strobe.gpio.Remote? remote a `<close>` value
---@return string? message
---@return string? code "EADDRINUSE", …
function Board:serve(host, port, options)
  return require("strobe.gpio.remote").serve(self, host, port, options)
end

--- Shows the board in the terminal, below what else is printed: `local view <close> = board:view()`. See
--- strobe.gpio.view.
---@param options? strobe.gpio.ViewOptions
---@return strobe.gpio.View view a `<close>` value
function Board:view(options)
  return require("strobe.gpio.view").open(self, options)
end

return Board
