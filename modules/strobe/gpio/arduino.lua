--- A board as Arduino's sketches see it: pinMode, digitalWrite, delay, millis, … on simulated time.
--
--   local a = board:arduino()
--   board:sketch {
--     setup = function() a.pinMode(13, a.OUTPUT) end,
--     loop = function()
--       a.digitalWrite(13, a.HIGH)
--       a.delay(500)
--       a.digitalWrite(13, a.LOW)
--       a.delay(500)
--     end,
--   }
--
-- Pin 13 is the board's "13" or "D13". Milliseconds and microseconds are as in Arduino's calls. Sources: the Arduino
-- language reference; an analogWrite has 490 Hz, as on an Uno.

local async = require "strobe.async"
local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"

local MS, US, SECOND = 1000 * 1000, 1000, 1000 * 1000 * 1000 -- in ns

local PWM_PERIOD = SECOND // 490
local ANALOG_MOST, PWM_MOST = 1023, 255
local HIGHEST = 1e9 -- Hz
local BUSY_CALLS = 1000 -- without time passing, before it is a busy wait
local BUSY_STEP = 10 * US -- of time, for each call from then on
local LOOP_TIME = 10 * US -- what a loop takes that never waits

---@class strobe.gpio.Arduino the calls of Arduino's sketches, of a board
---@field busy_calls integer calls that found no time passing in a loop that does not wait
local arduino = {}

local constants = {
  LOW = 0, HIGH = 1, INPUT = "INPUT", OUTPUT = "OUTPUT", INPUT_PULLUP = "INPUT_PULLUP",
  INPUT_PULLDOWN = "INPUT_PULLDOWN", OUTPUT_OPENDRAIN = "OUTPUT_OPENDRAIN", RISING = "rising", FALLING = "falling",
  CHANGE = "both", LSBFIRST = 0, MSBFIRST = 1, LED_BUILTIN = 13,
}

local modes = {
  INPUT = { direction = "input", bias = "disabled" },
  INPUT_PULLUP = { direction = "input", bias = "pull-up" },
  INPUT_PULLDOWN = { direction = "input", bias = "pull-down" },
  OUTPUT = { direction = "output", bias = "disabled", drive = "push-pull" },
  OUTPUT_OPENDRAIN = { direction = "output", bias = "disabled", drive = "open-drain" },
}

-- --- Pins -----------------------------------------------------------------------------------------

-- The board's name of a pin.
local function pin_name(self, what, pin)
  local name = math.type(pin) == "integer" and tostring(pin) or pin
  if self.board.pins[name] then
    return name
  elseif type(name) == "string" and self.board.pins["D" .. name] then
    return "D" .. name
  end
  return self.board:find_pin(what, name, 5).name
end

-- Its line, requested when first used.
local function line_of(self, what, pin)
  if self.lines[pin] then
    return self.lines[pin]
  end
  local name = pin_name(self, what, pin)
  local line, message = self.lines[name], nil
  if not line then
    line, message = self.board:line(name, { consumer = "arduino" })
  end
  if not line then
    error(("%s: %s"):format(what, message), 4)
  end
  self.lines[name], self.lines[pin] = line, line
  return line
end

local function is_output(line)
  return line.core:info().direction == "output"
end

-- --- Time -----------------------------------------------------------------------------------------

-- Waiting raises when there is nothing to wait for any more: a sketch would go on for ever.
local function wait(self, ns)
  local good, message = self.board.core:delay(ns)
  if not good then
    error(message, 0)
  end
end

-- To call where a sketch may poll: a loop in which no time passes would never end.
local function polled(self)
  local now = self.board.core:time()
  if now ~= self.polled_at then
    self.polled_at, self.calls = now, 0
  end
  self.calls = self.calls + 1
  if self.calls <= BUSY_CALLS or not async.current_task() then
    return now
  end
  self.api.busy_calls = self.api.busy_calls + 1
  if self.api.busy_calls == 1 then
    self.board:warn("a sketch polls in a loop that does not wait, so no time would pass; it gets 10 us for each call: "
      .. "call delay() in it")
  end
  wait(self, BUSY_STEP)
  self.polled_at, self.calls = self.board.core:time(), BUSY_CALLS
  return self.polled_at
end

local function check_time(what, value)
  if type(value) ~= "number" or not (value >= 0 and value < 1e15) then
    error(("%s: 0 or more expected, got %s"):format(what, tostring(value)), 4)
  end
  return value
end

local function check_level(what, value)
  if value ~= 0 and value ~= 1 then
    error(("%s: HIGH or LOW expected, got %s"):format(what, tostring(value)), 4)
  end
end

local function check_order(what, order)
  if order ~= constants.LSBFIRST and order ~= constants.MSBFIRST then
    error(("%s: LSBFIRST or MSBFIRST expected, got %s"):format(what, tostring(order)), 4)
  end
end

local function check_frequency(what, frequency)
  if type(frequency) ~= "number" or not (frequency > 0 and frequency <= HIGHEST) then
    error(("%s: frequency: above 0 and up to %g Hz expected, got %s"):format(what, HIGHEST, tostring(frequency)), 4)
  end
