-- The three in one process, as parts of a board: what goes over the network otherwise goes along wires here. The clock
-- raises a line for each tack, the IO pin toggles with each rise, and the buzzer buzzes when the pin rises.

local async = require "strobe.async"
local gpio = require "strobe.gpio"
local part = require "strobe.gpio.part"
local script = require "strobe.script"

local SHOWN = { "clock.tack", "iopin.pin", "buzzer.sound" }
local BUZZ = 0.1 -- seconds, or a quarter of the clock's delay if that is shorter

local function out(name, text)
  io.stdout:write(("[ %s ] %s\n"):format(name, text))
  io.stdout:flush()
end

-- Half of the delay low, half of it high; then the acknowledgement has long been there.
local function tick(clock)
  local tacks, half = clock.attributes.tacks, clock.attributes.delay / 2
  for number = 1, tacks > 0 and tacks or math.maxinteger do
    assert(clock.board:sleep(half))
    clock.line.tack:set(1)
    assert(clock.board:sleep(half))
    clock.state.tacks = number
    out("Clock", ("tack %d: %d"):format(number, clock.line.ack:get()))
    clock.line.tack:set(0)
  end
  clock.ended:set()
end

local Clock = part.kind {
  name = "clock",
  pins = { "tack", "ack" },
  attributes = { tacks = 0, delay = 1 },
  start = function(self)
    self.ended = async.Event()
    self.state.tacks = 0
    self.line.tack:configure { direction = "output", output_value = 0 }
  end,
  run = function(self)
    self.board:resume()
    self:task(tick)
    self.ended:wait()
    return not self.failure or nil, self.failure
  end,
  finish = function(self)
    self.ended:set()
  end,
}

local IOPin = part.kind {
  name = "iopin",
  pins = { "tack", "pin" },
  start = function(self)
    local value = 0
    self.state.value = value
    self.line.pin:configure { direction = "output", output_value = value }
    self:on_edge("tack", "rising", function()
      value = 1 - value
      self.state.value = value
      self.line.pin:set(value)
      out("IOPin", value)
    end)
  end,
}

local Buzzer = part.kind {
  name = "buzzer",
  pins = { "pin", "sound" },
  attributes = { length = BUZZ },
  start = function(self)
    local function sound(value)
      self.state.sounding = value == 1
      self.line.sound:set(value)
    end
    self.line.sound:configure { direction = "output", output_value = 0 }
    self.state.sounding = false
    self:on_edge("pin", "rising", function()
      sound(1)
      out("Buzzer", "bzzz")
      self:after(self.attributes.length, function()
        sound(0)
      end)
    end)
  end,
}

local function build(board, tacks, delay)
  local clock = board:add(Clock, { name = "clock", tacks = tacks, delay = delay })
  board:add(IOPin, { name = "iopin" })
  board:add(Buzzer, { name = "buzzer", length = math.min(BUZZ, delay / 4) })
  board:wire("clock.tack", "iopin.tack")
  board:wire("iopin.pin", "clock.ack")
  board:wire("iopin.pin", "buzzer.pin")
  return clock
end

-- Runs the clock to its end; what happens on the board goes into a file, which ends with the board at the latest.
local function traced(board, clock, path)
  local trace, message, code = board:trace(path)
  if not trace then
    return nil, message, code
  end
  local ran, why = clock:run()
  local written
  written, message, code = trace:close()
  if not ran or not written then
    return nil, why or message, code
  end
  out("Board", ("a trace of %.15g seconds is in %s: strobe trace %s draws it"):format(board:now(), path, path))
  return true
end

local demo = {}

--- Runs the circuit.
---@async
---@param tacks integer how many; 0: for ever
---@param delay number seconds from one to the next
---@param options? {vcd?: string, view?: boolean} vcd: a file for a trace of all pins; view: the board, below the lines
---@return true?
---@return string? message
---@return string? code
function demo.run(tacks, delay, options)
  options = options or {}
  local board <close> = gpio.board { name = "circuit", paused = true } -- until the trace has begun
  local clock = build(board, tacks, delay)
  local view <close> = options.view and board:view { pins = SHOWN } or nil -- luacheck: ignore
  if options.vcd then
    return traced(board, clock, options.vcd)
  end
  return clock:run()
end

if ... == "strobe.circuit/demo" then
  return demo
end
script.module "circuit"("demo", ...)
