--- Streams with faults: what a program makes of a slow, torn, or lying line.
--
--     local stream, line = testing.faulty(connection, { seed = 7, split = 3 })
--     local brief = testing.faulty(other, { receive = { cut = 100, code = "ECONNRESET" } })
--
-- The stream is a real one: whatever takes a strobe.net connection takes it. Behind it, tasks carry the bytes to and
-- from the connection and damage them on the way. They end when the program closes the stream, and close the connection
-- then. With the same seed, and the same bytes at the same times, the damage is the same.

local core_socket = require "strobe.core.socket"
local event = require "strobe.async.event"
local mistake = require "strobe.mistake"
local net = require "strobe.net"
local pipe = require "strobe.core.pipe"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"

local faults = {}

---@class strobe.testing.Faults of one direction, or of both
---@field delay? number|{[1]: number, [2]: number} seconds, or from and to, which each piece takes before the next one
---goes
---@field split? integer    pieces have 1 to so many bytes
---@field drop? number      probability (0 to 1) that a piece is lost
---@field duplicate? number that it comes twice
---@field corrupt? number   that one of its bits is flipped
---@field stall? integer    after so many bytes nothing comes any more, until `line:resume()`
---@field cut? integer      after so many bytes the connection ends, for both sides
---@field code? string      of the failure both sides meet by `cut`, "ECONNRESET" as a rule; none: an end in good order

---@class strobe.testing.FaultyOptions : strobe.testing.Faults
---@field seed? integer                   of what is left to chance (1)
---@field send? strobe.testing.Faults     of what the program writes, instead of those for both
---@field receive? strobe.testing.Faults  of what it reads

-- What a piece is at most, when it is not split.
local CHUNK = 16 * 1024

-- Seconds which what was written before a close has to get away.
local LINGER = 10

-- --- Options -----------------------------------------------------------------

local function is_probability(value)
  return type(value) == "number" and value >= 0 and value <= 1
end

local function is_count(least)
  return function(value)
    return math.type(value) == "integer" and value >= least
  end
end

local function is_time(value)
  return type(value) == "number" and value >= 0 and value < math.huge
end

local checks = {
  delay = { "a number of seconds, or two in a list, expected", function(value)
    return is_time(value) or type(value) == "table" and is_time(value[1]) and is_time(value[2]) and value[1] <= value[2]
  end },
  split = { "a number of bytes above 0 expected", is_count(1) },
  drop = { "a probability from 0 to 1 expected", is_probability },
  duplicate = { "a probability from 0 to 1 expected", is_probability },
  corrupt = { "a probability from 0 to 1 expected", is_probability },
  stall = { "a number of bytes expected", is_count(0) },
  cut = { "a number of bytes expected", is_count(0) },
  code = { "an error code expected", function(value)
    return type(value) == "string"
  end },
}

local own = { seed = true, send = true, receive = true }

-- Raises at the caller of the public function.
local function check(name, options, where)
  for key, value in pairs(mistake.options(name, options)) do
    local rule = checks[key]
    if not rule and not (own[key] and not where) then
      error(("%s: there is no fault '%s'"):format(name, tostring(key)), 4)
    elseif rule and not rule[2](value) then
      error(("%s: %s%s: %s, got %s"):format(name, where or "", key, rule[1], tostring(value)), 4)
    end
  end
end

local function check_options(name, options)
  options = options or {}
  check(name, options)
  check(name, options.send or {}, "send.")
  check(name, options.receive or {}, "receive.")
  return options
end

-- --- One direction --------------------------------------------------------------

-- random(n): an integer from 1 to n. xorshift64*, by Marsaglia and Vigna.
local function new_random(seed)
  local state = seed * 0x9E3779B97F4A7C15 ~ 0x2545F4914F6CDD1D
  state = state ~= 0 and state or 1
  return function(n)
    state = state ~ (state >> 12)
    state = state ~ (state << 25)
    state = state ~ (state >> 27)
    return ((state * 0x2545F4914F6CDD1D) >> 11) % n + 1
  end
end

---@class strobe.testing.Direction what went one way so far
---@field bytes integer      that came out at the end
---@field pieces integer
---@field dropped integer    pieces
---@field duplicated integer
---@field corrupted integer
---@field delayed number     seconds
---@field private faults strobe.testing.Faults

