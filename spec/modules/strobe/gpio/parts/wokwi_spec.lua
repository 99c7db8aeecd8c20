local gpio = require "strobe.gpio"

-- The pins of Wokwi's parts, as its documentation names them.
local wokwi = {
  led = "A C", pushbutton = "1.l 1.r 2.l 2.r", ["slide-switch"] = "1 2 3", buzzer = "1 2", ["clock-generator"] = "CLK",
  ["rgb-led"] = "R COM G B", ["relay-module"] = "VCC GND IN NC COM NO", potentiometer = "GND SIG VCC",
  servo = "PWM V+ GND", ["ky-040"] = "CLK DT SW VCC GND", ["7segment"] = "A B C D E F G DP COM",
  ["74hc595"] = "DS SHCP STCP OE MR Q0 Q1 Q2 Q3 Q4 Q5 Q6 Q7 Q7S VCC GND", dht22 = "VCC SDA GND",
  ["hc-sr04"] = "VCC TRIG ECHO GND", ["flip-flop-d"] = "D CLK Q NOTQ", ["gate-not"] = "IN OUT",
  ["gate-and-2"] = "A B OUT", ["gate-or-2"] = "A B OUT", ["gate-xor-2"] = "A B OUT", ["gate-nand-2"] = "A B OUT",
  ["gate-nor-2"] = "A B OUT",
}

describe("a part in a diagram", function()
  for name, pins in pairs(wokwi) do
    it(("has the pins of Wokwi's: %s"):format(name), function()
      local diagram = {
        parts = { { id = "mega", type = "wokwi-arduino-mega" }, { id = "part", type = "wokwi-" .. name } },
        connections = {},
      }
      for pin in pins:gmatch "%S+" do
        table.insert(diagram.connections, { "mega:" .. #diagram.connections, "part:" .. pin })
      end
      local board <close> = gpio.board()
      assert.is_table(assert(board:load_diagram(diagram)).part)
      assert.equal(#diagram.connections, #board.wires)
    end)
  end
end)
