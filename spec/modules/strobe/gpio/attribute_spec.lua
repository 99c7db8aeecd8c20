local errors = require "spec.support.errors"
local gpio = require "strobe.gpio"
local reports = require "spec.support.reports"

-- What is reported when a part starts with such attributes.
local function complaint(kind, attributes)
  local contexts = reports.of(function()
    local board <close> = gpio.board { name = "bench" }
    assert.is_string(board:add(kind, attributes).failure)
  end)
  assert.equal(1, #contexts)
  return contexts[1].message
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
      assert.matches(expected, message)
      assert.matches("board bench: part " .. kind .. "1", message)
    end)
  end

  it("is refused when there is none of that name", function()
    local board <close> = gpio.board()
    assert.matches("part led has no attribute colour", errors.raised_by(board.add, board, "led", { colour = "red" }))
  end)

  it("is checked in methods too, in the caller's name", function()
    local board <close> = gpio.board()
    local clock, sensor = board:add "clock", board:add "hc_sr04"
    local message = errors.raised_by(clock.run, clock, -1)
    assert.matches("clock:run: frequency: 1e%-06 to 1e%+09 expected, got %-1", message)
    assert.matches("distance: 0 to inf expected, got far", errors.raised_by(sensor.set_distance, sensor, "far"))
  end)
end)
