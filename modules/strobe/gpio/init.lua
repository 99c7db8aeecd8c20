--- strobe.gpio: circuit boards in software: pins, wires and parts, with a time of their own that is exact to the
-- nanosecond.
--
--   local board <close> = gpio.board { name = "bench", pins = { "D2", "D13" } }
--   local led = board:add("led", { name = "led1" })
--   board:wire("D13", "led1.anode")
--   board:wire("led1.cathode", "GND")
--
--   local line <close> = assert(board:line("D13", { direction = "output" }))
--   line:set_value(1)
--   board:sleep(0.5)
--   print(led.state.lit)                                          -- true
--
--   local button = board:add("button", { name = "b" })
--   board:wire("D2", "b.1")
--   board:wire("b.2", "GND")
--   local input <close> = assert(board:line("D2", { bias = "pull-up", active_low = true, edge = "rising" }))
--   board:sleep(0.1)
--   button:click()
--   for event in input:edges() do print(event.timestamp_ns, event.value) end
--
-- The words are those of libgpiod 2: a line is a pin that somebody has requested. A pin belongs to one at a time.
--
-- Time is simulated. It follows the loop's clock (live, or virtual in specs), stands still after `board:pause()`,
-- and passes by steps then. Seconds are numbers, nanoseconds (`timestamp_ns`) integers.
--
-- What is set up or written takes effect in the next delta, a round of changes at the same time. So a button that is
-- pressed in the very instant in which its pull-up is requested gives no edge: the level never was 1.
--
-- GND is 0 and VCC is 1; the supply pins of parts are ends of these rails even without a wire, so all parts have power.
--
-- A level is "0", "1", "z" (nobody drives) or "x" (two drive, and differ); a value is what a program reads, 0 or 1.
--
-- Parts, each with a page of help (`strobe help strobe.gpio.parts.servo`): button, switch, rotary_encoder,
-- potentiometer, led, rgb_led, seven_segment, buzzer, relay, servo, clock, shift_register, flip_flop, inverter, and,
-- or, xor, nand, nor, adc, dht22, hc_sr04, eeprom, thermometer. `strobe.gpio.i2c` is a bus, `gpio.faults` are faults.
--
-- `board:trace(path)` records VCD, with `states = true` also what the parts do; `board:play(vcd, map)` drives lines by
-- it; `board:serve(host, port)` is a page and a WebSocket to press buttons by, `board:view()` shows the board in the
-- terminal.

local Board = require "strobe.gpio.board"
local faults = require "strobe.gpio.faults"
local mistake = require("strobe.mistake").raise
local part = require "strobe.gpio.part"
local vcd = require "strobe.vcd"
local wavedrom = require "strobe.vcd.wavedrom"

local gpio = { faults = faults, part = part }

---@class strobe.gpio.BoardOptions
---@field name? string what messages call it ("board")
---@field pins? string[]|integer their names; or how many: 20 is "0" to "19"
---@field floating? "low"|"high"|"hold"|"random"|"error" what a program reads where no level is 0 or 1 ("low");
--- hold: the last
--- that was; error: nil, message, "EFLOATING"
---@field seed? integer for all that is random on the board (0)
---@field paused? boolean time stands still until `board:resume()`

--- Makes a board, whose time begins at 0 and runs: `local board <close> = gpio.board { pins = { "D2", "D13" } }`.
--- Close it: its parts keep it alive.
---@param options? strobe.gpio.BoardOptions
---@return strobe.gpio.Board board a `<close>` value
function gpio.board(options)
  return Board.open(options or {})
end

--- A trace as WaveDrom JSON, for documents and the web: `gpio.wavedrom("blink.vcd", { signals = { "D13" } })`.
---@async
---@param source strobe.gpio.Trace|string|fun(): string? a trace that was closed, a path, a text, or an iterator of
--- blocks
---@param options? {from?: number, to?: number, signals?: string[], period?: integer} times in ns; period: unless
--- given, the longest that has all changes on its grid
---@return string? json
---@return string? message
---@return string? code
function gpio.wavedrom(source, options)
  if type(source) == "table" then
    if not source.path or not source.ended then
      mistake("gpio.wavedrom: a trace with a path that was closed expected")
    end
    source = source.path
  end
  local content, message, code = vcd.read(source)
  if not content then
    return nil, message, code
  end
  return wavedrom.json(content, options)
end

return gpio