local function new_direction(options, key, seed, from, to)
  return {
    bytes = 0, pieces = 0, dropped = 0, duplicated = 0, corrupted = 0, delayed = 0,
    faults = options[key] or options, random = new_random(seed), from = from, to = to,
  }
end

local function happens(direction, probability)
  return probability ~= nil and direction.random(1 << 30) <= probability * (1 << 30)
end

local function flip(direction, piece)
  local at, bit = direction.random(#piece), 1 << direction.random(8) - 1
  return piece:sub(1, at - 1) .. string.char(piece:byte(at) ~ bit) .. piece:sub(at + 1)
end

local function wait(direction)
  local delay = direction.faults.delay
  if type(delay) == "table" then
    delay = delay[1] + (delay[2] - delay[1]) * direction.random(1 << 20) / (1 << 20)
  end
  if delay then
    direction.delayed = direction.delayed + delay
    time.sleep(delay)
  elseif direction.faults.split then
    time.sleep(0) -- the reader is to see each
  end
end

-- --- The line -------------------------------------------------------------------

---@class strobe.testing.Line the connection behind a faulty stream
---@field send strobe.testing.Direction     what the program wrote
---@field receive strobe.testing.Direction  what it reads
---@field private open strobe.async.Event set while nothing is stalled
local Line = {}
Line.__index = Line
Line.__name = "faulty line"

local function break_off(stream, code)
  if not code then
    return stream:close()
  elseif not pcall(pipe.fail, stream, code) then
    pcall(core_socket.reset, stream)
  end
  stream:abort()
end

--- Ends the connection for both sides: with a failure of that code, or, without one, in good order.
---@param code? string e.g. "ECONNRESET"
function Line:cut(code)
  if self.broken then
    return
  end
  self.broken = true
  self.open:set()
  break_off(self.send.from, code)
  break_off(self.send.to, code)
end

--- Lets nothing pass any more, without an end: until `resume`.
function Line:stall()
  self.open:clear()
end

--- Lets all pass again; a stall that was asked for by its bytes is over, too.
function Line:resume()
  self.send.resumed, self.receive.resumed = true, true
  self.open:set()
end

-- What of a piece may pass before a limit; nil when the limit is beyond it.
local function before(direction, limit, piece)
  local left = limit and limit - direction.bytes
  return left and left <= #piece and math.max(left, 0) or nil
end

local function write(direction, piece)
  direction.bytes = direction.bytes + #piece
  return #piece == 0 or direction.to:write(piece)
end

-- Passes the bytes before a stall, and returns those behind it once that is over.
local function hold(line, direction, piece)
  local count = not direction.resumed and before(direction, direction.faults.stall, piece)
  if count then
    write(direction, piece:sub(1, count))
    piece = piece:sub(count + 1)
    line.open:clear()
  end
  line.open:wait()
  return piece
end

-- False when the line is at its end.
local function pass(line, direction, piece)
  piece = hold(line, direction, piece)
  local count = before(direction, direction.faults.cut, piece)
  if count then
    write(direction, piece:sub(1, count))
    line:cut(direction.faults.code)
    return false
  end
  local ok, _, code = write(direction, piece)
  if not ok and direction == line.send then
    line:cut(code) -- the peer has gone, as the program is to see
  end
  return ok and not line.broken
end

-- The same with what may become of a piece.
local function carry(line, direction, piece)
  local chances = direction.faults
  direction.pieces = direction.pieces + 1
  wait(direction)
  if happens(direction, chances.drop) then
    direction.dropped = direction.dropped + 1
    return true
  elseif happens(direction, chances.corrupt) then
    direction.corrupted = direction.corrupted + 1
    piece = flip(direction, piece)
  end
  if happens(direction, chances.duplicate) then
    direction.duplicated = direction.duplicated + 1
    return pass(line, direction, piece) and pass(line, direction, piece)
  end
  return pass(line, direction, piece)
end

local function carry_all(line, direction, bytes)
  local at = 1
  while at <= #bytes do
    local size = direction.faults.split and direction.random(direction.faults.split) or #bytes
    if not carry(line, direction, bytes:sub(at, at + size - 1)) then
      return false
    end
    at = at + size
  end
  return true
end

local function pump(line, direction)
  if direction.faults.cut == 0 then
    return line:cut(direction.faults.code)
  end
  repeat
    local bytes, _, code = direction.from:read(CHUNK)
    if bytes == "" then
      line.open:wait()
      direction.to:shutdown()
    elseif not bytes and code ~= "ECANCELED" then
      line:cut(code)
    end
  until not bytes or bytes == "" or not carry_all(line, direction, bytes)
end

-- The program has closed its end: what it wrote still goes out, if it can.
local function follow(line, up, down)
  pipe.wait_gone(line.send.from)
  down:cancel()
  tasks.wait({ up }, { timeout = line.open:is_set() and LINGER or 0 })
  up:cancel()
end

local function run(line, is_pipe)
  local children = {}
  local _ <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      tasks.cancel_and_wait(children)
      line.send.from:close()
      line.send.to:close()
    end,
  })
  children[1] = tasks.create_task(pump, line, line.send)
  children[2] = tasks.create_task(pump, line, line.receive)
  if is_pipe then
    children[3] = tasks.create_task(follow, line, children[1], children[2])
    children[3]:await()
  else
    tasks.wait { children[1], children[2] }
  end