end

--- Milliseconds since the board was made.
---@return integer
function arduino:millis()
  return polled(self) // MS
end

--- Microseconds since the board was made.
---@return integer
function arduino:micros()
  return polled(self) // US
end

--- Waits.
---@async
---@param ms number
function arduino:delay(ms)
  wait(self, math.floor(check_time("delay", ms) * MS + 0.5))
end

--- Waits.
---@async
---@param us number
function arduino:delayMicroseconds(us)
  wait(self, math.floor(check_time("delayMicroseconds", us) * US + 0.5))
end

-- --- Digital --------------------------------------------------------------------------------------

--- What a pin is from now on.
---@param pin integer|string
---@param mode "INPUT"|"OUTPUT"|"INPUT_PULLUP"|"INPUT_PULLDOWN"|"OUTPUT_OPENDRAIN" or the constant of that name
function arduino:pinMode(pin, mode)
  local settings = modes[mode]
  if not settings then
    error(("pinMode: INPUT, OUTPUT, INPUT_PULLUP, INPUT_PULLDOWN or OUTPUT_OPENDRAIN expected, got %s"):format(
      tostring(mode)), 3)
  end
  line_of(self, "pinMode", pin):reconfigure(settings)
end

--- Drives an output. On an input it switches the pull-up, as on an AVR.
---@param pin integer|string
---@param value integer|boolean 0 or false is LOW, all else HIGH
function arduino:digitalWrite(pin, value)
  if value == nil then
    error("digitalWrite: HIGH or LOW expected, got nil", 3)
  end
  local line = line_of(self, "digitalWrite", pin)
  local high = value ~= 0 and value ~= false
  if is_output(line) then
    line.core:set(high)
  else
    line:reconfigure { bias = high and "pull-up" or "disabled" }
  end
end

--- What is on a pin.
---@param pin integer|string
---@return integer 0 or 1
function arduino:digitalRead(pin)
  local line = line_of(self, "digitalRead", pin)
  polled(self)
  local value, message = line:get_value()
  return value or error("digitalRead: " .. message, 3)
end

-- --- Analog ---------------------------------------------------------------------------------------

