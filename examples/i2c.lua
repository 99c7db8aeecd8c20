-- A memory chip on an I2C bus, as with Wire.h: two wires, SDA and SCL, that are pulled up, and that everybody only ever
-- pulls down (open-drain). The program is the controller; the EEPROM at address 0x50 keeps what it is told.
-- Run it: strobe examples/i2c.lua, or in no time at all: strobe --clock=virtual …

local gpio = require "strobe.gpio"
local i2c = require "strobe.gpio.i2c"

local board <close> = gpio.board { name = "uno", pins = { "A4", "A5" } }

board:add("eeprom", { name = "memory" })
board:wire("A4", "memory.SDA")
board:wire("A5", "memory.SCL")
board:wire("memory.VCC", "VCC")
board:wire("memory.GND", "GND")

-- Wire.begin()
local bus <close> = assert(i2c.controller(board, { sda = "A4", scl = "A5", frequency = 100e3 }))

for _, address in ipairs(assert(bus:scan())) do
  print(("somebody answers at 0x%02x"):format(address))
end

-- Wire.beginTransmission(0x50), write(…), endTransmission(): the first byte is where to begin, the next are kept there.
assert(bus:write(0x50, "\x10strobe"))
local _, message = bus:read(0x50, 1)
print("while it stores them, 5 ms: " .. message)
board:sleep(0.005)

local start = board:now()
print("read back: " .. assert(bus:write_read(0x50, "\x10", 6)))
print(("that took %.2f ms: 9 bytes of 9 clocks, 10 µs each, and start and stop"):format((board:now() - start) * 1000))

_, message = bus:write(0x51, "")
print("another address: " .. message)
