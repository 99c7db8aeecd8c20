--- Three LEDs in one: red, green and blue, each lit while its pin and COM differ in the right way.
--
-- COM goes to GND where the attribute `common` is "cathode", to VCC where it is "anode". `state.red`, `state.green`
-- and `state.blue` are what one sees, 0 to 1; `state.color` the same as in web pages, "#ff8000".

local attribute = require "strobe.gpio.attribute"
local brightness = require "strobe.gpio.brightness"
local part = require "strobe.gpio.part"

local colors = { R = "red", G = "green", B = "blue" }

local function byte(share)
  return math.floor(share * 255 + 0.5)
end

local function add_light(self, pin, on, off)
  local eye = brightness.new(self, function(seen)
    local state = self.state
    state[colors[pin]] = seen
    state.color = ("#%02x%02x%02x"):format(byte(state.red), byte(state.green), byte(state.blue))
  end)
  local function look()
    eye:switch(self.line[pin]:level() == on and self.line.COM:level() == off)
  end
  self:on_edge(pin, "change", look)
  self:on_edge("COM", "change", look)
end

---@class strobe.gpio.RgbLed: strobe.gpio.Part
---@field state { red: number, green: number, blue: number, color: string } 0 to 1
return part.kind {
  name = "rgb_led",
  pins = { "R", "COM", "G", "B" },
  attributes = { common = "anode" }, -- or "cathode"
  start = function(self)
    local on, off = "1", "0"
    if attribute.one_of(self, "common", "anode", "cathode") == "anode" then
      on, off = off, on
    end
    self.state.red, self.state.green, self.state.blue, self.state.color = 0, 0, 0, "#000000"
    for _, pin in ipairs { "R", "G", "B" } do
      add_light(self, pin, on, off)
    end
  end,
}