end

-- `near` is the end of the program's side which we hold.
local function new_line(near, stream, options, is_pipe)
  local seed = options.seed or 1
  local line = setmetatable({
    send = new_direction(options, "send", 2 * seed, near, stream),
    receive = new_direction(options, "receive", 2 * seed + 1, stream, near),
    open = event.Event(),
  }, Line)
  line.open:set()
  line.task = tasks.create_task(run, line, is_pipe)
  line.task:set_name "faulty stream"
  line.task:add_done_callback(function(task)
    if task:cancelled() then -- perhaps before it began
      near:abort()
      stream:abort()
    end
  end)
  return line
end

--- A stream that carries what another one does, with faults. That one is its own from now on, and closes with it.
---
--- `local stream = testing.faulty(connection, { split = 1, delay = { 0, 0.2 } })`
---
--- `local stream, line = testing.faulty(connection, { receive = { stall = 1000 } })`, later `line:resume()`
---@param stream strobe.Connection
---@param options? strobe.testing.FaultyOptions those named for both directions, or in `send` and `receive`
---@return strobe.Connection stream instead of the one given
---@return strobe.testing.Line line what happened, and what is to happen now
function faults.faulty(stream, options)
  options = check_options("testing.faulty", options)
  if type(stream) ~= "userdata" then
    error(("testing.faulty: a stream expected, got %s"):format(type(stream)), 2)
  end
  local near, far = net.pipe()
  return near, new_line(far, stream, options, true)
end

---@class strobe.testing.FaultyPort
---@field lines strobe.testing.Line[] of the connections so far
---@field private server strobe.Server
local FaultyPort = {}
FaultyPort.__index = FaultyPort
FaultyPort.__name = "faulty port"

--- The port to connect to.
---@return integer
function FaultyPort:port()
  return self.server:port()
end

--- Closes the port and its connections. Twice is harmless.
---@async
function FaultyPort:close()
  self.server:close()
  local living = { self.acceptor }
  for _, line in ipairs(self.lines) do
    line:cut()
    table.insert(living, line.task)
  end
  tasks.cancel_and_wait(living)
end

FaultyPort.__close = FaultyPort.close

local function accept_all(self, host, port, options)
  for near in self.server:accept() do
    local stream = net.connect(host, port)
    if stream then
      table.insert(self.lines, new_line(near, stream, options, false))
    else
      break_off(near, "ECONNRESET")
    end
  end
end

--- A port of 127.0.0.1 that leads to another one by faulty lines: for what makes its connections itself, as libcurl
--- does for strobe.http. Needs the network, and so the system's clock.
---
--- `local bad <close> = testing.faulty_port(server:port(), { split = 10 })`, then `http.get` at `bad:port()`
---@async
---@param port integer
---@param options? strobe.testing.FaultyOptions
---@param host? string of that port (127.0.0.1)
---@return strobe.testing.FaultyPort port a `<close>` value
function faults.faulty_port(port, options, host)
  options = check_options("testing.faulty_port", options)
  local self = setmetatable({ lines = {}, server = assert(net.listen("127.0.0.1", 0)) }, FaultyPort)
  self.acceptor = tasks.create_task(accept_all, self, host or "127.0.0.1", port, options)
  return self
end

return faults
