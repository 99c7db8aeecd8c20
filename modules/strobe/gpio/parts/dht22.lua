--- A sensor of temperature and humidity on one wire (DHT22, also AM2302).
--
-- The wire SDA is pulled up; both ends only ever pull it down. The host asks by holding it at 0 for 0.8 ms or more.
-- 30 µs after it lets go the sensor answers: 80 µs at 0, 80 µs at 1, then 40 bits, first the highest: each 50 µs at
-- 0 and then 26 µs (a 0) or 70 µs (a 1) at 1; 50 µs at 0 end it. Humidity and temperature are 16 bits in tenths,
-- bit 15 of the temperature is its sign; the last byte is the sum of the other four.

local attribute = require "strobe.gpio.attribute"
local part = require "strobe.gpio.part"

local US = 1e-6
local START_NS = 800 * 1000

local function tenths(value)
  return math.floor(math.abs(value) * 10 + 0.5)
end

-- The 40 bits.
local function frame(state)
  local humidity, temperature = tenths(state.humidity), tenths(state.temperature)
  if state.temperature < 0 and temperature > 0 then
    temperature = temperature | 0x8000
  end
  local sum = (humidity >> 8) + humidity + (temperature >> 8) + temperature & 0xff
  return humidity << 24 | temperature << 8 | sum
end

-- Pulls the wire down, then lets it go, for so many µs each.
local function pulse(self, low, high)
  self.line.SDA:set(0)
  self.board:sleep(low * US)
  self.line.SDA:set(1)
  self.board:sleep(high * US)
end

local function answer(self)
  local bits = frame(self.state)
  self.board:sleep(30 * US)
  pulse(self, 80, 80)
  for i = 39, 0, -1 do
    pulse(self, 50, bits >> i & 1 == 1 and 70 or 26)
  end
  pulse(self, 50, 0)
  self.state.busy = false
end

---@class strobe.gpio.Dht22: strobe.gpio.Part
---@field state { temperature: number, humidity: number, busy: boolean } °C, %
return part.kind {
  name = "dht22",
  pins = { "VCC", "SDA", "GND" },
  attributes = {
    temperature = 24, -- °C, -40 to 80
    humidity = 40, -- %, 0 to 100
  },
  start = function(self)
    self:set(self.attributes.temperature, self.attributes.humidity)
    self.state.busy = false
    self.line.SDA:configure { direction = "output", drive = "open-drain", bias = "pull-up", output_value = 1 }
    local fell
    self:on_edge("SDA", "change", function(level, time)
      if self.state.busy then
        return
      elseif level == "0" then
        fell = time
      elseif level == "1" and fell and time - fell >= START_NS then
        self.state.busy, fell = true, nil
        self:task(answer)
      end
    end)
  end,

  --- Changes the weather.
  ---@param temperature number °C, -40 to 80
  ---@param humidity number %, 0 to 100
  set = function(self, temperature, humidity)
    attribute.check("dht22: temperature", temperature, -40, 80)
    attribute.check("dht22: humidity", humidity, 0, 100)
    self.state.temperature, self.state.humidity = temperature, humidity
  end,
}
