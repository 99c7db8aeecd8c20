local gpio = require "strobe.gpio"

local US = 1e-6

-- A sensor, TRIG as a line of the board, and the times of ECHO's edges in µs since the last trigger fell.
local function wired(attributes)
  local board = gpio.board { pins = { "TRIG", "ECHO" } }
  local sensor = board:add("hc_sr04", attributes)
  board:wire("TRIG", sensor:pin "TRIG")
  board:wire("ECHO", sensor:pin "ECHO")
  local trigger = assert(board:line("TRIG", { direction = "output" }))
  local echo = assert(board:line("ECHO", { direction = "input" }))
  board:sleep(0.001)
  local bench = { sensor = sensor, edges = {} }
  echo:on_edge("both", function(value, time)
    table.insert(bench.edges, ("%d@%g"):format(value, (time - bench.fell) / 1000))
  end)
  function bench.trigger(length)
    trigger:set_value(1)
    board:sleep(length)
    trigger:set_value(0)
    bench.fell = board:now_ns()
  end
  return board, bench
end

describe("an ultrasonic sensor", function()
  it("answers with 58 µs a centimetre, after its burst", function()
    local board <close>, bench = wired { distance = 10 }
    bench.trigger(10 * US)
    board:sleep(0.1)
    assert.same({ "1@200", "0@780" }, bench.edges)
  end)

  it("measures what is in front now", function()
    local board <close>, bench = wired()
    bench.trigger(10 * US)
    board:sleep(0.1)
    bench.sensor:set_distance(400)
    bench.trigger(20 * US)
    board:sleep(0.1)
    assert.same({ "1@200", "0@6000", "1@200", "0@23400" }, bench.edges)
  end)

  it("answers with 38 ms when nothing comes back", function()
    local board <close>, bench = wired { distance = 500 }
    bench.trigger(10 * US)
    board:sleep(0.1)
    assert.same({ "1@200", "0@38200" }, bench.edges)
  end)

  it("wants a pulse of 10 µs", function()
    local board <close>, bench = wired()
    bench.trigger(9 * US)
    board:sleep(0.1)
    assert.same({}, bench.edges)
  end)

  it("takes no second trigger while it measures", function()
    local board <close>, bench = wired { distance = 100 }
    bench.trigger(10 * US)
    local first = bench.fell
    assert.is_true(board:sleep(0.003))
    assert.is_true(bench.sensor.state.busy)
    bench.trigger(10 * US)
    bench.fell = first
    board:sleep(0.1)
    assert.same({ "1@200", "0@6000" }, bench.edges)
    assert.is_false(bench.sensor.state.busy)
  end)

  it("is measured by pulseIn", function()
    local board <close> = gpio.board { pins = { "9", "10" } }
    local sensor, a = board:add("hc_sr04", { distance = 123 }), board:arduino()
    board:wire("9", sensor:pin "TRIG")
    board:wire("10", sensor:pin "ECHO")
    a.pinMode(9, a.OUTPUT)
    a.digitalWrite(9, a.LOW)
    a.delayMicroseconds(2)
    a.digitalWrite(9, a.HIGH)
    a.delayMicroseconds(10)
    a.digitalWrite(9, a.LOW)
    assert.equal(123 * 58, a.pulseIn(10, a.HIGH))
  end)
end)
