local gpio = require "strobe.gpio"
local parts = require "strobe.gpio.part"
local wokwi = require "strobe.gpio.wokwi"

-- The pins of Wokwi's parts, as its documentation names them.
local documented = {
  led = "A C", pushbutton = "1.l 1.r 2.l 2.r", ["pushbutton-6mm"] = "1.l 1.r 2.l 2.r", ["slide-switch"] = "1 2 3",
  buzzer = "1 2", ["clock-generator"] = "CLK", ["rgb-led"] = "R COM G B", ["relay-module"] = "VCC GND IN NC COM NO",
  ["ks2e-m-dc5"] = "COIL1 COIL2 P1 NC1 NO1 P2 NC2 NO2", potentiometer = "GND SIG VCC",
  ["slide-potentiometer"] = "GND SIG VCC", servo = "PWM V+ GND", ["ky-040"] = "CLK DT SW VCC GND",
  ["7segment"] = "A B C D E F G DP COM COM.1 COM.2",
  ["74hc595"] = "DS SHCP STCP OE MR Q0 Q1 Q2 Q3 Q4 Q5 Q6 Q7 Q7S VCC GND", dht22 = "VCC SDA NC GND",
  ["hc-sr04"] = "VCC TRIG ECHO GND", ["flip-flop-d"] = "D CLK Q NOTQ", ["gate-not"] = "IN OUT",
  ["gate-and-2"] = "A B OUT", ["gate-or-2"] = "A B OUT", ["gate-xor-2"] = "A B OUT", ["gate-nand-2"] = "A B OUT",
  ["gate-nor-2"] = "A B OUT",
}

