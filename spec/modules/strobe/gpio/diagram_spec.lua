local errors = require "spec.support.errors"
local gpio = require "strobe.gpio"

local BUTTON_AND_LED = [==[{
  "version": 1, "author": "somebody", "editor": "wokwi",
  "parts": [
    { "id": "uno", "type": "wokwi-arduino-uno", "top": 1, "left": 2, "attrs": {} },
    { "id": "led1", "type": "wokwi-led", "attrs": { "color": "green", "flip": "1" } },
    { "id": "r1", "type": "wokwi-resistor", "attrs": { "value": "220" } },
    { "id": "r2", "type": "wokwi-resistor", "attrs": { "value": "10000" } },
    { "id": "btn1", "type": "wokwi-pushbutton", "attrs": { "color": "green", "bounce": "0" } },
    { "id": "t", "type": "wokwi-text", "attrs": { "text": "hello" } }
  ],
  "connections": [
    [ "uno:13", "r1:1", "green", [ "v0" ] ],
    [ "r1:2", "led1:A", "", [] ],
    [ "led1:C", "uno:GND.1", "black", [] ],
    [ "uno:2", "btn1:1.l", "", [] ],
    [ "btn1:2.r", "uno:5V", "", [] ],
    [ "r2:1", "btn1:1.r", "", [] ],
    [ "r2:2", "uno:GND.2", "", [] ],
    [ "$serialMonitor:RX", "uno:1", "", [] ]
  ]
}]==]

