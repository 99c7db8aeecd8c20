local gpio = require "strobe.gpio"

local US = 1e-6
local ROUNDS = 1500

local kinds = {
  "adc", "and", "button", "buzzer", "clock", "dht22", "dpdt_relay", "eeprom", "flip_flop", "hc_sr04", "inverter", "led",
  "nand", "nor", "or", "potentiometer", "relay", "rgb_led", "rotary_encoder", "servo", "seven_segment",
  "shift_register", "switch", "thermometer", "xor",
}

-- Drives all pins of a part with whatever comes, for a while; returns the part.
local function bombard(kind, seed)
  local board <close> = gpio.board { pins = 20, seed = seed }
  local part, lines = board:add(kind), {}
  for i, pin in ipairs(part.pins) do
    lines[i] = assert(board:line(i - 1, { direction = "output", output_value = "z" }))
    board:wire(lines[i], part:pin(pin))
  end
  local levels = { 0, 1, 0, 1, 0, 1, "z", "x" }
  for _ = 1, ROUNDS do
    for _ = 1, board:random(1, 3) do
      lines[board:random(1, #lines)]:set_value(levels[board:random(1, #levels)])
    end
    assert(board:sleep(board:random(1, 4) == 1 and 3000 * US or board:random() * 20 * US))
  end
  return part
end

describe("a part", function()
  for _, kind in ipairs(kinds) do
    it(("takes whatever comes at its pins: %s"):format(kind), function()
      assert.is_nil(bombard(kind, 1).failure)
      assert.is_nil(bombard(kind, 2).failure)
    end)
  end
end)
