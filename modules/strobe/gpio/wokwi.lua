--- What Wokwi calls its parts, their pins and attributes, and what stands for them here.
--
-- Sources: the pages of its documentation, one for each part; wokwi-elements and wokwi-boards for pins that those leave
-- out; for the gates the netlists that its projects export.

local wokwi = {}

-- --- Microcontrollers --------------------------------------------------------------------------------

local function numbered(prefix, last, list)
  for i = 0, last do
    list[#list + 1] = prefix .. i
  end
  return list
end

local pico = { pins = numbered("GP", 28, {}), other_names = { TP4 = "GP23", TP5 = "GP25" } }

---@class strobe.gpio.Microcontroller
---@field pins string[] those a board without any gets
---@field other_names? table<string, string|false> of its pins; false: what cannot be used

--- Microcontrollers by type: they are the board itself.
---@type table<string, strobe.gpio.Microcontroller>
wokwi.boards = {
  ["wokwi-arduino-uno"] = { pins = numbered("A", 5, numbered("", 13, {})) },
  ["wokwi-arduino-nano"] = { pins = numbered("A", 7, numbered("", 13, {})) },
  ["wokwi-arduino-mega"] = { pins = numbered("A", 15, numbered("", 53, {})) },
  ["wokwi-attiny85"] = { pins = numbered("PB", 5, {}) },
  ["wokwi-pi-pico"] = pico,
  ["board-pi-pico-w"] = pico,
  ["wokwi-esp32-devkit-v1"] = {
    pins = numbered("D", 39, {}),
    other_names = { TX0 = "D1", RX0 = "D3", RX2 = "D16", TX2 = "D17", VP = "D36", VN = "D39" },
  },
  ["board-esp32-devkit-c-v4"] = {
    pins = numbered("", 39, {}),
    other_names = {
      TX = "1", RX = "3", VP = "36", VN = "39", D0 = false, D1 = false, D2 = false, D3 = false, CMD = false,
      CLK = false, -- those of its flash memory
    },
  },
  ["board-esp32-s3-devkitc-1"] = { pins = numbered("", 48, {}), other_names = { TX = "43", RX = "44" } },
  ["board-esp32-c3-devkitm-1"] = { pins = numbered("", 21, {}), other_names = { TX = "21", RX = "20" } },
}

--- Pins of microcontrollers that do nothing in a simulation.
wokwi.idle = {
  AREF = true, IOREF = true, RESET = true, RST = true, EN = true, RUN = true, ["3V3_EN"] = true, ADC_VREF = true,
}

local voltages = { VIN = true, VSYS = true, VBUS = true }

--- The rail that a pin of that name is on, of a microcontroller or of a supply: "GND", "VCC", or nil.
---@param pin string
---@return string?
function wokwi.rail(pin)
  if pin:find "^GND" then
    return "GND"
  elseif pin:find "^VCC" or pin:find "^5V" or pin:find "^3%.?[3V]" or voltages[pin] then
    return "VCC"
  end
end

-- --- Attributes: each converter gives our value; nil, what it should be, for one that is none ----------

local factors = { [""] = 1, k = 1e3, m = 1e6 }

--- A number, as "10", "4.7k" or "1.3m": thousands and millions.
---@param value any
---@return number?
---@return string? expected
function wokwi.number(value)
  local digits, suffix = tostring(value):lower():match "^(.-)([km]?)$"
  local number = tonumber(digits)
  if not number then
    return nil, "a number"
  end
  return number * factors[suffix]
end

-- One of a few words.
local function one_of(words, expected)
  return function(value)
    return words[tostring(value)], expected
  end
end

-- It bounces for a millisecond, unless it is told not to.
local function bounce(value)
  return tostring(value) == "0" and 0 or 0.001
end

local function knob(value)
  local number = wokwi.number(value)
  if not number or number < 0 or number > 1023 then
    return nil, "0 to 1023"
  end
  return number / 1023
end

-- --- Parts --------------------------------------------------------------------------------------------

---@class strobe.gpio.WokwiPart
---@field kind string ours
---@field pins? table<string, string|false> those that have other names here; false: joined to nothing
---@field attributes? table<string, {name: string, convert: function}> those that mean something else here
---@field defaults? table<string, any> of theirs, where ours are others

local button = {
  kind = "button", pins = { ["1.l"] = "1", ["1.r"] = "1", ["2.l"] = "2", ["2.r"] = "2" },
  attributes = { bounce = { name = "bounce", convert = bounce } }, defaults = { bounce = "" },
}
local potentiometer = {
  kind = "potentiometer", attributes = { value = { name = "position", convert = knob } }, defaults = { value = "0" },
}

--- Parts by type.
---@type table<string, strobe.gpio.WokwiPart>
wokwi.parts = {
  ["wokwi-led"] = { kind = "led", pins = { A = "anode", C = "cathode" } },
  ["wokwi-pushbutton"] = button,
  ["wokwi-pushbutton-6mm"] = button,
  ["wokwi-slide-switch"] = {
    kind = "switch", defaults = { bounce = "" },
    attributes = {
      bounce = { name = "bounce", convert = bounce },
      value = { name = "position", convert = one_of({ [""] = 1, ["0"] = 1, ["1"] = 3 }, '"" or "1"') },
    },
  },
  ["wokwi-buzzer"] = { kind = "buzzer" },
  ["wokwi-clock-generator"] = { kind = "clock", pins = { CLK = "OUT" }, defaults = { frequency = "10k" } },
  ["wokwi-rgb-led"] = { kind = "rgb_led" },
  ["wokwi-relay-module"] = {
    kind = "relay",
    attributes = {
      transistor = { name = "trigger", convert = one_of({ npn = "high", pnp = "low" }, '"npn" or "pnp"') },
    },
  },
  ["wokwi-ks2e-m-dc5"] = { kind = "dpdt_relay" },
  ["wokwi-potentiometer"] = potentiometer,
  ["wokwi-slide-potentiometer"] = potentiometer,
  ["wokwi-servo"] = { kind = "servo", defaults = { angle = 0 } },
  ["wokwi-ky-040"] = { kind = "rotary_encoder" },
  ["wokwi-7segment"] = {
    kind = "seven_segment", pins = { ["COM.1"] = "COM", ["COM.2"] = "COM" },
    attributes = { digits = { convert = one_of({ ["1"] = "1" }, "one digit") } },
  },
  ["wokwi-74hc595"] = { kind = "shift_register" },
  ["wokwi-dht22"] = { kind = "dht22", pins = { NC = false } },
  ["wokwi-hc-sr04"] = { kind = "hc_sr04", defaults = { distance = "400" } },
  ["wokwi-flip-flop-d"] = { kind = "flip_flop", pins = { NOTQ = "QN" } },
  ["wokwi-gate-not"] = { kind = "inverter" },
  ["wokwi-gate-and-2"] = { kind = "and" },
  ["wokwi-gate-or-2"] = { kind = "or" },
  ["wokwi-gate-nand-2"] = { kind = "nand" },
  ["wokwi-gate-nor-2"] = { kind = "nor" },
  ["wokwi-gate-xor-2"] = { kind = "xor" },
}

--- What only looks, and does nothing.
wokwi.drawn = { ["wokwi-text"] = true, ["wokwi-logic-analyzer"] = true }

--- Supplies: their pin is a rail.
wokwi.supplies = { ["wokwi-vcc"] = true, ["wokwi-gnd"] = true }

local function strip(pin)
  return pin:match "^[^.]+" or pin -- "12t.a" and "12t.e" are one
end

local function all_joined()
  return "joint"
end

--- What only joins wires, and which of its pins are one.
---@type table<string, fun(pin: string): string>
wokwi.joints = {
  ["wokwi-junction"] = all_joined,
  ["wokwi-breadboard"] = strip, ["wokwi-breadboard-half"] = strip, ["wokwi-breadboard-mini"] = strip,
}

local function sorted(...)
  local list = {}
  for _, set in ipairs { ... } do
    for name in pairs(set) do
      list[#list + 1] = name
    end
  end
  table.sort(list)
  return list
end

--- The types that are known, for a message.
---@return string
function wokwi.known()
  return table.concat(sorted(wokwi.parts, wokwi.boards, wokwi.joints, wokwi.supplies, wokwi.drawn,
    { ["wokwi-resistor"] = true }), ", ")
end

return wokwi
