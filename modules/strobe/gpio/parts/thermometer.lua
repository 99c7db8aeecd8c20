--- A thermometer on the I2C bus with an alarm (LM75), at the address 0x48 plus what A2, A1 and A0 say.
--
-- Register 0 is the temperature, 1 the configuration (kept, and of no effect here), 2 where the alarm ends (75 °C) and
-- 3 where it begins (80 °C). The first byte written chooses one, further ones are kept in 1 to 3. Temperatures are two
-- bytes, the higher first, in steps of 0.5 °C from bit 7 up, two's complement. OS is open-drain, and 0 during the
-- alarm.

local attribute = require "strobe.gpio.attribute"
local i2c_target = require "strobe.gpio.i2c_target"
local part = require "strobe.gpio.part"

local BASE_ADDRESS = 0x48
local TEMPERATURE, CONFIGURATION, HYSTERESIS, OVERTEMPERATURE = 0, 1, 2, 3

local function encode(celsius)
  return math.floor(celsius * 2) << 7 & 0xffff
end

local function decode(register)
  local steps = register >> 7
  return (steps < 256 and steps or steps - 512) / 2
end

local function compare(self)
  local registers, state = self.registers, self.state
  if state.temperature > decode(registers[OVERTEMPERATURE]) then
    state.alarm = true
  elseif state.temperature < decode(registers[HYSTERESIS]) then
    state.alarm = false
  end
  self.line.OS:set(state.alarm and 0 or 1)
end

local function width_of(register)
  return register == CONFIGURATION and 1 or 2
end

-- A byte for the chosen register, which the bytes fill from above.
local function write(self, byte)
  local register = self.register
  if register ~= TEMPERATURE then
    local shift = 8 * (width_of(register) - 1 - self.place)
    self.registers[register] = self.registers[register] & ~(0xff << shift) | byte << shift
    self.place = (self.place + 1) % width_of(register)
    compare(self)
  end
end

local function handlers_of(self)
  local handlers, choosing = {}, false

  function handlers.address()
    return self:address()
  end

  function handlers.begin(reading)
    self.place, choosing = 0, not reading
    return true
  end

  function handlers.receive(byte)
    if choosing then
      self.register, choosing = byte & 3, false
    else
      write(self, byte)
    end
    return true
  end

  function handlers.send()
    local width = width_of(self.register)
    local byte = self.registers[self.register] >> 8 * (width - 1 - self.place) & 0xff
    self.place = (self.place + 1) % width
    return byte
  end

  return handlers
end

---@class strobe.gpio.Thermometer: strobe.gpio.Part
---@field state { temperature: number, alarm: boolean } °C
return part.kind {
  name = "thermometer",
  pins = { "SDA", "SCL", "OS", "GND", "A2", "A1", "A0", "VCC" },
  attributes = { temperature = 20 }, -- °C, -55 to 125
  start = function(self)
    self.registers = { [TEMPERATURE] = 0, [CONFIGURATION] = 0, [HYSTERESIS] = 75 << 8, [OVERTEMPERATURE] = 80 << 8 }
    self.register, self.place = TEMPERATURE, 0
    i2c_target.configure_address(self)
    self.line.OS:configure { direction = "output", drive = "open-drain", output_value = 1 }
    self.state.alarm = false
    self:set_temperature(self.attributes.temperature)
    i2c_target.attach(self, handlers_of(self))
  end,

  --- Its address on the bus.
  ---@return integer
  address = function(self)
    return i2c_target.address(self, BASE_ADDRESS)
  end,

  --- Makes it warmer or colder.
  ---@param temperature number °C
  set_temperature = function(self, temperature)
    self.state.temperature = attribute.check("thermometer: temperature", temperature, -55, 125)
    self.registers[TEMPERATURE] = encode(temperature)
    compare(self)
  end,
}
