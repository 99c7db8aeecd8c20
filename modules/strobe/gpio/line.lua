--- A line: a pin of a board that somebody has requested, to read, to drive or to watch. The words are libgpiod's.
--
-- A debounce is that of Linux (gpiolib-cdev, debounce_setup and debounce_work_func): the level that is found when it is
-- set up counts at once and is no edge; from then on a level counts when it has stayed for a period, and its edge is
-- stamped with the end of that, also within the first period. Here a net may float; then the first 0 or 1 is what is
-- found. So who reads 0 where nothing drives sees no edge when that becomes a 1: the level never was 0.

local duration = require "strobe.gpio.duration"
local mistake = require("strobe.mistake").raise
local settings = require "strobe.gpio.settings"

local SECOND = 1000 * 1000 * 1000 -- in ns

---@class strobe.gpio.LineSettings how a line is requested
---@field direction? "input"|"output"|"as-is" ("as-is")
---@field bias? "as-is"|"disabled"|"pull-up"|"pull-down" ("as-is")
---@field drive? "push-pull"|"open-drain"|"open-source" ("push-pull")
---@field active_low? boolean values and edges mean the opposite of levels
---@field debounce_period? number seconds for which a level has to stay before it counts (0); the first counts at once
---@field output_value? integer|boolean|string what an output begins with: 0, 1 or "z"
---@field edge? "none"|"rising"|"falling"|"both" what is kept from now on for wait_edge() and edges()
---@field event_buffer_size? integer how many events are kept; then the oldest goes (16 for each line)
---@field consumer? string who owns it, for messages (the caller's file and line)
---@field shared? boolean it may have several owners, who all say so

---@class strobe.gpio.Event an edge of a line
---@field edge "rising"|"falling"
---@field value integer 1 after a rising edge, 0 after a falling one: logical, with active_low the opposite of the level
---@field timestamp_ns integer the board's time
---@field line string the pin's name
---@field line_seqno integer counts the line's edges from 1
---@field global_seqno integer counts the events of the one who waits from 1; a gap was lost for want of room

---@class strobe.gpio.Line a `<close>` value
---@field name string of the pin
---@field board strobe.gpio.Board
---@field consumer string
---@field core userdata
---@field private edge string what is kept
---@field private kept? userdata the subscription with what was kept
---@field private lost integer
---@field private open table<userdata, true> subscriptions that end with it
local Line = {}
Line.__index = Line
Line.__name = "gpio.Line"

-- A subscription that ends when the line is released.
local function subscribe(line, ...)
  local subscription = assert(line.board.core:subscribe({ line.core }, ...))
  line.open[subscription] = true
  return subscription
end

-- Opens the buffer that the setting `edge` asks for, or another than before.
local function keep(line, given)
  if given.edge == nil and given.event_buffer_size == nil and line.kept then
    return
  end
  if line.kept then
    line.lost = line.lost + line.kept:overruns()
    line.kept:close()
    line.kept = nil
  end
  line.edge = given.edge or line.edge
  line.size = given.event_buffer_size or line.size
  if line.edge ~= "none" then
    line.kept = subscribe(line, line.edge, line.size)
  end
end

--- For boards: requests a pin.
---@package
---@param board strobe.gpio.Board
---@param pin {name: string, core: userdata}
---@param given strobe.gpio.LineSettings
---@return strobe.gpio.Line?
---@return string? message
---@return string? code "EBUSY"
function Line.request(board, pin, given)
  local physical = settings.check("board:line", given)
  local good, _, code = pin.core:request(given.consumer, given.shared)
  if not good then
    local owner = pin.core:info().consumer
    return nil, ("board %s: pin %s is in use by %s"):format(board.name, pin.name, owner), code
  end
  local line = setmetatable({
    board = board, name = pin.name, core = pin.core, consumer = given.consumer, edge = "none", lost = 0,
    open = setmetatable({}, { __mode = "k" }),
  }, Line)
  local guard <close> = setmetatable({}, { -- luacheck: ignore
    __close = function(_, e)
      if e then
        line:release()
      end
    end,
  })
  pin.core:configure(physical)
  keep(line, given)
  board.lines[pin.name] = line
  board:tell(line, "requested")
  return line
end

local function check_open(line, what)
  if line.released then
    mistake("%s: pin %s was released", what, line.name)
  end
end

--- What a program reads: 0 or 1, logical. Where the level is "z" or "x" the board's option `floating` decides.
---@return integer? value nil where the board makes that an error
---@return string? message
---@return string? code "EFLOATING"
function Line:get_value()
  check_open(self, "line:get_value")
  local value, floats, code = self.core:get()
  if not value then
    return nil, floats, code
  elseif floats then
    self.board:floating(self.name, floats)
  end
  return value
end

--- Drives an output: 1, 0, true, false; "z" lets go. Whoever else is there sees it one delta later.
---@param value integer|boolean|string
---@return boolean done
function Line:set_value(value)
  check_open(self, "line:set_value")
  return self.core:set(value)
end

--- Drives the other value than was written last, whatever others make of the net; 1 when it had let go.
---@return boolean done
function Line:toggle()
  check_open(self, "line:toggle")
  return self.core:toggle()
end

--- What is on the net, physical: "0", "1", "z" (nobody drives) or "x" (two do, and differ).
---@return "0"|"1"|"z"|"x"
function Line:level()
  check_open(self, "line:level")
  return self.core:level()
end

--- Changes settings; what is left out stays. A debounce that is on its way is forgotten.
---@param given strobe.gpio.LineSettings
function Line:reconfigure(given)
  check_open(self, "line:reconfigure")
  local physical = settings.check("line:reconfigure", given)
  self.core:configure(physical)
  keep(self, given)
  self.board:tell(self, "reconfigured")
end

--- Gives the pin back; it is an input without bias then. Who waits for its edges is told, its handlers are not called
--- any more. Releasing twice is harmless.
function Line:release()
  if self.released then
    return
  end
  self.released = true
  for subscription in pairs(self.open) do
    subscription:close()
  end
  if not self.board.closed then
    if self.board.lines[self.name] == self then
      self.board.lines[self.name] = nil
    end
    self.core:release()
    self.board:tell(self, "released")
  end
end

Line.__close = Line.release

--- For boards: what it keeps.
---@package
---@return string
function Line:get_edge()
  return self.edge
end

--- What there is to know about the pin.
---@return strobe.gpio.LineInfo
function Line:info()
  return self.board:line_info(self.name)
end

--- Drives a square wave until the next set_value: 1 for `duty` of each period.
---@param frequency number Hz
---@param duty? number 0 to 1 (0.5)
---@return boolean done
function Line:pwm(frequency, duty)
  check_open(self, "line:pwm")
  duty = duty or 0.5
  if type(frequency) ~= "number" or not (frequency > 0 and frequency <= SECOND) then
    mistake("line:pwm: frequency: above 0 and up to 1e9 Hz expected, got %s", tostring(frequency))
  elseif type(duty) ~= "number" or not (duty >= 0 and duty <= 1) then
    mistake("line:pwm: duty: 0 to 1 expected, got %s", tostring(duty))
  end
  local period = math.max(1, math.floor(SECOND / frequency + 0.5))
  return self.core:pwm(period, math.floor(period * duty + 0.5))
end

-- --- Edges ----------------------------------------------------------------------------------

local function in_ns(what, timeout)
  return timeout and duration.ns(what, timeout)
end

--- Waits for an edge. Without `edge`, on a line with the setting `edge`: for what has been kept since it was
--- requested, first come first. Otherwise for the next one from now on; what comes between two calls is missed:
--- `edges` misses none.
---@async
---@param edge? "rising"|"falling"|"both" that of the settings, else "both"
---@param timeout? number simulated seconds
---@return strobe.gpio.Event? event nil when none came in time, or the board failed or was closed
---@return string? message
---@return string? code "ETIMEDOUT", "ECANCELED", …
function Line:wait_edge(edge, timeout)
  check_open(self, "line:wait_edge")
  if self.board.closed then
    return nil, ("board %s was closed"):format(self.board.name), "ECANCELED"
  end
  if type(edge) == "number" and timeout == nil then
    edge, timeout = nil, edge
  end
  local ns = in_ns("line:wait_edge", timeout)
  if not edge and self.kept then
    return self.kept:events { self.name } (ns)
  end
  settings.check_edge("line:wait_edge", edge or "both")
  local waiting <close> = subscribe(self, edge or "both", 1)
  return waiting:events { self.name } (ns)
end

-- A subscription for a loop, and what closes it with the loop: nothing for what is kept anyway.
local function watch(line, what, edge)
  if not edge and line.kept then
    return line.kept
  end
  settings.check_edge(what, edge or "both")
  local subscription = subscribe(line, edge or "both", line.size)
  return subscription, setmetatable({}, {
    __close = function()
      line.lost = line.lost + subscription:overruns()
      subscription:close()
    end,
  })
end

--- Events one by one, as they come; none is missed from this call on, as long as there is room for them. Without
--- `edge`, on a line with the setting `edge`: what has been kept since it was requested. Ends when the line or the
--- board is closed.
---@async
---@param edge? "rising"|"falling"|"both" that of the settings, else "both"
---@return fun(): strobe.gpio.Event?
function Line:edges(edge)
  check_open(self, "line:edges")
  local subscription, closer = watch(self, "line:edges", edge)
  return subscription:events { self.name }, nil, nil, closer
end

--- As `edges`, but plain values instead of event tables, for millions a second: `for value, timestamp_ns, line_seqno,
--- global_seqno in line:edge_values "rising" do`.
---@async
---@param edge? "rising"|"falling"|"both" that of the settings, else "both"
---@return fun(): integer?, integer?, integer?, integer?
function Line:edge_values(edge)
  check_open(self, "line:edge_values")
  local subscription, closer = watch(self, "line:edge_values", edge)
  local function next_values()
    local value, time, _, line_seqno, global_seqno = subscription:wait()
    if value then
      return value, time, line_seqno, global_seqno
    end
  end
  return next_values, nil, nil, closer
end

--- Calls f(value, timestamp_ns, line_seqno, global_seqno) for each edge, at its time, before anything later
--- happens. These are plain values, no event table: millions of edges a second are usual. f may not wait; start a
--- task for that.
---@param edge "rising"|"falling"|"both"
---@param f fun(value: integer, timestamp_ns: integer, line_seqno: integer, global_seqno: integer)
---@return {close: fun(), overruns: fun(): integer} handle
function Line:on_edge(edge, f)
  check_open(self, "line:on_edge")
  settings.check_edge("line:on_edge", edge)
  if type(f) ~= "function" then
    mistake("line:on_edge: a function expected, got %s", type(f))
  end
  return subscribe(self, edge, self.size, function(value, time, _, line_seqno, seqno)
    return f(value, time, line_seqno, seqno)
  end)
end

--- board:edges
---@package
---@param board strobe.gpio.Board
---@param lines strobe.gpio.Line[]
---@param edge? string
---@return fun(): strobe.gpio.Event?
function Line.edges_of(board, lines, edge)
  if type(lines) ~= "table" or #lines == 0 then
    mistake("board:edges: a list of lines expected")
  end
  settings.check_edge("board:edges", edge or "both")
  local cores, line_names = {}, {}
  for i, line in ipairs(lines) do
    check_open(line, "board:edges")
    cores[i], line_names[i] = line.core, line.name
  end
  local subscription = assert(board.core:subscribe(cores, edge or "both"))
  return subscription:events(line_names), nil, nil, subscription
end

--- How many events were lost for want of room: of those kept, and of loops over `edges` that have ended.
---@return integer
function Line:overruns()
  return self.lost + (self.kept and self.kept:overruns() or 0)
end

return Line