-- A board with one part, "part", that is wired to pins of a microcontroller.
local function load(name, attributes, pins)
  local diagram = {
    parts = {
      { id = "mega", type = "wokwi-arduino-mega" }, { id = "part", type = "wokwi-" .. name, attrs = attributes },
    },
    connections = {},
  }
  for pin in (pins or ""):gmatch "%S+" do
    table.insert(diagram.connections, { "mega:" .. #diagram.connections, "part:" .. pin })
  end
  local board = gpio.board()
  local added, message = board:load_diagram(diagram)
  return board, added and added.part, message
end

describe("a part in a diagram", function()
  for name, pins in pairs(documented) do
    it(("has the pins of Wokwi's: %s"):format(name), function()
      local board <close>, part = load(name, nil, pins)
      assert.is_table(part)
      assert.is_nil(part.failure)
      local _, count = pins:gsub("%S+", "")
      assert.equal(count - (name == "dht22" and 1 or 0), #board.wires) -- its NC is joined to nothing
    end)
  end

  it("is documented, as all that are known here", function()
    for type in pairs(wokwi.parts) do
      assert.is_string(documented[type:gsub("^wokwi%-", "")], type)
    end
  end)

  local function attribute(name, attributes, ours)
    local board <close>, part = load(name, attributes) -- luacheck: ignore
    return part.attributes[ours]
  end

  it("has the defaults of Wokwi's", function()
    assert.equal(10000.0, attribute("clock-generator", {}, "frequency"))
    assert.equal(400, attribute("hc-sr04", {}, "distance"))
    assert.equal(0, attribute("potentiometer", {}, "position"))
    assert.equal(0.001, attribute("pushbutton", {}, "bounce"))
    assert.equal(1, attribute("slide-switch", {}, "position"))
    assert.equal("high", attribute("relay-module", {}, "trigger"))
    assert.equal(0, attribute("servo", {}, "angle"))
    assert.equal("anode", attribute("rgb-led", {}, "common"))
  end)

  it("takes attributes for what they mean with Wokwi's", function()
    for given, frequency in pairs { ["10k"] = 1e4, ["1.3m"] = 1.3e6, ["1M"] = 1e6, ["1"] = 1, ["2e3"] = 2000 } do
      assert.equal(frequency, attribute("clock-generator", { frequency = given }, "frequency"))
    end
    assert.equal(1, attribute("potentiometer", { value = "1023" }, "position"))
    assert.equal(0.5, attribute("slide-potentiometer", { value = 511.5, travelLength = "60" }, "position"))
    assert.equal(0, attribute("pushbutton", { bounce = "0" }, "bounce"))
    assert.equal(3, attribute("slide-switch", { value = "1" }, "position"))
    assert.equal("low", attribute("relay-module", { transistor = "pnp" }, "trigger"))
    assert.equal(-5, attribute("dht22", { temperature = "-5" }, "temperature"))
    assert.equal("cathode", attribute("7segment", { common = "cathode", digits = "1" }, "common"))
  end)

  it("is refused with attributes that it cannot have", function()
    local function refused(name, attributes)
      local board <close>, part, message = load(name, attributes) -- luacheck: ignore
      assert.is_nil(part)
      return message
    end
    assert.matches("parts%[2%] part: attrs.frequency: a number expected, got fast$",
      refused("clock-generator", { frequency = "fast" }))
    assert.matches("attrs.value: 0 to 1023 expected, got 2000$", refused("potentiometer", { value = "2000" }))
    assert.matches('attrs.value: "" or "1" expected, got 2$', refused("slide-switch", { value = "2" }))
    assert.matches('attrs.transistor: "npn" or "pnp" expected, got jfet$',
      refused("relay-module", { transistor = "jfet" }))
    assert.matches("attrs.digits: one digit expected, got 4$", refused("7segment", { digits = "4" }))
    assert.matches("attrs.color: a string expected, got 7$", refused("led", { color = 7 }))
    assert.matches("attrs: an object expected$", refused("led", "red"))
  end)

  it("stands for a kind that there is", function()
    for type, stand_in in pairs(wokwi.parts) do
      assert.is_table(parts.find(stand_in.kind), type)
    end
  end)
end)

describe("a microcontroller in a diagram", function()
  -- What is joined to the pins of a board; "-" for nothing.
  local function joined(type, pins)
    local board <close> = gpio.board()
    local list = {}
    for pin in pins:gmatch "%S+" do
      list[#list + 1] = { "it:" .. pin, ("led%d:A"):format(#list) }
    end
    local all = { { id = "it", type = type } }
    for i = 0, #list - 1 do
      all[#all + 1] = { id = "led" .. i, type = "wokwi-led" }
    end
    assert(board:load_diagram { parts = all, connections = list })
    local nets = {}
    for i = 0, #list - 1 do
      local net = board:line_info(("led%d.anode"):format(i)).net
      nets[#nets + 1] = net:find "^led" and "-" or net
    end
    return table.concat(nets, " ")
  end

  it("has its supplies, and pins with other names", function()
    assert.equal("GND GND VCC VCC VCC 13 A4 - -",
      joined("wokwi-arduino-uno", "GND.1 GND.3 5V 3.3V VIN 13 A4.2 AREF RESET"))
    assert.equal("12 A7 VCC GND -", joined("wokwi-arduino-nano", "12.2 A7 5V.2 GND.3 RESET.3"))
    assert.equal("53 A15 VCC", joined("wokwi-arduino-mega", "53 A15 5V.1"))
    assert.equal("PB0 VCC GND", joined("wokwi-attiny85", "PB0 VCC GND"))
    assert.equal("GP0 GP28 GP25 VCC VCC VCC GND -", joined("wokwi-pi-pico", "GP0 GP28 TP5 3V3 VSYS VBUS GND.8 RUN"))
    assert.equal("D16 D1 D36 D2 VCC -", joined("wokwi-esp32-devkit-v1", "RX2 TX0 VP D2 3V3 EN"))
    assert.equal("1 36 2 VCC VCC - -", joined("board-esp32-devkit-c-v4", "TX VP 2 3V3 5V CMD D2"))
    assert.equal("43 48 VCC -", joined("board-esp32-s3-devkitc-1", "TX 48 3V3.2 RST"))
  end)
end)

describe("what joins wires in a diagram", function()
  it("is a junction, a breadboard's strip, or a supply", function()
    local board <close> = gpio.board()
    local added = assert(board:load_diagram {
      parts = {
        { id = "uno", type = "wokwi-arduino-uno" }, { id = "bb1", type = "wokwi-breadboard" },
        { id = "j1", type = "wokwi-junction" }, { id = "pwr", type = "wokwi-vcc" }, { id = "gnd", type = "wokwi-gnd" },
        { id = "l1", type = "wokwi-led" }, { id = "l2", type = "wokwi-led" }, { id = "r1", type = "wokwi-resistor" },
        { id = "bb2", type = "wokwi-breadboard-mini" }, { id = "probe", type = "wokwi-logic-analyzer" },
      },
      connections = {
        { "uno:2", "j1:J" }, { "j1:J", "l1:A" }, { "j1:J", "bb1:3t.a" }, { "bb1:3t.e", "l2:A" }, { "probe:D0", "j1:J" },
        { "gnd:GND", "bb1:tn.1" }, { "bb1:tn.25", "l1:C" }, { "bb1:tn.2", "l2:C" },
        { "pwr:VCC", "bb1:tp.1" }, { "bb1:tp.9", "r1:1" }, { "r1:2", "uno:3" },
      },
    })
    local function net(pin)
      return board:line_info(pin).net
    end
    assert.same({ "2", "2", "GND", "GND" }, { net "l1.anode", net "l2.anode", net "l1.cathode", net "l2.cathode" })
    assert.same({ "joint", 3, 0 }, { added.bb1.kind, #added.bb1.pins, #added.bb2.pins })
    board:sleep(0.001)
    assert.equal("1", board.pins["3"].core:level()) -- r1 pulls it up
    assert.same({}, board:check())
  end)
  it("may have pins of any name", function()
    local board <close> = gpio.board()
    local added = assert(board:load_diagram {
      parts = { { id = "bb1", type = "wokwi-breadboard" } },
      connections = { { "bb1:.", "bb1:.a" }, { "bb1::", "bb1:é" } },
    })
    assert.same({ ".", ".a", ":", "é" }, added.bb1.pins)
  end)
end)