describe("a diagram", function()
  it("puts its parts, wires and pulls on the board", function()
    local board <close> = gpio.board { name = "uno" }
    local parts = assert(board:load_diagram(BUTTON_AND_LED))
    local a = board:arduino()
    board:sketch {
      setup = function()
        a.pinMode(13, a.OUTPUT)
        a.pinMode(2, a.INPUT)
      end,
      loop = function()
        a.digitalWrite(13, a.digitalRead(2))
        a.delay(1)
      end,
    }
    local lit = {}
    for i, act in ipairs { "is_pressed", "press", "release" } do
      parts.btn1[act](parts.btn1)
      board:sleep(0.01)
      lit[i] = parts.led1.state.lit
    end
    assert.same({ false, true, false }, lit)
    assert.equal("green", parts.led1.state.color)
    assert.same({}, board:check())
  end)

  it("finds the board's pins by number or as D and a number", function()
    local board <close> = gpio.board { pins = { "D2", "13" } }
    assert(board:load_diagram {
      parts = { { id = "esp", type = "wokwi-esp32-devkit-v1" }, { id = "l", type = "wokwi-led" } },
      connections = { { "esp:2", "l:A" }, { "esp:D13", "l:C" } },
    })
    assert.equal("D2", board:line_info("l.anode").net)
    assert.equal("13", board:line_info("l.cathode").net)
  end)

  it("takes kinds of one's own", function()
    local board <close> = gpio.board {}
    local kind = require("strobe.gpio.part").kind {
      name = "chip", pins = { "X" }, attributes = { frequency = 1, text = "a" },
    }
    local function load(attributes)
      return board:load_diagram({
        parts = { { id = "c", type = "chip-mine", attrs = attributes } }, connections = {},
      }, { ["chip-mine"] = kind })
    end
    assert.matches("parts%[1%] c: attrs.frequency: a number expected, got often",
      select(2, load { frequency = "often" }))
    local parts = assert(load { frequency = "4.7k", text = "b", unknown = "c" })
    assert.equal("chip", parts.c.kind)
    assert.same({ frequency = 4700.0, text = "b" }, {
      frequency = parts.c.attributes.frequency, text = parts.c.attributes.text,
    })
  end)

  it("says which part has a value that it cannot have", function()
    local board <close> = gpio.board { name = "b" }
    local kind = require("strobe.gpio.part").kind {
      name = "picky", pins = function() error("chip: size: 1 to 4 expected, got 9", 0) end, attributes = { size = 1 },
    }
    local parts, message, code = board:load_diagram({
      parts = { { id = "c", type = "chip-picky", attrs = { size = "9" } } }, connections = {},
    }, { ["chip-picky"] = kind })
    assert.same({ nil, "board b: diagram: parts[1] c: chip: size: 1 to 4 expected, got 9", "EBADMSG" },
      { parts, message, code })
  end)

  describe("with a mistake", function()
    local UNO = '{"id":"u","type":"wokwi-arduino-uno"},{"id":"l","type":"wokwi-led"}'

    local function refused(text)
      local board <close> = gpio.board { name = "b" }
      local parts, message, code = board:load_diagram(text)
      assert.same({ nil, "EBADMSG" }, { parts, code })
      assert.same({ 0, 0 }, { board:stats().lines, #board.parts })
      return message
    end

    local function connected(a, b)
      return refused(('{"parts":[%s],"connections":[["%s","%s"]]}'):format(UNO, a, b))
    end

    it("names the place in the text", function()
      assert.matches("board b: diagram: json: .* at character 12", refused '{"parts": [}')
      assert.matches("diagram: json", refused "")
      assert.matches("parts: a list expected, got number", refused '{"parts": 1}')
      assert.matches("connections: a list expected, got nil", refused '{"parts": []}')
      assert.matches("an object with parts", refused "7")
    end)

    it("names parts that are unknown", function()
      assert.matches("parts%[1%]: id and type expected", refused '{"parts":[{"id":"x"}]}')
      assert.matches("parts%[1%]: an object expected", refused '{"parts":[1]}')
      assert.matches("parts%[1%] x %(wokwi%-nope%): there is no part for it; known are .*wokwi%-74hc595",
        refused '{"parts":[{"id":"x","type":"wokwi-nope"}],"connections":[]}')
      assert.matches("parts%[3%] l: the id is there twice",
        refused('{"parts":[' .. UNO .. ',{"id":"l","type":"wokwi-led"}],"connections":[]}'))
    end)

    it("names parts that cannot be on the board", function()
      local function only(part)
        return refused(('{"parts":[%s],"connections":[]}'):format(part))
      end
      assert.matches("parts%[1%] a.b: id: up to 31 bytes without dot and colon expected",
        only '{"id":"a.b","type":"wokwi-led"}')
      assert.matches("parts%[1%] : id: up to 31 bytes", only '{"id":"","type":"wokwi-led"}')
      assert.matches("id: up to 31 bytes", only(('{"id":"%s","type":"wokwi-led"}'):format(("a"):rep(32))))
      assert.matches("parts%[1%] b: board b has a b already", only '{"id":"b","type":"wokwi-led"}')
      assert.matches("parts%[2%] v: the board is a wokwi%-arduino%-uno already",
        only '{"id":"u","type":"wokwi-arduino-uno"},{"id":"v","type":"wokwi-pi-pico"}')
    end)

    it("is refused in time, however large it is", function()
      local many = {}
      for i = 1, 10001 do
        many[i] = '{"id":"l' .. i .. '","type":"wokwi-led"}'
      end
      local text = ('{"parts":[%s],"connections":[]}'):format(table.concat(many, ","))
      assert.matches("parts: more than 10000", refused(text))
      assert.matches("the text is longer than 4194304 bytes", refused((" "):rep(4194305)))
      assert.matches("diagram: json", refused(("["):rep(100000)))
    end)

    it("names connections and their pins", function()
      assert.matches("connections%[1%]: board b has no pin 14; it has 0, 1", connected("u:14", "l:A"))
      assert.matches("connections%[1%]: l %(wokwi%-led%) has no pin B; it has anode, cathode", connected("u:13", "l:B"))
      assert.matches("connections%[1%]: there is no part y", connected("u:13", "y:A"))
      assert.matches('connections%[1%]: "u13" is no PART:PIN', connected("u13", "l:A"))
      assert.matches("connections%[1%]: a list expected", refused('{"parts":[' .. UNO .. '],"connections":[1]}'))
      assert.matches("connections%[1%]: a text such as", refused('{"parts":[' .. UNO .. '],"connections":[[1,2]]}'))
    end)

    it("names attributes that their part refuses, and puts nothing on the board", function()
      local board <close> = gpio.board { name = "b" }
      local good, message, code = board:load_diagram {
        parts = {
          { id = "l", type = "wokwi-led" },
          { id = "c", type = "wokwi-clock-generator", attrs = { frequency = "-1" } },
        },
        connections = {},
      }
      assert.same({ nil, "EBADMSG", 0, {} }, { good, code, #board.parts, board:nets() })
      assert.equal("board b: diagram: parts[2] c: frequency: 1e-06 to 1e+09 expected, got -1",
        message)
    end)

    it("is refused as what it is not", function()
      local board <close> = gpio.board {}
      assert.matches("a text or a table expected, got nil", errors.raised_by(board.load_diagram, board))
    end)
  end)
end)
