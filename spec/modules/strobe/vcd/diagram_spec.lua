local diagram = require "strobe.vcd.diagram"
local terminal = require "strobe.vcd.terminal"
local vcd = require "strobe.vcd"
local wavedrom = require "strobe.vcd.wavedrom"
local json = require "strobe.json"

local text = [[
$timescale 1 us $end
$scope module board $end
$var wire 1 ! led $end $var wire 1 " sda $end $var wire 8 # bus [7:0] $end
$var real 64 $ level $end $var string 0 % state $end $var event 1 & irq $end
$upscope $end $enddefinitions $end
#0 $dumpvars 0! z" bxxxxxxxx # r0 $ s % $end
#10 1! 0" b00001111 # r1.5 $ s<on&off> % 1&
#20 0! x" bz # r-1 $
#30 1! 1" b0 # 1&
#40
]]

local trace = assert(vcd.read(text))

-- 10,000 edges, each 100 us after the one before.
local function pwm()
  local parts = { "$timescale 1 us $end $var wire 1 ! pwm $end $enddefinitions $end" }
  for i = 0, 9999 do
    parts[#parts + 1] = ("#%d %d!"):format(i * 100, i % 2)
  end
  return assert(vcd.read(table.concat(parts, "\n") .. "\n#1000000\n"))
end

local function labels(from, to, most)
  local list = {}
  for i, tick in ipairs(diagram.ticks(from, to, most)) do
    list[i] = tick.label
  end
  return table.concat(list, " ")
end

describe("a timing diagram", function()
  it("is SVG with the names, the scopes and the values", function()
    local svg = assert(diagram.svg(trace))
    assert.matches("^<svg xmlns=", svg)
    assert.matches("</svg>\n$", svg)
    for _, name in ipairs { "board", "led", "sda", "bus[7:0]", "level", "state", "irq", "0F", "00", "20 µs" } do
      assert.truthy(svg:find(">" .. name .. "</text>", 1, true), name)
    end
    for _, class in ipairs { "wire", "high", "x", "z", "bus", "real", "event", "grid" } do
      assert.truthy(svg:find(('class="%s"'):format(class), 1, true), class)
    end
  end)

  it("does not let a trace write markup", function()
    local svg = assert(diagram.svg(trace))
    assert.truthy(svg:find("&lt;on&amp;off&gt;", 1, true))
    assert.is_nil(svg:find("<on", 1, true))
  end)

  it("is the same, byte for byte, for the same trace", function()
    assert.equal(diagram.svg(trace), diagram.svg(assert(vcd.read(text))))
  end)

  it("follows the reader's light or dark, unless told", function()
    assert.truthy(diagram.svg(trace):find("prefers-color-scheme:dark", 1, true))
    assert.is_nil(diagram.svg(trace, { dark = true }):find("prefers-color-scheme", 1, true))
  end)

  it("draws what is faster than a pixel as one block with its count", function()
    local svg = assert(diagram.svg(pwm()))
    assert.truthy(svg:find("10000×", 1, true))
    assert.is_true(#svg < 5000, #svg)
    local part = assert(diagram.svg(pwm(), { from = 0, to = 1000000 }))
    assert.is_nil(part:find("×", 1, true))
  end)

  it("shows only the signals asked for", function()
    local svg = assert(diagram.svg(trace, { signals = { "board.led" } }))
    assert.is_nil(svg:find(">sda<", 1, true))
    local none, message, code = diagram.svg(trace, { signals = { "q" } })
    assert.is_nil(none)
    assert.matches("there is no signal 'q'; there are: board.led, board.sda", message)
    assert.equal("ENOENT", code)
  end)

  it("has ticks that people like", function()
    assert.equal("0 20 ms 40 ms 60 ms 80 ms 100 ms", labels(0, 100000000, 8))
    assert.equal("0 0.5 s 1.0 s 1.5 s", labels(0, 1600000000, 4))
    assert.equal("7 ns 8 ns 9 ns", labels(7, 9, 2))
  end)

  it("of an empty trace is empty, not an error", function()
    local empty = assert(vcd.read "$enddefinitions $end")
    assert.matches("</svg>\n$", assert(diagram.svg(empty)))
    assert.is_string(terminal.text(empty))
    assert.is_string(wavedrom.json(empty))
  end)
end)

describe("a diagram in the terminal", function()
  it("is one line for each signal", function()
    local lines = {
      "            ╵0",
      "board.led   ▁▁▁▁▁▁▁▔▔▔▔▔▔▔▁▁▁▁▁▁▁▔▔▔▔▔▔▔",
      "board.sda   ───────▁▁▁▁▁▁▁░░░░░░░▔▔▔▔▔▔▔",
      "board.bus   |x     |0F    |z     |00    ",
      "board.level ▃▃▃▃▃▃▃▇▇▇▇▇▇▇▁▁▁▁▁▁▁▁▁▁▁▁▁▁",
      "board.state |      |<on&off>            ",
      "board.irq          ↑             ↑      ",
    }
    assert.equal(table.concat(lines, "\n") .. "\n", terminal.text(trace, { width = 40 }))
  end)

  it("marks what changes more often than a column shows", function()
    assert.matches("█", assert(terminal.text(pwm(), { width = 60 })))
  end)
end)

describe("WaveDrom", function()
  it("has one character for each period", function()
    assert.equal([==[
{"signal":[
 ["board",
  {"name":"led","wave":"0101"},
  {"name":"sda","wave":"z0x1"},
  {"name":"bus","wave":"x=z=","data":["0F","00"]},
  {"name":"level","wave":"===.","data":["0","1.5","-1"]},
  {"name":"state","wave":"==..","data":["","<on&off>"]},
  {"name":"irq","wave":"0101"}]],
"config":{"hscale":1},
"head":{"text":"one period is 10000 ns, from 0 ns"}}
]==], wavedrom.json(trace))
  end)

  it("samples on the grid that is asked for", function()
    local wave = assert(wavedrom.json(trace, { period = 5000, signals = { "led" } }))
    assert.truthy(wave:find('"wave":"0.1.0.1."', 1, true))
  end)

  it("shrinks idle spans to a gap", function()
    local idle = assert(vcd.read "$var wire 1 ! a $end $enddefinitions $end #0 0! #1 1! #2 0! #1000 1! #1001")
    assert.truthy(wavedrom.json(idle):find('"wave":"010.|1"', 1, true))
  end)

  it("is cut where it gets too wide, and says so", function()
    local document = assert(json.decode(wavedrom.json(pwm())))
    assert.equal(200, #document.signal[1].wave)
    assert.matches("cut at 20000000 ns", document.head.text)
  end)
end)
