local gpio = require "strobe.gpio"
local i2c = require "strobe.gpio.i2c"

-- An EEPROM and the bus to it.
local function wired()
  local board = gpio.board { pins = { "SDA", "SCL", "WP" } }
  local eeprom = board:add "eeprom"
  for _, pin in ipairs { "SDA", "SCL", "WP" } do
    board:wire(pin, eeprom:pin(pin))
  end
  local bus = assert(i2c.controller(board, { sda = "SDA", scl = "SCL", frequency = 400e3 }))
  board:sleep(0.001)
  return board, eeprom, bus
end

describe("an EEPROM", function()
  it("keeps what is written to it", function()
    local board <close>, eeprom, bus = wired()
    assert.is_true(bus:write(0x50, "\x10strobe"))
    board:sleep(0.005)
    assert.equal("strobe", bus:write_read(0x50, "\x10", 6))
    assert.equal("\xffstrobe\xff", eeprom:contents(0x0f, 8))
    assert.equal(1, eeprom.state.writes)
  end)

  it("goes on reading from where it was, and round its end", function()
    local board <close>, eeprom, bus = wired()
    assert.is_true(bus:write(0x50, "\xf8abcdefgh"))
    board:sleep(0.005)
    assert.is_true(bus:write(0x50, "\0first"))
    board:sleep(0.005)
    assert.is_true(bus:write(0x50, "\xfd")) -- only where to read
    assert.equal("f", bus:read(0x50, 1))
    assert.equal("ghfirs", bus:read(0x50, 6))
    assert.equal(4, eeprom.state.at)
  end)

  it("stays within a page when it writes", function()
    local board <close>, eeprom, bus = wired()
    assert.is_true(bus:write(0x50, "\x06abcdefghij"))
    board:sleep(0.005)
    assert.equal("cdefghij\xff", eeprom:contents(0, 9))
  end)

  it("is deaf for 5 ms while it stores, so that one may ask when it is done", function()
    local board <close>, _, bus = wired()
    assert.is_true(bus:write(0x50, "\0x"))
    local began = board:now()
    assert.equal("ENXIO", (select(3, bus:write(0x50, ""))))
    while not bus:write(0x50, "") do
      assert.is_true(board:now() - began < 0.01)
    end
    assert.near(0.005, board:now() - began, 0.0001)
  end)

  it("keeps nothing while WP is 1", function()
    local board <close>, eeprom, bus = wired()
    local protect = assert(board:line("WP", { direction = "output", output_value = 1 }))
    assert.is_true(bus:write(0x50, "\0x"))
    assert.same({ 0, false }, { eeprom.state.writes, eeprom.state.busy })
    protect:set_value(0)
    assert.equal("\xff", bus:write_read(0x50, "\0", 1))
  end)

  it("answers at the address of its pins", function()
    local board <close>, eeprom, bus = wired()
    board:wire(eeprom:pin "A0", "VCC")
    board:wire(eeprom:pin "A2", "VCC")
    board:sleep(0.001)
    assert.equal(0x55, eeprom:address())
    assert.equal("ENXIO", (select(3, bus:read(0x50, 1))))
    assert.equal("\xff", bus:read(0x55, 1))
  end)
end)
