local async = require "strobe.async"
local errors = require "spec.support.errors"
local gpio = require "strobe.gpio"
local reports = require "spec.support.reports"

local HERE = "^[^:]*arduino_spec.lua:%d+: "

describe("a sketch", function()
  it("blinks", function()
    local board <close> = gpio.board { pins = { "D13" } }
    local led = board:add "led"
    board:wire("D13", "led1.anode")
    board:wire("led1.cathode", "GND")
    local a = board:arduino()
    local lit = {}
    board:sketch {
      setup = function()
        a.pinMode(a.LED_BUILTIN, a.OUTPUT)
      end,
      loop = function()
        a.digitalWrite(13, a.HIGH)
        a.delay(500)
        a.digitalWrite(13, a.LOW)
        a.delay(500)
      end,
    }
    for i = 1, 4 do
      board:sleep(i == 1 and 0.25 or 0.5)
      lit[i] = led.state.lit
    end
    assert.same({ true, false, true, false }, lit)
    assert.equal(1750, a.millis())
    assert.equal(1750000, a.micros())
  end)

  it("may have a loop that never waits", function()
    local board <close> = gpio.board { pins = 2 }
    local a, loops = board:arduino(), 0
    board:sketch {
      loop = function()
        loops = loops + 1
      end,
    }
    board:sleep(0.01)
    assert.equal(1000, loops)
    assert.equal(0, a.busy_calls)
  end)

  it("gets time when it polls, and a warning", function()
    local board <close> = gpio.board { name = "uno", pins = 2 }
    local a = board:arduino()
    local contexts = reports.of(function()
      local began = a.millis()
      while a.millis() - began < 20 do -- luacheck: ignore
      end
      while a.micros() < 25000 do -- luacheck: ignore
      end
    end)
    assert.equal(1, #contexts)
    assert.matches("board uno: a sketch polls in a loop that does not wait.*call delay%(%)", contexts[1].message)
    assert.is_true(a.busy_calls > 0)
    assert.equal(25, a.millis())
  end)

  it("is ended by an error, which is reported", function()
    local board <close> = gpio.board { name = "uno", pins = 1 }
    local contexts = reports.of(function()
      board:sketch {
        setup = function()
          board:arduino().pinMode(7, "OUTPUT")
        end,
      }:await()
    end)
    assert.equal(1, #contexts)
    assert.matches("board uno: error in a sketch; it ends.*arduino_spec.lua:%d+: pinMode: board uno has no pin 7",
      contexts[1].message)
    assert.matches("a table with functions", errors.raised_by(board.sketch, board, {}))
  end)

  it("ends with its board", function()
    local board = gpio.board { pins = 1 }
    local a = board:arduino()
    local task = board:sketch {
      loop = function()
        a.delay(10)
      end,
    }
    async.sleep(0.1)
    board:close()
    async.sleep(0)
    async.sleep(0)
    assert.is_true(task:done())
  end)
end)

describe("Arduino's calls", function()
  local function wired()
    local board = gpio.board { pins = 4 }
    board:wire(0, 1)
    board:wire(2, 3)
    return board, board:arduino()
  end

  it("read and pull", function()
    local board <close>, a = wired()
    a.pinMode(1, a.INPUT_PULLUP)
    board:sleep(0.001)
    assert.equal(a.HIGH, a.digitalRead(1))
    a.digitalWrite(1, a.LOW)
    a.pinMode(0, a.INPUT_PULLDOWN)
    board:sleep(0.001)
    assert.equal(a.LOW, a.digitalRead(1))
    a.pinMode(0, a.OUTPUT)
    a.digitalWrite(0, a.HIGH)
    assert.equal(a.HIGH, a.digitalRead(0))
  end)

  it("measure pulses", function()
    local board <close>, a = wired()
    a.pinMode(1, a.INPUT)
    a.analogWrite(0, 51)
    assert.equal(408, a.pulseIn(1, a.HIGH))
    assert.equal(1632, a.pulseIn(1, a.LOW))
    a.analogWrite(0, 255) -- from the next period on
    a.delay(5)
    assert.equal(0, a.pulseIn(1, a.LOW, 10000))
    assert.is_true(board:now() < 0.03)
  end)

  it("make tones, which end", function()
    local board <close>, a = wired()
    local edges = 0
    a.tone(0, 1000, 10)
    a.attachInterrupt(a.digitalPinToInterrupt(1), function()
      edges = edges + 1
    end, a.RISING)
    a.delay(50)
    assert.equal(10, edges)
    a.tone(0, 1000)
    a.delay(1.5)
    a.noTone(0)
    a.delay(50)
    assert.equal(12, edges)
    a.detachInterrupt(1)
    a.tone(0, 1000)
    a.delay(50)
    assert.equal(12, edges)
    assert.equal("arduino", board:line_info(0).consumer)
  end)

  it("shift bytes out and in", function()
    local board <close>, a = wired()
    a.pinMode(0, a.OUTPUT)
    a.pinMode(2, a.OUTPUT)
    a.pinMode(1, a.INPUT)
    a.pinMode(3, a.INPUT)
    local bits = {}
    a.attachInterrupt(3, function()
      table.insert(bits, a.digitalRead(1))
    end, a.RISING)
    a.shiftOut(0, 2, a.MSBFIRST, 0xA5)
    assert.equal("10100101", table.concat(bits))
    a.digitalWrite(0, 1)
    assert.equal(255, a.shiftIn(1, 2, a.LSBFIRST))
    assert.is_true(board:now() > 0)
  end)

  it("read what a part says, as analog", function()
    local board <close>, a = wired()
    local half = board:add(require("strobe.gpio.part").kind {
      name = "half", pins = { "SIG" },
      start = function(self)
        self.analog = { SIG = 0.5 }
      end,
    })
    board:wire("half1.SIG", 0)
    board:wire(3, "VCC")
    board:sleep(0.001)
    assert.same({ 512, 1023 }, { a.analogRead(1), a.analogRead(2) })
    assert.equal("half1", half.name)
  end)

  it("refuse what is none, at the caller's place", function()
    local board <close>, a = wired()
    assert(board:line(3, { consumer = "me" }))
    local function mistake(name, ...)
      return errors.raised_by(function(...)
        local result = a[name](...)
        return result
      end, ...)
    end
    assert.matches(HERE .. "pinMode: INPUT, .* expected, got 7", mistake("pinMode", 1, 7))
    assert.matches(HERE .. "digitalRead: board board has no pin 99", mistake("digitalRead", 99))
    assert.matches(HERE .. "pinMode: board board: pin 3 is in use by me", mistake("pinMode", 3, a.INPUT))
    assert.matches(HERE .. "analogWrite: 0 to 255 expected, got 256", mistake("analogWrite", 0, 256))
    assert.matches(HERE .. "delay: 0 or more expected, got %-1", mistake("delay", -1))
    assert.matches(HERE .. "attachInterrupt: RISING, FALLING or CHANGE expected, got LOW",
      mistake("attachInterrupt", 0, print, "LOW"))
  end)

  it("names what a call cannot take, at the place of the call", function()
    local board <close> = gpio.board { name = "uno", pins = 20 }
    local a = board:arduino()
    for message, call in pairs {
      ["tone: frequency: above 0 and up to 1e%+09 Hz expected, got 0"] = function() a.tone(9, 0) end,
      ["tone: duration: 0 or more expected, got %-1"] = function() a.tone(9, 440, -1) end,
      ["digitalWrite: HIGH or LOW expected, got nil"] = function() a.digitalWrite(13) end,
      ["pulseIn: HIGH or LOW expected, got 5"] = function() a.pulseIn(2, 5) end,
      ["shiftOut: LSBFIRST or MSBFIRST expected, got nil"] = function() a.shiftOut(2, 3, nil, 1) end,
      ["shiftOut: a whole number expected, got x"] = function() a.shiftOut(2, 3, a.LSBFIRST, "x") end,
      ["shiftIn: LSBFIRST or MSBFIRST expected, got 2"] = function() a.shiftIn(2, 3, 2) end,
      ["board:sketch: loop: a function expected, got number"] = function() board:sketch { loop = 5 } end,
      ["board:serout: delays%[2%]: 0 seconds or more expected, got %-1"] = function() board:serout(2, 1, { 1, -1 }) end,
    } do
      assert.matches("^spec/modules/strobe/gpio/arduino_spec.lua:%d+: " .. message, errors.raised_by(call))
    end
    assert.equal("input", board:line_info(9).direction) -- no tone has begun
  end)
end)
