local attribute = require "strobe.gpio.attribute"
local errors = require "spec.support.errors"
local gpio = require "strobe.gpio"
local part = require "strobe.gpio.part"
local reports = require "spec.support.reports"

-- What is raised when a part with such attributes is added; the board is as it was.
local function complaint(kind, attributes)
  local board <close> = gpio.board { name = "bench", pins = { "D2" } }
  local e
  assert.same({}, reports.of(function()
    e = errors.raised_by(function()
      board:add(kind, attributes)
    end)
  end))
  assert.same({ 0, { { name = "D2", level = "z", pins = { "D2" } } } }, { #board.parts, board:nets() })
  assert.equal(kind .. "1", board:add(kind).name)
  return e
end

describe("an attribute of a part", function()
  for _, case in ipairs {
    { "rgb_led", { common = "cathod" }, "common: anode or cathode expected, got cathod" },
    { "seven_segment", { common = 1 }, "common: anode or cathode expected, got 1" },
    { "relay", { trigger = "up" }, "trigger: high or low expected, got up" },
    { "switch", { position = 2 }, "position: 1 or 3 expected, got 2" },
    { "flip_flop", { initial = "x" }, "initial: 0 or 1 expected, got x" },
    { "clock", { frequency = 0 }, "frequency: 1e%-06 to 1e%+09 expected, got 0" },
    { "clock", { duty = 50 }, "duty: 0 to 1 expected, got 50" },
    { "servo", { least_pulse = 2e-3, most_pulse = 1e-3 }, "most_pulse: 0.002001 to 1 expected, got 0.001" },
    { "dht22", { humidity = 101 }, "humidity: 0 to 100 expected, got 101" },
    { "hc_sr04", { distance = -1 }, "distance: 0 to inf expected, got %-1" },
    { "thermometer", { temperature = 126 }, "temperature: %-55 to 125 expected, got 126" },
    { "inverter", { delay = -1 }, "delay: 0 seconds or more expected, got %-1" },
    { "eeprom", { write_time = "5 ms" }, "write_time: 0 seconds or more expected, got 5 ms" },
  } do
    local kind, attributes, expected = table.unpack(case)
    it(("of %s is checked: %s"):format(kind, expected:match "^[^:]*"), function()
      local message = complaint(kind, attributes)
      assert.matches(("board:add: board bench: part %s1 (%s): "):format(kind, kind), message, 1, true)
      assert.matches(": " .. expected .. "$", message)
      assert.matches("^spec/modules/strobe/gpio/attribute_spec.lua:%d+: ", message)
    end)
  end

  it("is of the type of its default where its kind says no more", function()
    assert.matches("part led1 %(led%): color: a string expected, got 7$", complaint("led", { color = 7 }))
    assert.matches("clock1 %(clock%): running: true or false expected, got 1$", complaint("clock", { running = 1 }))
    local board <close> = gpio.board()
    local kind = part.kind { name = "chip", pins = {}, attributes = { any = false, count = 1 } }
    assert.equal("x", board:add(kind, { any = "x" }).attributes.any)
    assert.matches("part chip2 %(chip%): count: a number expected, got x", errors.raised_by(board.add, board, kind,
      { count = "x" }))
  end)

  it("is no part's failure, and what else a start raises is no attribute's", function()
    local board <close> = gpio.board { name = "bench" }
    local kind = part.kind {
      name = "chip", pins = { "a", "b" }, attributes = { level = 1 },
      start = function(self)
        board:wire("chip1.a", "chip1.b")
        self:after(1, error)
        assert(self.attributes.level < 5, "too high")
      end,
      finish = error,
    }
    local contexts = reports.of(function()
      assert.matches("too high", board:add(kind, { level = 7 }).failure)
    end)
    assert.matches("board bench: part chip1 %(chip%): error in its start; the part stops", contexts[1].message)
    assert.equal(1, #board.wires)
  end)

  it("of a part that is taken off again leaves neither wires nor timers", function()
    local board <close> = gpio.board {}
    local kind = part.kind {
      name = "chip", pins = { "a", "b" }, attributes = { level = 1 },
      start = function(self)
        board:wire("chip1.a", "chip1.b")
        self:after(1, error)
        attribute.number(self, "level", 0, 5)
      end,
      finish = error,
    }
    errors.raised_by(board.add, board, kind, { level = 7 })
    board:sleep(2)
    assert.same({ 0, 0, 0 }, { #board.wires, #board.parts, board:stats().events })
  end)

  it("is refused when there is none of that name", function()
    local board <close> = gpio.board()
    assert.matches("part led has no attribute colour; it has color",
      errors.raised_by(board.add, board, "led", { colour = "red" }))
  end)

  it("is checked in methods too, in the caller's name", function()
    local board <close> = gpio.board()
    local clock, sensor = board:add "clock", board:add "hc_sr04"
    local message = errors.raised_by(clock.run, clock, -1)
    assert.matches("clock:run: frequency: 1e%-06 to 1e%+09 expected, got %-1", message)
    assert.matches("distance: 0 to inf expected, got far", errors.raised_by(sensor.set_distance, sensor, "far"))
  end)
end)
