local diagram = require "strobe.vcd.diagram"
local sample = require "spec.support.vcd_sample"
local terminal = require "strobe.vcd.terminal"
local vcd = require "strobe.vcd"
local wavedrom = require "strobe.vcd.wavedrom"

local text, trace = sample.text, sample.trace()
local pwm = sample.pwm

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

  it("has no more ticks than their labels have room", function()
    local svg = assert(diagram.svg(sample.pwm(), { from = 123456789.0, to = 123456791.0, width = 500 }))
    local places = {}
    for x, label in svg:gmatch 'class="tick" x="([%d.]+)" y="[%d.]+">([^<]+)<' do
      places[#places + 1] = tonumber(x)
      assert.is_true(#places == 1 or places[#places] - places[#places - 1] > utf8.len(label) * 7)
    end
    assert.is_true(#places >= 2)
  end)

  it("tells values that do not fit when one points at them", function()
    local long = assert(vcd.read("$timescale 1 us $end $var string 0 % state $end $enddefinitions $end #0 sa<b% %\n"
      .. "#1 swaiting\\040for\\040a\\040reply %\n#2 sx %\n#100\n"))
    local svg = assert(diagram.svg(long))
    assert.truthy(svg:find("<title>waiting for a reply</title>", 1, true))
    assert.truthy(svg:find("<title>a&lt;b%</title>", 1, true))
    assert.is_nil(svg:find("<title>x</title>", 1, true))
  end)

  it("has its ticks above and below where it is tall", function()
    local parts = {}
    for i = 1, 30 do
      parts[i] = ("$var wire 1 s%d pin%d $end"):format(i, i)
    end
    local many = assert(vcd.read(table.concat(parts, "\n") .. " $enddefinitions $end #0 0s1\n#9\n"))
    local tall = assert(diagram.svg(many))
    assert.equal(2, select(2, tall:gsub(">0</text>", "")))
    assert.equal(1, select(2, assert(diagram.svg(trace)):gsub(">0</text>", "")))
  end)
end)
