local gpio = require "strobe.gpio"
local i2c = require "strobe.gpio.i2c"

-- A thermometer, the bus to it, and its alarm as a line of the board.
local function wired(attributes)
  local board = gpio.board { pins = { "SDA", "SCL", "OS" } }
  local thermometer = board:add("thermometer", attributes)
  for _, pin in ipairs { "SDA", "SCL", "OS" } do
    board:wire(pin, thermometer:pin(pin))
  end
  local bus = assert(i2c.controller(board, { sda = "SDA", scl = "SCL" }))
  local alarm = assert(board:line("OS", { bias = "pull-up" }))
  board:sleep(0.001)
  return board, thermometer, bus, alarm
end

describe("a thermometer", function()
  it("tells temperatures as its data sheet has them", function()
    local board <close>, thermometer, bus = wired()
    for temperature, bytes in pairs {
      [125] = "\x7d\x00", [25] = "\x19\x00", [0.5] = "\x00\x80", [0] = "\x00\x00", [-0.5] = "\xff\x80",
      [-25] = "\xe7\x00", [-55] = "\xc9\x00",
    } do
      thermometer:set_temperature(temperature)
      assert.equal(bytes, bus:write_read(0x48, "\0", 2))
    end
    thermometer:set_temperature(-55)
    assert.equal("\xc9\x00\xc9", bus:read(0x48, 3)) -- the register stays chosen
    board:close()
  end)

  it("keeps what is written to its registers, but for the temperature", function()
    local board <close>, _, bus = wired()
    assert.equal("\x4b\x00", bus:write_read(0x48, "\2", 2))
    assert.equal("\x50\x00", bus:write_read(0x48, "\3", 2))
    assert.is_true(bus:write(0x48, "\3\x1e\x80"))
    assert.is_true(bus:write(0x48, "\1\x01"))
    assert.is_true(bus:write(0x48, "\0\x01\x01"))
    assert.equal("\x1e\x80", bus:write_read(0x48, "\3", 2))
    assert.equal("\x01", bus:write_read(0x48, "\1", 1))
    assert.equal("\x14\x00", bus:write_read(0x48, "\0", 2))
    board:close()
  end)

  it("gives an alarm until it is cool again", function()
    local board <close>, thermometer, _, alarm = wired()
    local values = {}
    for i, temperature in ipairs { 80, 80.5, 76, 75, 74.5, 79 } do
      thermometer:set_temperature(temperature)
      board:sleep(0.001)
      values[i] = alarm:get_value()
    end
    assert.same({ 1, 0, 0, 0, 1, 1 }, values)
    assert.is_false(thermometer.state.alarm)
  end)

  it("answers beside others", function()
    local board <close>, _, bus = wired { temperature = 20 }
    local second = board:add("thermometer", { temperature = 30 })
    board:wire("SDA", second:pin "SDA")
    board:wire("SCL", second:pin "SCL")
    board:wire("VCC", second:pin "A1")
    board:sleep(0.001)
    assert.same({ 0x48, 0x4a }, bus:scan())
    assert.equal("\x14\x00", bus:read(0x48, 2))
    assert.equal("\x1e\x00", bus:read(0x4a, 2))
    assert.equal(0x4a, second:address())
  end)
end)
