local gpio = require "strobe.gpio"

local US = 1e-6

-- A sensor on an open-drain line of the board.
local function wired(attributes)
  local board = gpio.board { pins = { "D2" } }
  local sensor = board:add("dht22", attributes)
  board:wire("D2", sensor:pin "SDA")
  local line = assert(board:line("D2", { direction = "output", drive = "open-drain", output_value = 1 }))
  board:sleep(1)
  return board, sensor, line
end

-- Asks as a host does, and lets go; returns for how long, in µs, the wire then was high, low, and so on by turns.
local function ask(board, line, start)
  line:set_value(0)
  board:sleep(start)
  line:reconfigure { direction = "input" }
  assert(line:wait_edge("rising", 0))
  local lengths, last = {}, board:now_ns()
  while true do
    local event = line:wait_edge("both", 0.001)
    if not event then
      return lengths
    end
    lengths[#lengths + 1] = (event.timestamp_ns - last) // 1000
    last = event.timestamp_ns
  end
end

-- The five bytes of what was measured by ask.
local function decode(lengths)
  local bytes = {}
  for i = 1, 5 do
    local byte = 0
    for bit = 1, 8 do
      byte = byte << 1 | (lengths[3 + 2 * (8 * (i - 1) + bit)] > 40 and 1 or 0)
    end
    bytes[i] = byte
  end
  return bytes
end

describe("a DHT22", function()
  it("answers with the times of its data sheet", function()
    local board <close>, _, line = wired { temperature = 35.1, humidity = 65.2 }
    local lengths = ask(board, line, 0.001)
    assert.same({ 30, 80, 80 }, { table.unpack(lengths, 1, 3) })
    assert.equal(3 + 2 * 40 + 1, #lengths)
    for i = 4, #lengths do
      local high = i % 2 == 1
      assert.is_true(high and (lengths[i] == 26 or lengths[i] == 70) or not high and lengths[i] == 50)
    end
    -- the example of the data sheet: 65.2 %, 35.1 °C, sum EE
    assert.same({ 0x02, 0x8c, 0x01, 0x5f, 0xee }, decode(lengths))
  end)

  it("tells temperatures below zero by a sign", function()
    local board <close>, sensor, line = wired()
    sensor:set(-10.1, 99.9)
    assert.same({ 0x03, 0xe7, 0x80, 0x65, 0xcf }, decode(ask(board, line, 0.001)))
  end)

  it("answers again", function()
    local board <close>, _, line = wired()
    local first = ask(board, line, 0.001)
    line:reconfigure { direction = "output", output_value = 1 }
    board:sleep(2)
    assert.same(first, ask(board, line, 0.02))
  end)

  it("does not answer to less than 0.8 ms", function()
    local board <close>, sensor, line = wired()
    assert.same({}, ask(board, line, 799 * US))
    assert.is_false(sensor.state.busy)
  end)

  it("is read by a sketch", function()
    local board <close> = gpio.board { pins = { "2" } }
    local sensor, a = board:add("dht22", { temperature = 21.5 }), board:arduino()
    board:wire("2", sensor:pin "SDA")
    a.pinMode(2, a.OUTPUT)
    a.digitalWrite(2, a.LOW)
    a.delay(1)
    a.pinMode(2, a.INPUT_PULLUP)
    a.delayMicroseconds(10)
    a.pulseIn(2, a.HIGH) -- the answer begins
    local bits = 0
    for _ = 1, 40 do
      bits = bits << 1 | (a.pulseIn(2, a.HIGH) > 40 and 1 or 0)
    end
    assert.equal(215, bits >> 8 & 0xffff)
  end)
end)