--- Drives a PWM of 490 Hz.
---@param pin integer|string
---@param value integer 0 to 255
function arduino:analogWrite(pin, value)
  if math.type(value) ~= "integer" or value < 0 or value > PWM_MOST then
    error(("analogWrite: 0 to %d expected, got %s"):format(PWM_MOST, tostring(value)), 3)
  end
  local line = line_of(self, "analogWrite", pin)
  if not is_output(line) then
    line:reconfigure(modes.OUTPUT)
  end
  line.core:pwm(PWM_PERIOD, PWM_PERIOD * value // PWM_MOST)
end

--- What is on a pin, from 0 to 1023: what a part says that is joined to it (`part.analog[pin]`, from 0 to 1), else
--- its level.
---@param pin integer|string
---@return integer
function arduino:analogRead(pin)
  local line = line_of(self, "analogRead", pin)
  polled(self)
  local fraction = self.board:analog(line.name)
  return math.floor(fraction * ANALOG_MOST + 0.5)
end

-- --- Pulses ---------------------------------------------------------------------------------------

local function end_tone(self, name)
  if self.tones[name] then
    self.tones[name]:close()
    self.tones[name] = nil
  end
end

--- Drives a square wave.
---@param pin integer|string
---@param frequency number Hz
---@param duration? number milliseconds; until noTone without
function arduino:tone(pin, frequency, duration)
  check_frequency("tone", frequency)
  local ns = duration and math.floor(check_time("tone: duration", duration) * MS)
  local line = line_of(self, "tone", pin)
  end_tone(self, line.name)
  if not is_output(line) then
    line:reconfigure(modes.OUTPUT)
  end
  line:pwm(frequency, 0.5)
  if ns then
    self.tones[line.name] = assert(self.board.core:after(ns, function()
      self.tones[line.name] = nil
      line.core:set(0)
    end))
  end
end

--- Ends the tone of a pin.
---@param pin integer|string
function arduino:noTone(pin)
  local line = line_of(self, "noTone", pin)
  end_tone(self, line.name)
  if is_output(line) then
    line.core:set(0)
  end
end

--- Waits for a pulse; how long it was. One that has begun already is not it.
---@async
---@param pin integer|string
---@param value integer HIGH or LOW: the level of the pulse
---@param timeout? number microseconds in all (1,000,000)
---@return integer us 0 when there was none in time
function arduino:pulseIn(pin, value, timeout)
  check_level("pulseIn", value)
  local line = line_of(self, "pulseIn", pin)
  local deadline = self.board.core:time() + math.floor(check_time("pulseIn", timeout or 1000 * 1000) * US)
  local edges <close> = assert(self.board.core:subscribe({ line.core }, "both", 64))
  local began
  while true do
    local level, time = edges:wait(math.max(0, deadline - self.board.core:time()))
    if not level or time > deadline then
      return 0
    elseif level == value then
      began = time
    elseif began then
      return (time - began) // US
    end
  end
end

-- The bit of a byte that comes at a place: the first is 0.
local function place_of(order, i)
  return order == constants.MSBFIRST and 7 - i or i
end

--- Sends a byte bit by bit, each with a pulse of the clock.
---@param data integer|string pin
---@param clock integer|string pin
---@param order integer LSBFIRST or MSBFIRST
---@param byte integer its lowest 8 bits
---@async
function arduino:shiftOut(data, clock, order, byte)
  check_order("shiftOut", order)
  if math.type(byte) ~= "integer" then
    error(("shiftOut: a whole number expected, got %s"):format(tostring(byte)), 3)
  end
  for i = 0, 7 do
    self.api.digitalWrite(data, byte >> place_of(order, i) & 1)
    wait(self, US)
    self.api.digitalWrite(clock, 1)
    wait(self, US)
    self.api.digitalWrite(clock, 0)
    wait(self, US)
  end
end

--- Receives a byte bit by bit, each with a pulse of the clock.
---@async
---@param data integer|string pin
---@param clock integer|string pin
---@param order integer LSBFIRST or MSBFIRST
---@return integer byte
function arduino:shiftIn(data, clock, order)
  check_order("shiftIn", order)
  local byte = 0
  for i = 0, 7 do
    self.api.digitalWrite(clock, 1)
    wait(self, US)
    byte = byte | self.api.digitalRead(data) << place_of(order, i)
    self.api.digitalWrite(clock, 0)
    wait(self, US)
  end
  return byte
end

-- --- Interrupts -----------------------------------------------------------------------------------

--- Calls f() at edges of a pin. f may not wait. One that was attached before goes.
---@param pin integer|string
---@param f fun()
---@param mode "rising"|"falling"|"both" the constants RISING, FALLING, CHANGE
function arduino:attachInterrupt(pin, f, mode)
  if mode ~= "rising" and mode ~= "falling" and mode ~= "both" then
    error(("attachInterrupt: RISING, FALLING or CHANGE expected, got %s"):format(tostring(mode)), 3)
  elseif type(f) ~= "function" then
    error(("attachInterrupt: a function expected, got %s"):format(type(f)), 3)
  end
  local line = line_of(self, "attachInterrupt", pin)
  self.api.detachInterrupt(pin)
  self.interrupts[line.name] = line:on_edge(mode, function()
    f()
  end)
end

--- Ends that.
---@param pin integer|string
function arduino:detachInterrupt(pin)
  local line = line_of(self, "detachInterrupt", pin)
  if self.interrupts[line.name] then
    self.interrupts[line.name]:close()
    self.interrupts[line.name] = nil
  end
end

--- The same number: interrupts are named by their pins.
---@param pin integer|string
---@return integer|string
function arduino.digitalPinToInterrupt(_, pin)
  return pin
end

-- --- Making one -----------------------------------------------------------------------------------

local makers = {}

--- board:arduino
---@package
---@param board strobe.gpio.Board
---@return strobe.gpio.Arduino
function makers.open(board)
  local self = { board = board, lines = {}, tones = {}, interrupts = {}, polled_at = -1, calls = 0 }
  local api = { busy_calls = 0 }
  self.api = api
  for name, value in pairs(constants) do
    api[name] = value
  end
  for i = 0, 15 do
    api["A" .. i] = "A" .. i
  end
  for name, f in pairs(arduino) do
    api[name] = function(...)
      local result = f(self, ...) -- no tail call: errors name the place of this one's caller
      return result
    end
  end
  return api
end

local function run_sketch(board, sketch)
  if sketch.setup then
    sketch.setup()
  end
  while sketch.loop do
    local began = board.core:time()
    sketch.loop()
    if board.core:time() == began and not board.core:delay(sketch.period) then
      return
    end
  end
end

local function with_trace(e)
  return type(e) == "string" and debug.traceback(e, 2) or e
end

--- board:sketch
---@package
---@param board strobe.gpio.Board
---@param given {setup?: fun(), loop?: fun(), name?: string}
---@return strobe.Task
function makers.sketch(board, given)
  if type(given) ~= "table" or not (given.setup or given.loop) then
    error("board:sketch: a table with functions `setup` and `loop` expected", 2)
  end
  for _, name in ipairs { "setup", "loop" } do
    if given[name] ~= nil and type(given[name]) ~= "function" then
      error(("board:sketch: %s: a function expected, got %s"):format(name, type(given[name])), 2)
    end
  end
  local sketch = { setup = given.setup, loop = given.loop, period = LOOP_TIME }
  local task = async.create_task(function()
    local ok, e = xpcall(run_sketch, with_trace, board, sketch)
    if not ok and errors.is(e, errors.CancelledError) then
      error(e, 0)
    elseif not ok and not board.closed then
      core_error.report { message = ("board %s: error in a sketch; it ends\n%s"):format(board.name, e) }
    end
  end)
  task:set_name(given.name or board.name .. " sketch")
  board:at_close(function()
    task:cancel()
  end)
  return task
end

return makers
